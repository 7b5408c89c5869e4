"""A causal language model with a LoRA adapter: loading it, counting what is trained."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import peft
import torch
from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    set_seed,
)
from transformers.pytorch_utils import Conv1D

from seedwise.errors import UserError


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Load a tokenizer from a local folder; without a padding token it pads with its end token.

    Raises:
        UserError: The folder has no tokenizer, or the tokenizer no end token.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise UserError(f"{folder}: no tokenizer that transformers can load: {error}") from None
    if tokenizer.eos_token_id is None:
        raise UserError(f"{folder}: the tokenizer has no end-of-sequence token to stop on")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def empty_model(folder: Path) -> PreTrainedModel:
    """Build the folder's model without weights, on the meta device, to count and to name."""
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{folder}: not a causal language model's folder: {error}") from None


def check_quantization(device: str) -> None:
    """Quantize a few numbers to 4 bits, as a probe.

    Raises:
        UserError: bitsandbytes is not installed or cannot do it on ``device``.
    """
    try:
        from bitsandbytes.functional import quantize_4bit

        quantize_4bit(torch.zeros(64, device=device), quant_type="nf4")
    except (ImportError, RuntimeError, NotImplementedError, AttributeError) as error:
        raise UserError(
            f"quantization.type: 'nf4' cannot work on this machine's {device}: {error}; "
            "install bitsandbytes for it, or use 'none'"
        ) from None


def _prepare_quantized(model: PreTrainedModel) -> PreTrainedModel:
    """Freeze a 4-bit model such that neither training nor evaluation rewrites its weights."""
    from bitsandbytes.nn import Linear4bit

    model = peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    for module in model.modules():
        if isinstance(module, Linear4bit):
            # On a CPU, bitsandbytes repacks the weights at the first evaluation; products
            # with repacked weights pass no gradient on, so training would go wrong silently.
            module.support_avx512bf16_for_cpu = False
            if module.bias is not None and module.compute_dtype is not None:
                # The forward pass would do this anyway, once.
                module.bias.data = module.bias.data.to(module.compute_dtype)
    return model


def load_base(
    folder: Path, quantization: dict[str, Any], device: str, precision: str = "float32"
) -> PreTrainedModel:
    """Load the base model from a local folder of safetensors, all its parameters frozen.

    Args:
        folder: A folder in transformers' format.
        quantization: ``type`` (``none`` or ``nf4``), ``double_quant``, ``compute_dtype``.
        device: ``cpu`` or ``cuda``.
        precision: With ``bfloat16`` the weights take half the memory; else they are float32.

    Raises:
        UserError: The folder holds no such model, or cannot be quantized.
    """
    quantized = quantization["type"] != "none"
    options: dict[str, Any] = {}
    if quantized:
        check_quantization(device)
        options = {
            "device_map": {"": device},
            "quantization_config": BitsAndBytesConfig(
                load_in_4bit=True,
                bnb_4bit_quant_type=quantization["type"],
                bnb_4bit_use_double_quant=quantization["double_quant"],
                bnb_4bit_compute_dtype=getattr(torch, quantization["compute_dtype"]),
            ),
        }
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=torch.bfloat16 if precision == "bfloat16" else torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            **options,
        )
    except (OSError, ValueError) as error:
        raise UserError(f"{folder}: the base model cannot be loaded: {error}") from None
    if quantized:
        model = _prepare_quantized(model)
    model.requires_grad_(False)
    return model.to(device)


def with_targets(settings: dict[str, Any], model_type: str) -> dict[str, Any]:
    """Return the LoraConfig values, ``target_modules`` those that peft has for the model's type.

    Raises:
        UserError: None are given, and peft has none.
    """
    if settings["target_modules"]:
        return settings
    known = TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING
    if model_type not in known:
        raise UserError(
            f"lora.target_modules: none are known for a base of type {model_type!r}; name some"
        )
    return settings | {"target_modules": list(known[model_type])}


def add_adapter(model: PreTrainedModel, settings: dict[str, Any], seed: int) -> peft.PeftModel:
    """Put a fresh LoRA adapter into ``model``; ``seed`` draws its A matrices (B starts at 0)."""
    find_targets(linear_shapes(model), settings["target_modules"])
    set_seed(seed)
    return peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", **settings))


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
                f"lora.target_modules: {target!r} matches no linear layer of the base model; "
                f"there are {exist}"
            )
    return [
        name
        for name in names
        if any(name == target or name.endswith(f".{target}") for target in target_modules)
    ]


def count_parameters(
    empty: PreTrainedModel, adapted: peft.PeftModel, settings: dict[str, Any]
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


def frozen_sha256(model: nn.Module) -> str:
    """Hash all that is not trained, scales of 4-bit weights included, bit by bit."""
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if name not in trained:
            digest.update(name.encode())
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
