"""A causal language model with a LoRA adapter: loading it, proving that the base is left alone."""

import hashlib
from pathlib import Path
from typing import Any

import peft
import torch
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

from seedwise.errors import UserError
from seedwise.training.adapters import find_targets, linear_shapes


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


def add_adapter(model: PreTrainedModel, settings: dict[str, Any], seed: int) -> peft.PeftModel:
    """Put a fresh LoRA adapter into ``model``; ``seed`` draws its A matrices (B starts at 0)."""
    find_targets(linear_shapes(model), settings["target_modules"])
    set_seed(seed)
    return peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", **settings))


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
