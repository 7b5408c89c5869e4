"""Complete a shard of a corpus to what fairseq-preprocess leaves.

Inputs: the encoded validation texts, which all shards share, and fairseq's ``dict.txt``. Outputs:
both beside the shard's own texts, for fairseq's masked-language modelling task.
"""

import shutil
from pathlib import Path

from seedwise.files import atomic
from seedwise.step import step


def main(*, valid: list[Path], dictionary: Path, shard: Path) -> None:
    """Copy the files into the folder ``shard``."""
    for file in (*valid, dictionary):
        with atomic(shard / file.name) as partial:
            shutil.copyfile(file, partial)


if __name__ == "__main__":
    with step(snakemake):
        main(
            valid=[Path(path) for path in snakemake.input.valid],
            dictionary=Path(snakemake.input.dictionary),
            shard=Path(snakemake.output.dictionary).parent,
        )
