"""Checkpoints that others have published: unpacked, and held to the configured architecture."""

import re
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedwise.data.archives import extract_folder
from seedwise.errors import UserError
from seedwise.models.encoders import SPECIAL_POSITIONS
from seedwise.study.sources import verify_source


@dataclass(frozen=True)
class Published:
    """A checkpoint that others have published, and what the study says of it.

    Attributes:
        source: The archive or folder.
        model: The model's name in the study.
        located: The mapping of `source` and `folder` in the study.
        architecture: The configured one; of a transformers folder it may be empty.
        max_tokens: How long texts may be, in tokens, if the study says it.
    """

    source: Path
    model: str
    located: dict[str, Any]
    architecture: dict[str, Any]
    max_tokens: int | None = None

    @classmethod
    def of(cls, job: Any) -> "Published":
        """Return what a rule's ``job``, Snakemake's object, is to take over."""
        return cls(
            source=Path(job.input.source),
            model=job.wildcards.model,
            located=job.params.located,
            architecture=job.params.architecture,
            max_tokens=job.params.get("max_tokens"),
        )

    @contextmanager
    def unpacked(self, key: str, beside: Path) -> Iterator[Path]:
        """Check the source's SHA-256 and yield its folder, unpacked while the block lasts.

        Args:
            key: Its key among the model's in the study, for messages.
            beside: Where to unpack: next to this path.

        Raises:
            UserError: The source is unfit; or the block raised one, in which the folder is then
                called by its place in the source.
        """
        verify_source(self.located["source"], f"models.{self.model}.{key}.source")
        inner = self.located.get("folder", "")
        beside.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=beside.parent) as scratch:
            folder = Path(scratch) / "published"
            extract_folder(self.source, inner, folder)
            try:
                yield folder
            except UserError as error:
                place = f"{self.source}!{inner}" if inner else str(self.source)
                raise UserError(str(error).replace(str(folder), place)) from error

    def check_sizes(self, found: dict[str, Any], file: Path) -> None:
        """Raise `UserError` if the sizes ``found`` in ``file`` are not the configured ones."""
        differing = [
            f"{name} is {found[name]} there, {size} in the study"
            for name, size in self.architecture.items()
            if found.get(name, size) != size
        ]
        if differing:
            raise UserError(
                f"{file}: not of the architecture in models.{self.model}.architecture: "
                + "; ".join(differing)
            )


def checkpoint_sizes(checkpoint: dict[str, Any]) -> dict[str, int]:
    """Return the architecture of a fairseq checkpoint, as far as it shows.

    All sizes but the heads are read off the weights; the number of heads stands in the
    options, if it stands anywhere.
    """
    weights = checkpoint["model"]

    def shape(ending: str) -> tuple[int, ...]:
        return next((tuple(weights[name].shape) for name in weights if name.endswith(ending)), ())

    layers = {match[1] for name in weights if (match := re.search(r"\.layers\.(\d+)\.", name))}
    sizes = {"layers": len(layers)}
    sizes |= dict(zip(("vocab_size", "embed_dim"), shape("embed_tokens.weight"), strict=False))
    if positions := shape("embed_positions.weight"):
        sizes["max_positions"] = positions[0] - SPECIAL_POSITIONS
    if feed_forward := shape(".fc1.weight"):
        sizes["ffn_dim"] = feed_forward[0]
    options = checkpoint.get("args") or (checkpoint.get("cfg") or {}).get("model")
    options = vars(options) if isinstance(options, Namespace) else options or {}
    if heads := options.get("encoder_attention_heads"):
        sizes["attention_heads"] = heads
    return sizes
