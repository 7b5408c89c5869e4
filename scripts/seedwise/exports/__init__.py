"""Fine-tuned models as others use them: forms of one model, and answers from them."""
