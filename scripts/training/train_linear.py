"""Train a linear model on TF-IDF, chosen on the validation split; predict the test split once.

Of labels it is logistic regression, of scores ridge regression.

Inputs: the data set's splits and audit. Outputs: the files of the run contract (``history.csv``,
where an epoch is a candidate, ``predictions.csv``, ``metrics.json``) and the folder ``model``: the
first candidate that is best on the validation split. A candidate of the study's own search has
history and metrics alone: it never reads the test split.
"""

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, mean_squared_error
from threadpoolctl import threadpool_limits

from seedwise.data.texts import parts, text_of, word_count
from seedwise.environment import processor_name
from seedwise.errors import UserError
from seedwise.files import atomic
from seedwise.machine.progress import Reporter
from seedwise.models.linear import FEATURES, LinearModel, beside, read
from seedwise.predictions.measures import measured
from seedwise.step import step
from seedwise.study.selection import MAIN, epochs_without_gain, main_measure
from seedwise.training.runs import Outcome, Run, best_epoch, write_run

logger = logging.getLogger(__name__)

ITERATIONS = 1000
"""More than the solver needs; it stops by itself."""

TOLERANCE = 1e-8
"""Of ridge regression: nearer to the solution than any score is written."""


def read_training_texts(vectorizer: TfidfVectorizer, texts: list[str], features: str) -> Any:
    """Fit the vectorizer on the training texts, each of a pair; return what it reads in them.

    Raises:
        UserError: They have no such n-grams at all.
    """
    try:
        found = vectorizer.fit_transform([text for column in parts(texts) for text in column or ()])
    except ValueError as error:
        if "empty vocabulary" not in str(error):
            raise
        raise UserError(
            f"linear.features: {features!r} finds nothing in the training texts; "
            f"leave it out of {', '.join(FEATURES)}"
        ) from None
    count = len(texts)
    return beside([found[begun : begun + count] for begun in range(0, found.shape[0], count)])


def train(run: Run) -> tuple[pd.DataFrame, list[dict[str, Any]], int, LinearModel]:
    """Try every candidate.

    Returns:
        The history, what the candidates are, the solver's iterations over all of them, and the
        first of the best models by the study's `selection`.
    """
    settings, labels = run.hyperparameters, run.labels
    main = main_measure(run.units is not None)
    records = {split: run.texts(split) for split in ("train", "valid")}
    texts = {split: list(map(text_of, part)) for split, part in records.items()}
    truth = {split: run.targets(part) for split, part in records.items()}
    progress = Reporter(len(settings["features"]) * len(settings["C"]))
    weights = run.class_weights()
    weights = dict(enumerate(weights)) if weights else None
    rows: list[dict[str, Any]] = []
    candidates: list[dict[str, Any]] = []
    scores: list[float] = []
    iterations, best = 0, None
    for features in settings["features"]:
        vectorizer = TfidfVectorizer(**FEATURES[features])
        tfidf = {
            "train": read_training_texts(vectorizer, texts["train"], features),
            "valid": read(vectorizer, texts["valid"]),
        }
        for c in settings["C"]:
            if run.units:  # as much weight to the errors as C means
                trained = Ridge(alpha=1 / (2 * c), solver="lsqr", tol=TOLERANCE)
            else:
                trained = LogisticRegression(C=c, max_iter=ITERATIONS, class_weight=weights)
            trained.fit(tfidf["train"], truth["train"])
            iterations += int(np.max(trained.n_iter_))
            model = LinearModel.of(labels, features, vectorizer, trained)
            for split in ("train", "valid"):
                found = model.probabilities_of(tfidf[split])
                row = {"epoch": len(candidates) + 1, "split": split}
                if run.units:
                    row["loss"] = mean_squared_error(truth[split], found[:, 0])
                else:
                    row["loss"] = log_loss(truth[split], found, labels=range(len(labels)))
                rows.append(row | measured(truth[split], found))
            scores.append(rows[-1][run.selection])
            if epochs_without_gain(scores, run.selection) == 0:
                best = model
            reached = rows[-1][main]
            candidates.append({"features": features, "C": c, f"valid_{main}": reached})
            logger.info("%s, C = %g: validation %s %.4f", features, c, MAIN[main], reached)
            progress.report(len(candidates), rows[-2]["loss"], rows[-2].get("accuracy"))
    assert best is not None
    if run.units:
        best = best.in_units(run.units)
    return pd.DataFrame(rows), candidates, iterations, best


def main(
    *,
    run: Run,
    history: Path,
    metrics: Path,
    predictions: Path | None = None,
    model: Path | None = None,
) -> None:
    """Train, predict, write the run.

    A candidate of a search neither predicts nor keeps its model.
    """
    started = time.monotonic()
    # Other threads would add up in another order, and take longer.
    with threadpool_limits(run.hyperparameters["threads"]):
        rows, candidates, iterations, best = train(run)
    logger.info("chosen: %s", candidates[best_epoch(rows, run.selection) - 1])
    trained = time.monotonic()
    found = {}
    if predictions:
        for split in ("valid", "test"):
            found[split] = best.probabilities(list(map(text_of, run.texts(split))))
    words = sum(map(word_count, map(text_of, run.texts("train"))))
    outcome = Outcome(
        history=rows,
        probabilities=found.get("test"),
        valid_probabilities=found.get("valid"),
        train_seconds=trained - started,
        eval_seconds=time.monotonic() - trained,
        updates=iterations,
        train_tokens=words * len(candidates),
        device=processor_name(),
        shared=run.shared(run.hyperparameters | {"device": "cpu"}, "scikit-learn"),
        details={"candidates": candidates},
    )
    if model:
        with atomic(model) as folder:
            best.save(folder)
    write_run(run, outcome, history=history, predictions=predictions, metrics=metrics)


if __name__ == "__main__":
    with step(snakemake):
        main(
            run=Run.of(snakemake, Path(__file__).stem, snakemake.input.data),
            history=Path(snakemake.output.history),
            metrics=Path(snakemake.output.metrics),
            predictions=Path(p) if (p := snakemake.output.get("predictions")) else None,
            model=Path(p[0]).parent if (p := snakemake.output.get("folder")) else None,
        )
