"""Read questions and answers from their source, split them by question, audit the split.

Inputs: the source (archive, folder or file). Outputs: ``train``, ``valid`` and ``heldout`` JSONL
(``id``, ``question``, ``answer``) and ``audit.json``.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seedwise.data.archives import read_member
from seedwise.data.tables import decode, read_records
from seedwise.files import write_json, write_jsonl
from seedwise.lora.questions import SPLITS, Pair, conversations, pairs_of, split_pairs
from seedwise.step import step
from seedwise.study.sources import verify_source


def read_pairs(content: bytes, name: str, settings: dict[str, Any]) -> Iterator[Pair]:
    """Yield the pairs of one file, which is called ``name`` in messages."""
    fields = (settings["question"], settings["answer"])
    if settings["format"] == "conversations":
        records = conversations(decode(content, name, Counter()), name, fields)
    else:
        records = read_records(content, name, {"dialect": settings["format"]}, Counter())
    return pairs_of(records, fields)


def main(
    *, source: Path, name: str, settings: dict[str, Any], splits: dict[str, Path], audit: Path
) -> None:
    """Write the splits of the data set ``name``."""
    sha256 = verify_source(settings["source"], f"lora.datasets.{name}.source")
    pairs = [
        pair
        for member in settings.get("files", [""])
        for pair in read_pairs(read_member(source, member), member or source.name, settings)
    ]
    sizes = settings["splits"]
    records, counts = split_pairs(
        pairs, sizes["valid"], sizes["heldout"], settings["split_seed"], name
    )
    for split in SPLITS:
        write_jsonl(splits[split], records[split])
    write_json(audit, {"source_sha256": sha256, **counts})


if __name__ == "__main__":
    with step(snakemake):
        main(
            source=Path(snakemake.input.source),
            name=snakemake.wildcards.dataset,
            settings=snakemake.params.settings,
            splits={split: Path(snakemake.output[split]) for split in SPLITS},
            audit=Path(snakemake.output.audit),
        )
