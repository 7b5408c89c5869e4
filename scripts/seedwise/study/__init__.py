"""What a configuration says; the Snakefile imports it, so it needs Snakemake's packages alone."""
