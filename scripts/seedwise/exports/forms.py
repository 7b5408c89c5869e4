"""The forms of a model: transformers' folder, and beside it ONNX in float32 and in int8.

``model/onnx/`` is laid out as transformers.js reads it. What is known of the files there stands in
``onnx.json``; nothing here needs more than the standard library.
"""

from pathlib import Path
from typing import Any

from seedwise.errors import UserError
from seedwise.files import read_json, sha256_of_files

TRANSFORMERS, FLOAT32, INT8 = "transformers", "onnx", "int8"
ONNX_FILES = {FLOAT32: "model.onnx", INT8: "model_int8.onnx"}
"""File of each form in the folder `ONNX`."""

ONNX = "onnx"
ABOUT = "onnx.json"
"""In that folder: labels, limits, checksums, and how each form did (`scripts/exports`)."""

TOKENIZER, SENTENCEPIECE = "tokenizer.json", "sentencepiece.bpe.model"
TOKENIZER_FILES = {
    TOKENIZER: (TOKENIZER, "tokenizer_config.json"),
    SENTENCEPIECE: (SENTENCEPIECE, "dict.txt", "tokenizer_config.json"),
}
"""The files of a tokenizer, by the one that says of which kind it is."""


def predictions_file(form: str) -> str:
    """Return the name of the test split's predictions by a form of ONNX."""
    return f"predictions-{form}.csv"


def predictions_of(folder: Path, form: str) -> Path:
    """Return where a form of a model has what its study predicted for the test split."""
    if form == TRANSFORMERS:
        return folder.parent / "predictions.csv"
    return folder / ONNX / predictions_file(form)


def tokenizer_kind(folder: Path) -> str:
    """Return of which kind of `TOKENIZER_FILES` the tokenizer in ``folder`` is.

    Raises:
        UserError: One of its files is missing.
    """
    kind = TOKENIZER if (folder / TOKENIZER).is_file() else SENTENCEPIECE
    for name in TOKENIZER_FILES[kind]:
        if not (folder / name).is_file():
            raise UserError(
                f"{folder}: without {name}; ONNX needs a tokenizer as {TOKENIZER}, or as "
                f"{SENTENCEPIECE} and dict.txt, and tokenizer_config.json"
            )
    return kind


def tokenizer_sha256(folder: Path) -> str:
    """Return the checksum of what cuts texts for the model in ``folder``."""
    return sha256_of_files(folder / name for name in TOKENIZER_FILES[tokenizer_kind(folder)])


def describe(folder: Path) -> dict[str, Any] | None:
    """Return what is known of the forms of the model in ``folder``; None without ONNX.

    Raises:
        UserError: The file that says it cannot be read.
    """
    path = folder / ONNX / ABOUT
    if not path.is_file():
        return None
    try:
        about = read_json(path)
        about["forms"].keys()
        return about
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UserError(f"{path}: damaged; make it anew: `make export CONFIG=…`") from None


def available(folder: Path) -> list[str]:
    """Return the forms of the model in ``folder``, the quickest first."""
    about = describe(folder)
    if about is None:
        return [TRANSFORMERS]
    return [f for f in (INT8, FLOAT32) if "sha256" in about["forms"].get(f, {})] + [TRANSFORMERS]


def check(folder: Path, about: dict[str, Any], form: str) -> None:
    """Compare the files of a form with what was written.

    Raises:
        UserError: The form was refused when it was made, or a file is not the one that was tried.
    """
    known, path = about["forms"].get(form, {}), folder / ONNX / ONNX_FILES[form]
    if "sha256" not in known:
        raise UserError(f"{path}: {refusal(form, known)}")
    if not path.is_file():
        raise UserError(f"{path}: missing; make it anew: `make export CONFIG=…`")
    if (size := path.stat().st_size) != known["bytes"]:
        raise UserError(f"{path}: damaged: {size:,} bytes, not {known['bytes']:,}")
    if (found := sha256_of_files([path])) != known["sha256"]:
        raise UserError(f"{path}: damaged: its SHA-256 is {found}, not {known['sha256']}")
    if (found := tokenizer_sha256(folder)) != about["tokenizer_sha256"]:
        raise UserError(
            f"{folder}: the tokenizer beside the model is another than that it was tried with: "
            f"its SHA-256 is {found}, not {about['tokenizer_sha256']}"
        )


def refusal(form: str, known: dict[str, Any]) -> str:
    """Return why there is no such form of a model."""
    if "reason" in known:
        return f"no {form} of this model: {known['reason']}"
    return (
        f"refused: as {form} it gives {known['agreement']:.2%} of {known['texts']:,} validation "
        f"texts the answer of transformers, fewer than onnx.agreement asks ({known['asked']:.2%})"
    )
