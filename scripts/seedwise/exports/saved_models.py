"""The models that a path stands for, in the form that answers quickest, at their temperatures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seedwise.errors import UserError
from seedwise.exports.forms import TRANSFORMERS, available, check, describe
from seedwise.files import read_json


def model_folders(path: Path) -> list[Path]:
    """Return the model folders that ``path`` stands for.

    A folder with a ``config.json`` is a model; a run's folder has one in ``model/``; an
    experiment's folder has a run for each seed.

    Raises:
        UserError: There is none, or a fairseq run was not exported.
    """
    if not path.is_dir():
        raise UserError(f"{path}: no such folder")
    if (path / "config.json").is_file():
        return [path]
    runs = sorted(path.glob("seed-*"), key=lambda run: (len(run.name), run.name)) or [path]
    missing = [run for run in runs if not (run / "model" / "config.json").is_file()]
    if not missing:
        return [run / "model" for run in runs]
    if all((run / "metrics.json").is_file() for run in missing):
        engine = read_json(missing[0] / "metrics.json").get("engine")
        mend = "write it with `make export CONFIG=…`" if engine == "fairseq" else "there is none"
        raise UserError(f"{missing[0]}: a {engine} run without a model's folder; {mend}")
    raise UserError(f"{path}: neither a model, nor a run, nor an experiment's folder of runs")


def is_linear(folder: Path) -> bool:
    """Tell whether the model in ``folder`` is a linear one, not one of transformers."""
    try:
        return read_json(folder / "config.json").get("engine") == "linear"
    except (ValueError, AttributeError):
        raise UserError(f"{folder}: its config.json is not that of a model") from None


def temperature_of(folder: Path) -> float:
    """Return the temperature that a model's run fitted on the validation split; 1 without one."""
    metrics = folder.parent / "metrics.json"
    if folder.name == "model" and metrics.is_file():
        return read_json(metrics).get("temperature", 1.0)
    return (describe(folder) or {}).get("temperature", 1.0)


def choose_form(folders: Sequence[Path], wanted: str | None, device: str) -> str:
    """Return the form in which models are asked: ``wanted``, or the quickest that all have.

    Raises:
        UserError: A model has no such form.
    """
    if wanted is None and device != "cpu":
        return TRANSFORMERS
    forms = [available(folder) for folder in folders]
    if wanted is None:
        return next(form for form in forms[0] if all(form in others for others in forms))
    for folder, others in zip(folders, forms, strict=True):
        if wanted not in others:
            about = describe(folder)
            if about is None:
                raise UserError(f"{folder}: has no ONNX; write it with `make export CONFIG=…`")
            check(folder, about, wanted)
    return wanted


class Calibrated:
    """A linear model at its temperature."""

    def __init__(self, model: Any, temperature: float) -> None:
        self.model, self.temperature = model, temperature
        self.labels, self.cut, self.reads_pairs = model.labels, model.cut, model.reads_pairs

    def probabilities(self, texts: list[str]) -> Any:
        """Return the probability of each label for each text, shape (texts, labels)."""
        from seedwise.predictions import temperature

        return temperature.apply(self.model.probabilities(texts), self.temperature)


def load(folders: list[Path], device: str, wanted: str | None = None) -> tuple[Any, str]:
    """Return the linear model in ``folders``, or the ensemble of the others, and their form.

    Each is at the temperature of its run.

    Raises:
        UserError: A linear model stands among others, or is wanted as ONNX.
    """
    linear = [folder for folder in folders if is_linear(folder)]
    if linear:
        if len(folders) > 1:
            raise UserError(
                f"{linear[0]}: a linear model votes with no other; leave out the others"
            )
        if wanted not in (None, TRANSFORMERS):
            raise UserError(f"{linear[0]}: a linear model has one form; leave out --runtime")
        from seedwise.models.linear import LinearModel

        return Calibrated(LinearModel.load(linear[0]), temperature_of(linear[0])), TRANSFORMERS
    # Seconds with transformers, so not for --help.
    from seedwise.exports.ensemble import Ensemble, Model

    form = choose_form(folders, wanted, device)
    models: list[Model]
    if form == TRANSFORMERS:
        from seedwise.exports.transformers_model import TransformersModel

        models = [TransformersModel(folder, device) for folder in folders]
    else:
        from seedwise.exports.onnx_model import OnnxModel

        models = []
        for folder in folders:
            about = describe(folder) or {}
            check(folder, about, form)
            models.append(OnnxModel(folder, form, about))
    return Ensemble(models, [temperature_of(folder) for folder in folders]), form
