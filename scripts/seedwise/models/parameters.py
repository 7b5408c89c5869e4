"""How many parameters an encoder has: formulas from its sizes, and counts of real models.

The formulas are those of the study's Question 1, for RoBERTa and BERT: V is the vocabulary, D the
width, P the positions, L the layers, h the attention heads, F the width of the feed-forward
network, T the number of token types. Other types of encoders are counted by module.
"""

import re
from collections import Counter
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
"""The parts of a RoBERTa or BERT, and which weights (by transformers' names) make each of them."""

SPARE_ROWS = {"bert": 0, "camembert": 2, "roberta": 2, "xlm-roberta": 2}
"""The types that have these formulas, and the rows of their positions that no token uses."""

_WEIGHTS = list(PARTS)[:4]
_BIASES, _TOKEN_TYPE = list(PARTS)[4:]


class Row(NamedTuple):
    """A part or a sum of parts: the formula with its numbers filled in, and its value.

    ``fairseq`` is what fairseq, which has RoBERTa's positions and no token types, has of it.
    """

    component: str
    formula: str
    analytic: int
    fairseq: int
    summed: list[str]


def formulas(architecture: dict[str, Any]) -> list[Row]:
    """Return the rows of the table for an ``architecture`` of the study's configuration.

    Token types are a row apart, in no sum: fairseq's RoBERTa has none.
    """
    v, d, f = (architecture[key] for key in ("vocab_size", "embed_dim", "ffn_dim"))
    layers, h, p = (architecture[key] for key in ("layers", "attention_heads", "max_positions"))
    spare = SPARE_ROWS[architecture.get("type", "roberta")]
    types = architecture.get("token_types", 1)
    positions, rows = (f"(P+{spare})", f"{p + spare}") if spare else ("P", f"{p}")
    more = (SPARE_ROWS["roberta"] - spare) * d  # of fairseq
    attention = 4 * h * (d * (d // h))
    feed_forward = 2 * d * f
    biases = layers * (9 * d + f) + 2 * d
    total = v * d + (p + spare) * d + layers * (attention + feed_forward)
    per_layer = [
        (
            f"L·4·h·(D·D/h) = {layers}·4·{h}·({d}·{d // h}) = {layers}·{attention}",
            layers * attention,
        ),
        (f"L·2·D·F = {layers}·2·{d}·{f} = {layers}·{feed_forward}", layers * feed_forward),
    ]
    return [
        Row(_WEIGHTS[0], f"V·D = {v}·{d}", v * d, v * d, _WEIGHTS[:1]),
        Row(
            _WEIGHTS[1],
            f"{positions}·D = {rows}·{d}",
            (p + spare) * d,
            (p + spare) * d + more,
            _WEIGHTS[1:2],
        ),
        *(
            Row(part, formula, value, value, [part])
            for part, (formula, value) in zip(_WEIGHTS[2:], per_layer, strict=True)
        ),
        Row(
            "total without biases and normalisation",
            f"V·D + {positions}·D + L·(4·D² + 2·D·F)",
            total,
            total + more,
            _WEIGHTS,
        ),
        # Per layer: biases 4D (attention), F and D (feed-forward), and two normalisations of 2D.
        Row(
            _BIASES,
            f"L·(9·D + F) + 2·D = {layers}·(9·{d} + {f}) + 2·{d}",
            biases,
            biases,
            [_BIASES],
        ),
        Row(
            "total without the head",
            f"{total} + {biases}",
            total + biases,
            total + biases + more,
            [*_WEIGHTS, _BIASES],
        ),
        Row(
            _TOKEN_TYPE,
            f"T·D = {types}·{d}" if types > 1 else f"D = {d}",
            types * d,
            0,
            [_TOKEN_TYPE],
        ),
    ]


def count_parts(parameters: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Add up a model's parameters by part.

    Args:
        parameters: transformers' name and number of elements of each parameter, none of them
            twice. Those of the language-model head, ``lm_head``, and of BERT's pooler, which is a
            part of the classification head, are left out.

    Raises:
        ValueError: a parameter belongs to no part.
    """
    counts = dict.fromkeys(PARTS, 0)
    for name, size in parameters:
        if name.startswith(("lm_head.", "pooler.")):
            continue
        parts = [p for p, names in PARTS.items() if re.fullmatch(r"(roberta\.)?" + names, name)]
        if len(parts) != 1:
            raise ValueError(f"{name}: belongs to {len(parts)} parts")
        counts[parts[0]] += size
    return counts


def count_encoder(model: Any) -> dict[str, int]:
    """Return the parameters of a classifier of transformers without its head, by part or module.

    A module's name is that before the number of a layer, so that all layers are one row.
    """
    sizes = {name: weight.numel() for name, weight in model.base_model.named_parameters()}
    if model.config.model_type in SPARE_ROWS:
        return count_parts(sizes.items())
    counts: Counter[str] = Counter()
    for name, size in sizes.items():
        if not name.startswith("pooler."):
            counts[re.split(r"\.\d+\.", name.rpartition(".")[0])[0]] += size
    return dict(counts)


def parameter_rows(
    model: str,
    architecture: dict[str, Any],
    fairseq: dict[str, int] | None,
    transformers: dict[str, int],
) -> list[dict[str, Any]]:
    """Return the rows of ``parameters.csv`` for one model.

    Args:
        model: its name.
        architecture: its sizes.
        fairseq: `count_parts` of the model that fairseq builds; None where it builds none.
        transformers: `count_parts` or `count_encoder` of the model that transformers builds.

    Raises:
        UserError: a formula and a count differ, be it by one.
    """
    if architecture.get("type", "roberta") not in SPARE_ROWS:
        total = {"total without the head": sum(transformers.values())}
        return [
            {"component": module, "counted_transformers": count, "model": model}
            for module, count in (transformers | total).items()
        ]
    rows = []
    for row in formulas(architecture):
        counted = {
            engine: sum(counts[part] for part in row.summed)
            for engine, counts in (("fairseq", fairseq), ("transformers", transformers))
            if counts is not None
        }
        expected = {"fairseq": row.fairseq, "transformers": row.analytic}
        for engine, count in counted.items():
            if count != expected[engine]:
                raise UserError(
                    f"models.{model}.architecture: {row.component}: {row.formula} gives "
                    f"{expected[engine]}, but the model that {engine} builds has {count}"
                )
        rows.append(
            {
                "component": row.component,
                "formula": row.formula,
                "analytic": row.analytic,
                **{f"counted_{engine}": count for engine, count in counted.items()},
                "model": model,
            }
        )
    return rows
