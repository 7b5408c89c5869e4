"""Fine-tune one experiment at one seed with transformers' Trainer, and predict the test split once.

Inputs: the data set's splits and audit, and a transformers folder to start from or, for a random
start without one, the files of the tokenizer. Outputs: the files of the run contract
(``history.csv``, ``predictions.csv``, ``metrics.json``) and the folder ``model``: the weights of
the first epoch that is best on the validation split, with tokenizer. A candidate of a search has
history and metrics alone: it never reads the test split.
"""

import shutil
import sys
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__" and "adapter" not in snakemake.params.settings["finetune"]:
    sys.modules["peft"] = None  # type: ignore[assignment]  # a second of imports, for adapters

import torch
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.trainer import TRAINER_STATE_NAME

from seedwise.files import atomic
from seedwise.machine import device as devices
from seedwise.machine import distributed
from seedwise.machine.scratch import training_scratch
from seedwise.machine.stopping import saving_first
from seedwise.models.classification import (
    Example,
    class_probabilities,
    count_cut,
    encode,
    mark_pairs,
)
from seedwise.models.conversion import build_tokenizer, named_outputs, roberta_config
from seedwise.models.transformers_layers import accelerate, length_multiple
from seedwise.predictions.measures import measured
from seedwise.predictions.scores import give_units, last_layer
from seedwise.step import step
from seedwise.study.selection import DIRECTIONS
from seedwise.training.classifier_training import (
    ClassifierTrainer,
    EpochOrder,
    Patience,
    TrainingHistory,
    history_table,
    is_exhausted,
)
from seedwise.training.runs import Outcome, Run, best_epoch, write_run
from seedwise.training.trainer import log_progress, training_arguments
from seedwise.training.trainer_checkpoints import Checkpoints, last_whole_checkpoint


def finetuning_arguments(
    finetune: dict[str, Any], *, updates: int, selection: str, seed: int, scratch: Path
) -> TrainingArguments:
    """Return the arguments of a fine-tuning whose learning rate is zero after ``updates``.

    ``finetune`` is what `devices.prepare` returns, ``selection`` that of the study.
    """
    return training_arguments(
        finetune,
        seed=seed,
        scratch=scratch,
        num_train_epochs=finetune["epochs"],
        per_device_eval_batch_size=finetune["eval_batch_size"],
        lr_scheduler_type="linear",
        warmup_steps=round(finetune["warmup_ratio"] * updates),
        optim="adamw_torch_fused",
        adam_beta1=finetune["adam_betas"][0],
        adam_beta2=finetune["adam_betas"][1],
        adam_epsilon=finetune["adam_eps"],
        train_sampling_strategy="group_by_length" if finetune["group_by_length"] else "random",
        eval_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=True,
        metric_for_best_model=selection,  # the first of equal epochs stays the best
        greater_is_better=DIRECTIONS[selection] > 0,
        logging_strategy="epoch",
        average_tokens_across_devices=False,  # our loss is a mean over texts, of each process
    )


def examples_of(run: Run, split: str, tokenizer: PreTrainedTokenizerBase) -> list[Example]:
    """Return what the model reads of each text of a split, and what it learns of it."""
    records = run.texts(split)
    read = zip(encode(records, tokenizer), run.targets(records), strict=True)
    return [example | {"labels": target} for example, target in read]


def initial_model(
    labels: list[str], settings: dict[str, Any], start: Path | None
) -> PreTrainedModel:
    """Return a classifier in float32, as the run's ``settings`` ask for it.

    Its sizes come from the folder ``start``, where there is one, and its weights too unless the
    start is random.
    """
    if start is None:
        config = roberta_config(settings["architecture"], labels)
    else:
        config = AutoConfig.from_pretrained(start, **named_outputs(labels))
    if settings["init"] == "random":
        return AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
    return AutoModelForSequenceClassification.from_pretrained(
        start, config=config, dtype=torch.float32
    )


def trained_model(
    run: Run, finetune: dict[str, Any], start: Path | None, kept: Path
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Return the classifier of the checkpoint ``kept``, and what ``metrics.json`` tells of it."""
    if "adapter" not in finetune:
        return AutoModelForSequenceClassification.from_pretrained(kept, dtype=torch.float32), {}
    from peft import PeftModel

    from seedwise.training.adapters import trainable_parameters

    # Its head is the adapter's.
    base = initial_model(run.labels, run.settings, start)
    adapted = PeftModel.from_pretrained(base, kept, is_trainable=True)
    details = {"trainable_parameters": trainable_parameters(adapted)}
    return adapted.merge_and_unload(), details


def train(
    run: Run,
    finetune: dict[str, Any],
    start: Path | None,
    splits: dict[str, list[Example]],
    collator: DataCollatorWithPadding,
    updates: int,
    scratch: Path,
    checkpoint: Path | None,
) -> None:
    """Train, from a checkpoint if there is one; state and best model stay in the scratch."""
    if checkpoint:
        state = checkpoint / TRAINER_STATE_NAME
        log = TrainerState.load_from_json(str(state)).log_history
        if is_exhausted(log, run.selection, finetune["patience"]):  # killed after its end
            shutil.copy(state, scratch)
            return
    set_seed(run.seed)
    epochs = TrainingHistory(None if run.units else run.class_weights())
    checkpoints = Checkpoints(finetune["checkpoint_updates"])
    patience = Patience(run.selection, finetune["patience"])
    network: torch.nn.Module = accelerate(initial_model(run.labels, run.settings, start))
    if run.units:
        last_layer(network)  # there is one
    if "adapter" in finetune:
        from seedwise.training.adapters import classifier_with_adapter

        network = classifier_with_adapter(network, finetune["adapter"])
    trainer = ClassifierTrainer(
        model=network,
        # Made here, because they look for the other processes.
        args=finetuning_arguments(
            finetune, updates=updates, selection=run.selection, seed=run.seed, scratch=scratch
        ),
        train_dataset=splits["train"],
        eval_dataset=splits["valid"],
        data_collator=collator,
        processing_class=collator.tokenizer,
        compute_metrics=lambda found: measured(found.label_ids, found.predictions),
        compute_loss_func=epochs.loss,
        callbacks=[checkpoints, epochs, EpochOrder(), patience],
    )
    log_progress(trainer, lines=False)
    with saving_first(checkpoints.save_now, finetune["checkpoint_minutes"]):
        trainer.train(resume_from_checkpoint=checkpoint)
    trainer.save_state()


def main(
    *,
    run: Run,
    start: Path | None,
    tokenizer_files: list[Path],
    history: Path,
    metrics: Path,
    predictions: Path | None = None,
    model: Path | None = None,
) -> None:
    """Train, or go on where a killed job stopped; then predict and write the run.

    ``tokenizer_files`` (SentencePiece model, ``dict.txt``) serve a random start without a folder
    to ``start`` from. A candidate of a search neither predicts nor keeps its model.
    """
    finetune = devices.prepare(run.finetune)
    device, shared = finetune["device"], run.shared(finetune, "transformers", "torch")
    if start is None:
        positions = run.settings["architecture"]["max_positions"]
        longest = min(positions, run.settings["model_source"].get("max_tokens", positions))
        tokenizer = build_tokenizer(tokenizer_files[0], tokenizer_files[-1], longest)
    else:
        tokenizer = AutoTokenizer.from_pretrained(start)
    splits = {
        split: examples_of(run, split, tokenizer)
        for split in ("train", "valid", *(["test"] if predictions else []))
    }
    cut = {
        split: count_cut(run.texts(split), examples, tokenizer)
        for split, examples in splits.items()
        if split != "train" or run.train_rows() is None  # a part of them differs by seed
    }
    valid = list(splits["valid"])  # in the order of the file
    splits["valid"].sort(key=lambda example: len(example["input_ids"]))
    collator = DataCollatorWithPadding(
        tokenizer, pad_to_multiple_of=length_multiple(tokenizer.model_max_length)
    )
    updates = finetune["epochs"] * -(-len(splits["train"]) // finetune["batch_size"])
    with training_scratch(history.parent, run.resume_key(shared)) as scratch:
        distributed.run(
            finetune["processes"],
            train,
            run,
            finetune,
            start,
            splits,
            collator,
            updates,
            scratch,
            last_whole_checkpoint(scratch),
        )
        state = TrainerState.load_from_json(str(scratch / TRAINER_STATE_NAME))
        rows = history_table(state.log_history)
        best = best_epoch(rows, run.selection)
        best_updates = best * updates // finetune["epochs"]
        kept = str(state.best_model_checkpoint)
        if not kept.endswith(f"checkpoint-{best_updates}"):
            raise RuntimeError(f"{kept} was kept, but epoch {best} is best")
        found, details = {}, {}
        started = time.monotonic()
        if model:
            network, details = trained_model(run, finetune, start, Path(kept))
            if run.units:
                give_units(network, run.units)
            network = accelerate(network)
            started = time.monotonic()
            for split, examples in (("valid", valid), ("test", splits["test"])):
                found[split] = class_probabilities(
                    network.to(device), examples, collator, finetune["eval_batch_size"]
                )
            mark_pairs(network, run.pairs)
            with atomic(model) as folder:
                network.save_pretrained(folder)
                tokenizer.save_pretrained(folder)
        outcome = Outcome(
            history=rows,
            probabilities=found.get("test"),
            valid_probabilities=found.get("valid"),
            train_seconds=max(entry.get("seconds", 0.0) for entry in state.log_history),
            eval_seconds=time.monotonic() - started,
            updates=state.global_step,
            train_tokens=int(rows["epoch"].max())
            * sum(len(example["input_ids"]) for example in splits["train"]),
            device=devices.name(device),
            shared=shared,
            details={"cut": cut} | details,
        )
        write_run(run, outcome, history=history, predictions=predictions, metrics=metrics)


if __name__ == "__main__":
    with step(snakemake):
        start = Path(files[0]).parent if (files := snakemake.input.start) else None
        # All of the folder: its tokenizer's files have names of their own.
        files = sorted(start.iterdir()) if start else []
        main(
            run=Run.of(
                snakemake,
                Path(__file__).stem,
                [*snakemake.input.data, *snakemake.input.tokenizer, *files],
                files,
            ),
            start=start,
            tokenizer_files=[Path(path) for path in snakemake.input.tokenizer],
            history=Path(snakemake.output.history),
            metrics=Path(snakemake.output.metrics),
            predictions=Path(p) if (p := snakemake.output.get("predictions")) else None,
            model=Path(p[0]).parent if (p := snakemake.output.get("folder")) else None,
        )
