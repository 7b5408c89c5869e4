"""What models give for texts: probabilities, scores, and what they are worth."""

PROBABILITY = "probability_"
"""What the columns of ``predictions.csv`` begin with that hold the probability of a label."""
