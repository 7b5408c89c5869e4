"""Copy a base model's folder out of its source.

Inputs: a folder or an archive. Outputs: the folder in transformers' format.
"""

from pathlib import Path
from typing import Any

from seedwise.data.archives import extract_folder
from seedwise.step import step
from seedwise.study.sources import verify_source


def main(*, source: Path, name: str, checkpoint: dict[str, Any], folder: Path) -> None:
    """Check the source of the base model ``name`` and unpack its folder."""
    verify_source(checkpoint["source"], f"lora.models.{name}.checkpoint.source")
    extract_folder(source, checkpoint.get("folder", ""), folder)


if __name__ == "__main__":
    with step(snakemake):
        main(
            source=Path(snakemake.input.source),
            name=snakemake.wildcards.model,
            checkpoint=snakemake.params.checkpoint,
            folder=Path(snakemake.output.folder),
        )
