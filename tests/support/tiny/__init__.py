"""Models so small that they train in seconds, and what they need."""
