"""Code shared by Seedwise's scripts and its Snakefile."""
