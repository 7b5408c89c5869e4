"""Tiny published encoders, taken over and converted to fairseq by the rules' own scripts."""

from pathlib import Path
from unittest import mock

from transformers import AutoModel

import binarize_dataset
import check_conversion
import convert_to_fairseq
import encode_dataset
import import_transformers
from seedwise.files import read_json, write_json, write_jsonl
from seedwise.models.published import Published
from support.tiny.chain import LABELS, SPLITS, Chain, split_records
from support.tiny.encoders import ENCODERS, write_encoder

KINDS = ("bert", "camembert", "electra", "roberta", "xlm-roberta")


def write_wide_encoder(folder: Path, kind: str) -> Path:
    """Write a published folder whose embedding is as wide as its layers; BERT's has a pooler.

    Its weights are larger than fresh ones, so that texts differ in what comes out.
    """
    own, write_tokenizer = ENCODERS[kind]
    wide = own | {"initializer_range": 0.3}
    if kind == "electra":
        wide |= {"embedding_size": 24}
    with mock.patch.dict(ENCODERS, {kind: (wide, write_tokenizer)}):
        if kind == "bert":
            with mock.patch("support.tiny.encoders.AutoModelForMaskedLM", AutoModel):
                return write_encoder(folder, kind)
        return write_encoder(folder, kind)


class Converted(Chain):
    """The folders of one data set and converted model; ``original`` is the imported folder."""

    @property
    def original(self) -> Path:
        return self.folder / "pretrained" / "transformers"

    @property
    def architecture(self) -> Path:
        return self.folder / "pretrained" / "fairseq.json"

    def check(self, **changes: Path) -> dict[str, float]:
        """Do what rule check_conversion does; return its report."""
        report = self.folder / "conversion.json"
        arguments = {
            "folder": self.original,
            "checkpoint": self.pretrained,
            "dictionary": self.tokens / "dict.txt",
            "texts": [self.data / f"{split}.jsonl" for split in SPLITS],
            "tokens": [self.binarized / "input0" / f"{split}.bin" for split in SPLITS],
            "report": report,
        }
        check_conversion.main(**arguments | changes)
        return read_json(report)


def take_over(source: Path, chain: Converted, max_tokens: int | None = None) -> None:
    """Do what rules import_transformers and convert_to_fairseq do."""
    import_transformers.main(
        published=Published(source, "tiny", {"source": {"path": str(source)}}, {}, max_tokens),
        fairseq_experiments=["e"],
        folder=chain.original,
        architecture=chain.folder / "pretrained" / "architecture.json",
        counts=chain.folder / "counts.json",
    )
    convert_to_fairseq.main(
        folder=chain.original,
        experiments=["e"],
        model=chain.pretrained,
        architecture=chain.architecture,
        dictionary=chain.tokens / "dict.txt",
    )


def encode(chain: Converted, split: Path, tokens: Path) -> None:
    """Do what rule encode_dataset does with one split."""
    encode_dataset.main(
        split=split,
        tokenizer=chain.tokens / "tokenizer.json",
        dictionary=chain.tokens / "dict.txt",
        max_positions=None,
        threads=1,
        tokens=tokens,
        counts=chain.tokens / f"{tokens.name}.audit.json",
    )


def binarize(chain: Converted) -> None:
    """Do what rules encode_dataset and binarize_dataset do with the small texts."""
    write_json(chain.data / "audit.json", {"labels": LABELS})
    for split, texts in split_records().items():
        write_jsonl(chain.data / f"{split}.jsonl", texts)
        encode(chain, chain.data / f"{split}.jsonl", chain.binarized / "input0" / split)
    binarize_dataset.main(
        dictionary=chain.tokens / "dict.txt",
        splits=[chain.data / f"{split}.jsonl" for split in SPLITS],
        audit=chain.data / "audit.json",
        output=chain.binarized,
    )


def write_converted(folder: Path, kind: str, max_tokens: int | None = None) -> Converted:
    """Write a published encoder of this type and all that stands before a run of fairseq."""
    chain = Converted(folder)
    take_over(write_wide_encoder(folder / "published", kind), chain, max_tokens)
    binarize(chain)
    return chain
