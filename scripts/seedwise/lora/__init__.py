"""Adapters of causal language models, trained on questions and answers."""
