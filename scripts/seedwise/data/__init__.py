"""From sources to splits: archives, downloads, tables, labels, splits and their audit."""
