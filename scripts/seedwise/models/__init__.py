"""What is fine-tuned: architectures and their parameters, checkpoints, conversion, prediction."""
