"""LoRA adapters: where they go, and how many parameters they train."""

from collections.abc import Iterable
from typing import Any

import peft
from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from seedwise.errors import UserError

QUERY_AND_VALUE = ("query", "value", "q_lin", "v_lin", "q", "v", "Wqkv")
"""What encoders call the linear layers that make queries and values of hidden states."""


def with_targets(settings: dict[str, Any], model: PreTrainedModel) -> dict[str, Any]:
    """Return the LoraConfig values, with ``target_modules`` where none are given.

    They are those that peft has for the model's type, else the projections of queries and values
    (Hu et al. 2021, section 4.2), under the names that transformers gives them.

    Raises:
        UserError: The model has none of these.
    """
    if settings["target_modules"]:
        return settings
    known = TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING.get(model.config.model_type)
    exist = sorted({name.rpartition(".")[2] for name in linear_shapes(model)})
    targets = known or [name for name in exist if name in QUERY_AND_VALUE]
    if not targets:
        raise UserError(
            f"target_modules: none are known for a model of type {model.config.model_type!r}; name "
            f"some of {', '.join(exist)}"
        )
    return settings | {"target_modules": list(targets)}


def linear_shapes(model: PreTrainedModel) -> dict[str, tuple[int, int]]:
    """Return the sizes (in, out) of each linear layer by name, the output embedding left out."""
    head = model.get_output_embeddings()
    shapes = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and module is not head:
            shapes[name] = (module.in_features, module.out_features)
        elif isinstance(module, Conv1D):
            shapes[name] = (module.nx, module.nf)
    return shapes


def find_targets(names: Iterable[str], target_modules: list[str]) -> list[str]:
    """Return the names that end in one of ``target_modules``, as peft matches them.

    Raises:
        UserError: One of ``target_modules`` matches nothing; the message lists what exists.
    """
    names = list(names)
    for target in target_modules:
        if not any(name == target or name.endswith(f".{target}") for name in names):
            exist = ", ".join(sorted({name.rpartition(".")[2] for name in names}))
            raise UserError(
                f"target_modules: {target!r} matches no linear layer of the model; "
                f"there are {exist}"
            )
    return [
        name
        for name in names
        if any(name == target or name.endswith(f".{target}") for target in target_modules)
    ]


def count_parameters(
    empty: PreTrainedModel, adapted: nn.Module, settings: dict[str, Any]
) -> list[dict[str, Any]]:
    """Count what is trained, layer by layer: by formula, and in the model.

    A layer of sizes (in, out) gets A, r by in, and B, out by r (Hu et al. 2021, section 4.1),
    hence r (in + out) parameters, and its own bias where ``bias`` asks for it.

    Args:
        empty: The base model on the meta device. Sizes come from here, because 4-bit weights
            are stored two to a byte and look like half of them.
        adapted: The same model with its adapter.
        settings: The LoraConfig values.

    Returns:
        Rows ``module, in_features, out_features, formula, analytic, counted``; a last row for
        the biases outside those layers with ``bias: all``.

    Raises:
        RuntimeError: A formula and the model disagree.
    """
    shapes = linear_shapes(empty)
    biases = {name: p.numel() for name, p in empty.named_parameters() if name.endswith("bias")}
    trained = {
        name.removeprefix("base_model.model.").replace(".base_layer.", "."): p.numel()
        for name, p in adapted.named_parameters()
        if p.requires_grad
    }
    rows = []
    for name in find_targets(shapes, settings["target_modules"]):
        fan_in, fan_out = shapes[name]
        own_bias = biases.pop(f"{name}.bias", 0) if settings["bias"] != "none" else 0
        rows.append(
            {
                "module": name,
                "in_features": fan_in,
                "out_features": fan_out,
                "formula": f"{settings['r']} * ({fan_in} + {fan_out})"
                + (f" + {own_bias}" if own_bias else ""),
                "analytic": settings["r"] * (fan_in + fan_out) + own_bias,
                "counted": sum(n for key, n in trained.items() if key.startswith(f"{name}.")),
            }
        )
    if settings["bias"] == "all":
        rest = sum(biases.values())
        counted = sum(trained.values()) - sum(row["counted"] for row in rows)
        sizes = {"in_features": None, "out_features": None}
        rows.append(
            {"module": "other biases", **sizes, "formula": str(rest)}
            | {"analytic": rest, "counted": counted}
        )
    wrong = [row for row in rows if row["analytic"] != row["counted"]]
    if wrong or sum(row["counted"] for row in rows) != sum(trained.values()):
        raise RuntimeError(f"trained parameters differ from the formula: {wrong or trained}")
    return rows


def head_modules(model: PreTrainedModel) -> list[str]:
    """Return the parts of a classifier that are not its encoder, and have parameters."""
    return [
        name
        for name, part in model.named_children()
        if name != model.base_model_prefix and any(True for _ in part.parameters())
    ]


def classifier_with_adapter(model: PreTrainedModel, settings: dict[str, Any]) -> peft.PeftModel:
    """Put a fresh adapter into the encoder of a classifier, whose head is trained as a whole.

    Args:
        model: The classifier.
        settings: The study's ``adapter``.

    Raises:
        UserError: A target matches nothing.
        RuntimeError: What is trained is not what the formulas say.
    """
    heads = head_modules(model)
    settings = with_targets(settings, model)
    rank, bias = settings["r"], settings["bias"]
    shapes = {n: s for n, s in linear_shapes(model).items() if n.partition(".")[0] not in heads}
    targets = find_targets(shapes, settings["target_modules"])
    biases = {n: p.numel() for n, p in model.named_parameters() if n.endswith("bias")}
    trained = {"none": [], "lora_only": [f"{n}.bias" for n in targets], "all": list(biases)}[bias]
    # Of the head, everything is trained, its biases too.
    expected = sum(rank * sum(shapes[name]) for name in targets)
    expected += sum(biases.get(n, 0) for n in trained if n.partition(".")[0] not in heads)
    expected += sum(p.numel() for name in heads for p in getattr(model, name).parameters())
    # By their whole names: a layer of the head may be called like one of the encoder.
    config = settings | {"target_modules": targets, "modules_to_save": heads}
    adapted = peft.get_peft_model(model, peft.LoraConfig(task_type="SEQ_CLS", **config))
    counted = trainable_parameters(adapted)
    if counted != expected:
        raise RuntimeError(f"{counted} parameters are trained; by the formula it is {expected}")
    return adapted


def trainable_parameters(model: nn.Module) -> int:
    """Return how many parameters of ``model`` are trained."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
