"""How many parameters a RoBERTa has: formulas from its sizes, and counts of real models.

The formulas are those of the study's Question 1: V is the vocabulary, D the width, P the
positions, L the layers, h the attention heads, F the width of the feed-forward network.
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from seedwise.errors import UserError

PARTS = {
    "token embedding": r"embeddings\.word_embeddings\.weight",
    "learnt positions": r"embeddings\.position_embeddings\.weight",
    "attention, all layers": (
        r"encoder\.layer\.\d+\.attention\.(self\.(query|key|value)|output\.dense)\.weight"
    ),
    "feed-forward, all layers": r"encoder\.layer\.\d+\.(intermediate|output)\.dense\.weight",
    "biases and normalisation": r".*(LayerNorm\.weight|\.bias)",
    "token type (transformers only)": r"embeddings\.token_type_embeddings\.weight",
}
"""The parts of a RoBERTa, and which weights (by transformers' names) make each of them."""

_WEIGHTS = list(PARTS)[:4]
_BIASES, _TOKEN_TYPE = list(PARTS)[4:]


class Row(NamedTuple):
    """A part or a sum of parts: the formula with its numbers filled in, and its value."""

    component: str
    formula: str
    analytic: int
    summed: list[str]


def formulas(architecture: dict[str, Any]) -> list[Row]:
    """Return the rows of the table for an ``architecture`` of the study's configuration.

    Token types are a row apart, in no sum: fairseq's RoBERTa has none.
    """
    v, d, f = (architecture[key] for key in ("vocab_size", "embed_dim", "ffn_dim"))
    layers, h, p = (architecture[key] for key in ("layers", "attention_heads", "max_positions"))
    attention = 4 * h * (d * (d // h))
    feed_forward = 2 * d * f
    biases = layers * (9 * d + f) + 2 * d
    total = v * d + (p + 2) * d + layers * (attention + feed_forward)
    return [
        Row(_WEIGHTS[0], f"V·D = {v}·{d}", v * d, _WEIGHTS[:1]),
        Row(_WEIGHTS[1], f"(P+2)·D = {p + 2}·{d}", (p + 2) * d, _WEIGHTS[1:2]),
        Row(
            _WEIGHTS[2],
            f"L·4·h·(D·D/h) = {layers}·4·{h}·({d}·{d // h}) = {layers}·{attention}",
            layers * attention,
            _WEIGHTS[2:3],
        ),
        Row(
            _WEIGHTS[3],
            f"L·2·D·F = {layers}·2·{d}·{f} = {layers}·{feed_forward}",
            layers * feed_forward,
            _WEIGHTS[3:],
        ),
        Row(
            "total without biases and normalisation",
            "V·D + (P+2)·D + L·(4·D² + 2·D·F)",
            total,
            _WEIGHTS,
        ),
        # Per layer: biases 4D (attention), F and D (feed-forward), and two normalisations of 2D.
        Row(
            _BIASES,
            f"L·(9·D + F) + 2·D = {layers}·(9·{d} + {f}) + 2·{d}",
            biases,
            [_BIASES],
        ),
        Row(
            "total without the head",
            f"{total} + {biases}",
            total + biases,
            [*_WEIGHTS, _BIASES],
        ),
        Row(_TOKEN_TYPE, f"D = {d}", d, [_TOKEN_TYPE]),
    ]


def count_parts(parameters: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Add up a model's parameters by part.

    Args:
        parameters: transformers' name and number of elements of each parameter, none of them
            twice. Those of the language-model head, ``lm_head``, are left out.

    Raises:
        ValueError: a parameter belongs to no part.
    """
    counts = dict.fromkeys(PARTS, 0)
    for name, size in parameters:
        if name.startswith("lm_head."):
            continue
        parts = [p for p, names in PARTS.items() if re.fullmatch(r"roberta\." + names, name)]
        if len(parts) != 1:
            raise ValueError(f"{name}: belongs to {len(parts)} parts")
        counts[parts[0]] += size
    return counts


def parameter_rows(
    model: str, architecture: dict[str, Any], fairseq: dict[str, int], transformers: dict[str, int]
) -> list[dict[str, Any]]:
    """Return the rows of ``parameters.csv`` for one model.

    Args:
        model: its name.
        architecture: its sizes.
        fairseq: `count_parts` of the model that fairseq builds.
        transformers: `count_parts` of the model that transformers builds.

    Raises:
        UserError: a formula and a count differ, be it by one.
    """
    rows = []
    for component, formula, analytic, summed in formulas(architecture):
        counted = {
            engine: sum(counts[part] for part in summed)
            for engine, counts in (("fairseq", fairseq), ("transformers", transformers))
        }
        for engine, count in counted.items():
            expected = 0 if engine == "fairseq" and component == _TOKEN_TYPE else analytic
            if count != expected:
                raise UserError(
                    f"models.{model}.architecture: {component}: {formula} gives {expected}, but "
                    f"the model that {engine} builds has {count}"
                )
        rows.append(
            {
                "component": component,
                "formula": formula,
                "analytic": analytic,
                "counted_fairseq": counted["fairseq"],
                "counted_transformers": counted["transformers"],
                "model": model,
            }
        )
    return rows
