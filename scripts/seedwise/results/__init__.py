"""What runs become: statistics, comparisons, mistakes."""
