"""What models give for texts: probabilities, scores, and what they are worth."""
