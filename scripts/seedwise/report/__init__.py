"""What the pages of a report say."""
