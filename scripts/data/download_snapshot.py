"""Download a repository of the Hugging Face hub at one commit.

Inputs: none; the `source:` mapping comes as a parameter. Outputs: a folder, and a JSON record
with the commit and origin.
"""

from pathlib import Path

from seedwise.data.hub import fetch_snapshot
from seedwise.step import step

if __name__ == "__main__":
    with step(snakemake):
        fetch_snapshot(
            source=snakemake.params.source,
            folder=Path(snakemake.output.folder),
            record=Path(snakemake.output.record),
        )
