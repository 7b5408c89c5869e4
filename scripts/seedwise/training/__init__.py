"""Fine-tuning with each engine, and the contract of a run."""
