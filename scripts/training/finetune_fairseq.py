"""Fine-tune one experiment at one seed with fairseq-train, and predict the test split once.

Inputs: the data set's splits and audit, its binarized form, for a pre-trained start the fairseq
checkpoint, and for a published encoder its ``architecture`` (JSON). Outputs: the files of the run
contract (``history.csv``, ``predictions.csv``, ``metrics.json``) and ``model.pt``, the checkpoint
of the first epoch that is best on the validation split. A candidate of a search has the first and
the third alone: it never reads the test split.
"""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedwise.files import read_json
from seedwise.machine import device as devices
from seedwise.machine.scratch import training_scratch
from seedwise.models.checkpoints import load_checkpoint
from seedwise.step import step
from seedwise.tokens.indexed import read_texts
from seedwise.tokens.vocabulary import BOS_ID, EOS_ID
from seedwise.training.runs import Outcome, Run, best_epoch, write_run
from seedwise_fairseq import launch
from seedwise_fairseq.criterion import BEST_SO_FAR
from seedwise_fairseq.predict import HEAD, class_probabilities, load_model

ROWS = "rows.npy"


def finetuning_options(
    settings: dict[str, Any],
    *,
    texts: int,
    classes: int,
    class_weights: list[float] | None,
    seed: int,
    scratch: Path,
    pretrained: Path | None,
    rows: Path | None = None,
) -> launch.Options:
    """Return fairseq-train's options for one run.

    Args:
        settings: the settings of the experiment, its ``finetune`` as `devices.prepare` returns it.
        texts: number of training texts.
        classes: number of labels; one where there are scores.
        class_weights: their weights in the training loss; ``None`` for equal ones.
        seed: the run's seed.
        scratch: where checkpoints go.
        pretrained: the checkpoint to start from; ``None`` for a random start.
        rows: the file of the training texts to read; ``None`` for all.
    """
    finetune = settings["finetune"]
    updates = finetune["epochs"] * math.ceil(texts / finetune["batch_size"])
    batch_size = finetune["batch_size"] // finetune["processes"]
    options = {
        "task": "seedwise_sentence_prediction",
        "criterion": "seedwise_sentence_prediction",
        "class-weights": ",".join(map(str, class_weights or [])),
        "classification-head-name": HEAD,
        "num-classes": classes,
        "regression-target": classes == 1,
        "init-token": BOS_ID,
        "separator-token": EOS_ID,
        "group-by-length": batch_size if finetune["group_by_length"] else 0,
        **launch.architecture_options(settings["architecture"]),
        **launch.training_options(finetune, seed, updates, scratch),
        "max-epoch": finetune["epochs"],
        "progress-epochs": finetune["epochs"],
        "batch-size-valid": finetune["eval_batch_size"],
        "selection": settings["selection"],
        "best-checkpoint-metric": BEST_SO_FAR,
        "maximize-best-checkpoint-metric": True,
    }
    if rows is not None:
        options["rows-from"] = str(rows)
    if finetune["patience"]:
        options["patience"] = finetune["patience"]
    if pretrained is not None:
        options["finetune-from-model"] = str(pretrained)
    return options


def main(
    *,
    run: Run,
    binarized: Path,
    pretrained: Path | None,
    architecture: Path | None = None,
    history: Path,
    metrics: Path,
    predictions: Path | None = None,
    model: Path | None = None,
    counts: Sequence[Path] = (),
) -> None:
    """Train, or go on where a killed job stopped; then predict and write the run.

    ``counts`` say what was cut of the splits, each in a file of its name. A candidate of a search
    neither predicts nor keeps its model.
    """
    finetune = devices.prepare(run.finetune)
    device, shared = finetune["device"], run.shared(finetune, "fairseq", "torch")
    sizes = {"architecture": read_json(architecture)} if architecture else {}
    with training_scratch(history.parent, run.resume_key(shared)) as scratch:
        rows = run.train_rows()
        if rows is not None:
            np.save(scratch / ROWS, rows)
        launch.train(
            binarized,
            options=finetuning_options(
                run.settings | sizes | {"finetune": finetune},
                texts=len(run.texts("train")),
                classes=len(run.labels),
                class_weights=None if run.units else run.class_weights(),
                seed=run.seed,
                scratch=scratch,
                pretrained=pretrained,
                rows=None if rows is None else scratch / ROWS,
            ),
            selects_best=True,
            processes=finetune["processes"],
            minutes=finetune["checkpoint_minutes"],
        )
        last = load_checkpoint(scratch / "checkpoint_last.pt")
        best = load_checkpoint(scratch / "checkpoint_best.pt")
        epochs = pd.DataFrame(last["task_state"]["history"])
        saved_epoch = best["task_state"]["history"][-1]["epoch"]
        if saved_epoch != (epoch := best_epoch(epochs, run.selection)):
            raise RuntimeError(f"epoch {saved_epoch} was saved, but {epoch} is best")
        tokens = read_texts(binarized / "input0" / "train")  # without <s>
        tokens = tokens if rows is None else [tokens[row] for row in rows]
        cut = {path.name.split(".")[0]: read_json(path) for path in counts}
        if rows is not None:
            cut.pop("train", None)  # a part of them differs by seed
        found = {}
        started = time.monotonic()
        if model:
            if run.units:
                place = f"classification_heads.{HEAD}.out_proj."
                names = [place + part for part in ("weight", "bias")]
                scaled = run.units.layer(*(best["model"][name] for name in names))
                best["model"].update(zip(names, scaled, strict=True))
            launch.export_model(best, model)
            trained, task = load_model(model, binarized, device)
            started = time.monotonic()
            for split in ("valid", "test"):
                found[split] = class_probabilities(
                    trained, task, split, finetune["eval_batch_size"], device
                )
        outcome = Outcome(
            history=epochs,
            probabilities=found.get("test"),
            valid_probabilities=found.get("valid"),
            train_seconds=float(last["extra_state"]["previous_training_time"]),
            eval_seconds=time.monotonic() - started,
            updates=last["optimizer_history"][-1]["num_updates"],
            train_tokens=int(epochs["epoch"].max()) * sum(1 + len(text) for text in tokens),
            device=devices.name(device),
            shared=shared,
            details={"cut": cut},
        )
        write_run(run, outcome, history=history, predictions=predictions, metrics=metrics)


if __name__ == "__main__":
    with step(snakemake):
        counts = snakemake.input.get("counts", [])
        beside = {*snakemake.input.proof, *counts}
        main(
            # Without the proof, whose numbers may differ from machine to machine, and the counts.
            run=Run.of(
                snakemake,
                Path(__file__).stem,
                [path for path in snakemake.input if path not in beside],
                snakemake.input.pretrained,
            ),
            binarized=Path(snakemake.input.binarized[0]).parents[1],
            pretrained=Path(p[0]) if (p := snakemake.input.pretrained) else None,
            architecture=Path(p[0]) if (p := snakemake.input.architecture) else None,
            history=Path(snakemake.output.history),
            metrics=Path(snakemake.output.metrics),
            predictions=Path(p) if (p := snakemake.output.get("predictions")) else None,
            model=Path(p) if (p := snakemake.output.get("model")) else None,
            counts=[Path(path) for path in counts],
        )
