"""A model as onnxruntime reads it, with neither torch nor transformers."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from seedwise.data.texts import parts
from seedwise.errors import UserError, one_line
from seedwise.exports.ensemble import Batch, Inputs
from seedwise.exports.forms import ONNX, ONNX_FILES, SENTENCEPIECE, TOKENIZER, tokenizer_kind
from seedwise.files import read_json
from seedwise.tokens.pieces import SentencePieceEncoder
from seedwise.tokens.vocabulary import BOS_ID


def threads() -> int:
    """Return the threads this process may use: ``OMP_NUM_THREADS``, or its cores."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdecimal() and int(told) else len(os.sched_getaffinity(0))


class OnnxModel:
    """See `seedwise.exports.ensemble.Model`.

    Args:
        folder: The model's, with its tokenizer.
        form: Of `forms.ONNX_FILES`.
        about: What is known of it, see `forms.describe`.
        files: Where the forms of ONNX are, if not in ``folder``.
        workers: Batches computed at once, each by one thread; so their number changes no result.

    Raises:
        UserError: onnxruntime cannot read the file, or tokenizers its tokenizer.
    """

    def __init__(
        self,
        folder: Path,
        form: str,
        about: dict[str, Any],
        files: Path | None = None,
        workers: int | None = None,
    ) -> None:
        path = (files or folder / ONNX) / ONNX_FILES[form]
        self.place, self.device = str(folder), "cpu"
        self.labels, self.reads_pairs = about["labels"], about["pairs"]
        self.tokenizer = about["tokenizer_sha256"]
        self.workers = workers or threads()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3  # errors, which come as exceptions, too
        try:
            self._session = onnxruntime.InferenceSession(
                path,
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=[
                    "SkipLayerNormFusion",
                    "BiasGeluFusion",
                ],  # slower than their parts
            )
        except Exception as error:  # its exceptions have no common class but this
            raise UserError(f"{path}: onnxruntime cannot read it: {one_line(str(error))}") from None
        self._inputs = [given.name for given in self._session.get_inputs()]
        self.pad = about["pad"]
        self._cut = read_tokenizer(folder)

    def tokenize(self, texts: Sequence[str]) -> tuple[Inputs, int]:
        """Return what the model reads of each text, and how many were cut."""
        inputs, cut = self._cut(texts)
        return {name: rows for name, rows in inputs.items() if name in self._inputs}, cut

    def logits(self, batches: Iterable[Batch]) -> Iterator[np.ndarray]:
        """Yield the logits of each batch."""
        with ThreadPoolExecutor(self.workers) as pool:
            yield from pool.map(lambda batch: self._session.run(None, batch)[0], batches)


def read_tokenizer(folder: Path) -> Callable[[Sequence[str]], tuple[Inputs, int]]:
    """Return what cuts texts, or pairs, for the model in ``folder``, and says how many it cut.

    Raises:
        UserError: There is no tokenizer, or none that can be read.
    """
    kind = tokenizer_kind(folder)
    settings = read_json(folder / "tokenizer_config.json")
    longest = min(settings["model_max_length"], 2**31)
    try:
        if kind == TOKENIZER:
            return _published(folder, longest, settings.get("truncation_side", "right"))
        return _sentencepiece(folder, longest)
    except Exception as error:  # those of tokenizers have no common class but this
        raise UserError(f"{folder / kind}: no tokenizer: {one_line(str(error))}") from None


def _published(
    folder: Path, longest: int, side: str
) -> Callable[[Sequence[str]], tuple[Inputs, int]]:
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest, strategy="longest_first", direction=side)

    def cut(texts: Sequence[str]) -> tuple[Inputs, int]:
        first, second = parts(texts)
        rows = first if second is None else list(zip(first, second, strict=True))
        found = tokenizer.encode_batch_fast(rows)
        inputs = {
            "input_ids": [row.ids for row in found],
            "token_type_ids": [row.type_ids for row in found],
        }
        return inputs, sum(bool(row.overflowing) for row in found)

    return cut


def _sentencepiece(folder: Path, longest: int) -> Callable[[Sequence[str]], tuple[Inputs, int]]:
    """Return what cuts as fairseq does, ``<s>`` and ``</s>`` around each text."""
    encoder = SentencePieceEncoder(folder / SENTENCEPIECE, folder / "dict.txt", threads())

    def cut(texts: Sequence[str]) -> tuple[Inputs, int]:
        before = encoder.counts["cut"]
        rows = [
            [BOS_ID, *row.tolist()]
            for ids, sizes in encoder.batches(texts, longest - 2)
            for row in np.split(ids, np.cumsum(sizes)[:-1])
        ]
        return {"input_ids": rows}, encoder.counts["cut"] - before

    return cut
