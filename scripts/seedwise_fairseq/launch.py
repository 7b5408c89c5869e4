"""Start fairseq's command-line tools in this process, and read what they leave behind."""

import argparse
import contextlib
import importlib
import logging
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import torch
from fairseq import checkpoint_utils
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from fairseq.distributed.utils import call_main
from fairseq.options import get_training_parser, parse_args_and_arch

from seedwise.files import atomic
from seedwise.machine import distributed, node_scratch
from seedwise.machine.stopping import saving_first
from seedwise.models.weight_names import is_fused_copy
from seedwise_fairseq import USER_DIR, resume

logger = logging.getLogger(__name__)

Options = dict[str, str | int | float | bool]

PLACES = {
    "user_dir": None,  # fairseq would import whatever else is not None
    "finetune_from_model": None,
    "save_dir": "",
    "data": "",
    "history_from": "",
    "embeddings_from": "",
    "rows_from": "",
}
"""Options of fairseq that hold a path, each with what it is where none is given."""


def arguments(options: Options) -> list[str]:
    """Return command-line arguments; ``True`` makes a switch, ``False`` leaves it out."""
    words: list[str] = []
    for name, value in options.items():
        if value is True:
            words.append(f"--{name}")
        elif value is not False:
            words += [f"--{name}", str(value)]
    return words


def run(tool: str, *positional: str, options: Options) -> None:
    """Run ``fairseq-{tool}`` here, after logging its command line.

    In this process, because importing torch and fairseq costs seconds.
    """
    words = _log_command(tool, [*positional, *arguments(options)])
    module = importlib.import_module(f"fairseq_cli.{tool}")
    with _argv([f"fairseq-{tool}", *words]):
        module.cli_main()


def _log_command(tool: str, words: list[str]) -> list[str]:
    logger.info("fairseq-%s %s", tool, shlex.join(words))
    return words


def train(
    data: Path | str, *, options: Options, selects_best: bool, processes: int, minutes: float
) -> None:
    """Run `fairseq-train`, or go on where a killed one stopped; do nothing where it was done.

    Args:
        data: the folder of the binarized files; several, one for each epoch in turn, with colons.
        options: the tool's options; checkpoints are in ``save-dir``.
        selects_best: whether the best checkpoint is wanted beside the last.
        processes: how many share the training.
        minutes: between two checkpoints, beside those that the options ask for.
    """
    scratch = Path(str(options["save-dir"]))
    done = resume.choose_checkpoint(scratch, selects_best=selects_best)
    patience = int(options.get("patience", 0))
    stopped = patience and resume.has_stopped(scratch, str(options["selection"]), patience)
    # Called once more, fairseq would add an update to a training that ends inside an epoch.
    if done < int(options["max-update"]) and not stopped:
        distributed.run(processes, _train_here, data, options, minutes)


def _train_here(data: Path | str, options: Options, minutes: float) -> None:
    if "LOCAL_RANK" in os.environ:
        options = options | {"device-id": os.environ["LOCAL_RANK"]}
    words = _log_command("train", [str(data), *arguments(options)])
    # The best score of a training before in this process, which fairseq would go on from.
    vars(checkpoint_utils.save_checkpoint).pop("best", None)
    checkpoint_utils.torch_persistent_save = _save_checkpoint
    # What fairseq's own `cli_main` does, but that the configuration is at hand.
    main = importlib.import_module("fairseq_cli.train").main
    with _argv(["fairseq-train", *words]):
        parsed = parse_args_and_arch(get_training_parser())
        config = convert_namespace_to_omegaconf(parsed)
        interval = config.checkpoint.save_interval_updates

        def save(wanted: bool) -> None:
            # fairseq saves after an update whose number this divides.
            config.checkpoint.save_interval_updates = 1 if wanted else interval

        with saving_first(save, minutes):
            call_main(config, main)


_torch_persistent_save = checkpoint_utils.torch_persistent_save


def _save_checkpoint(checkpoint: Any, filename: str, **options: Any) -> None:
    with node_scratch.written_nearby(Path(filename)) as near:
        _torch_persistent_save(checkpoint, str(near), **options)


@contextlib.contextmanager
def _argv(words: list[str]) -> Any:
    saved, sys.argv = sys.argv, words
    try:
        yield
    finally:
        sys.argv = saved


def architecture_options(architecture: dict[str, Any]) -> Options:
    """Return the options that build a model's ``architecture``.

    That of a published encoder names the ``layer_norm_eps`` and the ``head_activation``, too.
    """
    published: Options = {}
    if "layer_norm_eps" in architecture:
        published = {
            "layer-norm-eps": architecture["layer_norm_eps"],
            "pooler-activation-fn": architecture["head_activation"],
        }
    return {
        "arch": "seedwise_roberta" if published else "roberta",
        "encoder-layers": architecture["layers"],
        "encoder-embed-dim": architecture["embed_dim"],
        "encoder-ffn-embed-dim": architecture["ffn_dim"],
        "encoder-attention-heads": architecture["attention_heads"],
        "max-positions": architecture["max_positions"],
        "dropout": architecture["dropout"],
        "attention-dropout": architecture["attention_dropout"],
        "pooler-dropout": architecture["pooler_dropout"],
        **published,
    }


def training_options(settings: dict[str, Any], seed: int, updates: int, scratch: Path) -> Options:
    """Return the options that pre-training and fine-tuning share.

    Args:
        settings: the study's hyper-parameters (``finetune:`` or ``pretrain:``), as
            `seedwise.machine.device.prepare` returns them.
        seed: the run's seed.
        updates: the number of updates until the learning rate reaches zero.
        scratch: where checkpoints go.
    """
    betas = settings.get("adam_betas", (0.9, 0.98))
    half = settings["precision"] == "float16"
    return {
        "user-dir": str(USER_DIR),
        "optimizer": "adam" if half else "fused_adamw",
        "adam-betas": f"({betas[0]}, {betas[1]})",
        "adam-eps": settings.get("adam_eps", 1e-8),
        "weight-decay": settings["weight_decay"],
        "clip-norm": settings["clip_norm"],
        "lr": settings["learning_rate"],
        "lr-scheduler": "polynomial_decay",
        "warmup-updates": round(settings["warmup_ratio"] * updates),
        "total-num-update": updates,
        "max-update": updates,
        "batch-size": settings["batch_size"] // settings["processes"],
        "required-batch-size-multiple": 1,
        "num-workers": 0,
        # Batches made ahead, in threads, would race for numpy's random numbers: training's and
        # validation's masks would depend on the scheduler.
        "data-buffer-size": 0,
        "autocast": "float32" if half else settings["precision"],
        "fp16": half,
        "cpu": settings["device"] == "cpu",
        "distributed-backend": "gloo" if settings["device"] == "cpu" else "nccl",
        "ddp-backend": "legacy_ddp",  # fairseq's other one needs GPUs
        "load-checkpoint-on-all-dp-ranks": True,
        "seed": seed,
        "save-dir": str(scratch),
        "history-from": f"{scratch}/checkpoint_last.pt",
        "no-epoch-checkpoints": True,
        "save-interval-updates": settings["checkpoint_updates"],
        "keep-interval-updates": 2,
        "progress-updates": updates,
        "log-format": "json",
        "log-interval": 100,
    }


def export_model(checkpoint: dict[str, Any], path: Path) -> None:
    """Write the weights and configuration of ``checkpoint``, without optimizer and history.

    The result goes through fairseq's own loader (`--finetune-from-model`, `hub_utils`), and its
    bytes do not tell in which folders it was trained, nor how often it was stopped.
    """
    weights = {key: value for key, value in checkpoint["model"].items() if not is_fused_copy(key)}
    kept = {key: checkpoint.get(key) for key in ("args", "cfg", "criterion")}
    kept |= {
        "model": weights,
        # fairseq's loader wants one entry; the training's own tell where that was resumed.
        "optimizer_history": [
            {"num_updates": 0, "lr_scheduler_state": {}, "optimizer_name": "none"}
        ],
        "task_state": {},
        "extra_state": {},
        "last_optimizer_state": None,
    }
    _forget_places(kept["cfg"])
    # Given a path, torch would write the name of the temporary file into the archive.
    with atomic(path) as partial, partial.open("wb") as file:
        torch.save(kept, file)


def _forget_places(config: Any) -> None:
    """Empty the paths in a configuration of nested dictionaries and namespaces, in place."""
    values = vars(config) if isinstance(config, argparse.Namespace) else config
    if not isinstance(values, dict):
        return
    values.update({name: empty for name, empty in PLACES.items() if name in values})
    for value in values.values():
        _forget_places(value)
