import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import analyse_predictions
from seedwise.results import mistakes
from seedwise.results.mistakes import Predictions
from support import synthetic_study

LABELS = ["a", "b", "c"]
TEXTS = 300


def make(experiment="x", engine="fairseq", seeds=3, rng=None):
    rng = rng or np.random.default_rng(len(experiment))
    truth = np.random.default_rng(0).integers(0, 3, TEXTS)
    logits = rng.normal(size=(seeds, TEXTS, 3)) + 1.5 * np.eye(3)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    ids = [str(number) for number in range(TEXTS)]
    temperatures = np.linspace(1.5, 2, seeds)
    return Predictions("d", experiment, engine, LABELS, ids, truth, probabilities, temperatures)


def test_confusion_is_scikit_learns_mean_over_seeds():
    runs = make()
    expected = [metrics.confusion_matrix(runs.truth, own) for own in runs.predicted]
    assert mistakes.confusion(runs) == pytest.approx(np.mean(expected, axis=0))


def calibration_error(runs, probabilities):
    """Return the expected calibration error, bin by bin and written out."""
    confidence, right = probabilities.max(axis=-1).ravel(), runs.correct.ravel()
    error = 0.0
    for low in np.arange(0, 1, 0.1):
        inside = (confidence >= low) & (confidence < low + 0.1)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return error


def test_calibration_against_other_calculations():
    runs = make()
    found = mistakes.calibration(runs)
    losses = [metrics.log_loss(runs.truth, p) for p in runs.probabilities]
    assert found["log_loss"] == pytest.approx(np.mean(losses))
    truth = np.eye(3)[runs.truth]
    brier = [
        sum(metrics.brier_score_loss(truth[:, k], p[:, k]) for k in range(3))
        for p in runs.probabilities
    ]
    assert found["brier"] == pytest.approx(np.mean(brier))
    assert found["ece"] == pytest.approx(calibration_error(runs, runs.probabilities))
    cooled = [p ** (1 / t) for p, t in zip(runs.probabilities, runs.temperatures, strict=True)]
    cooled = [own / own.sum(axis=-1, keepdims=True) for own in cooled]
    expected = calibration_error(runs, np.stack(cooled))
    assert found["ece_calibrated"] == pytest.approx(expected)
    assert found["temperature"] == pytest.approx(1.75)
    assert found["always_wrong"] == sum((~runs.correct).all(axis=0))
    assert 0 < found["always_right"] < TEXTS


def test_tables_of_a_study(tmp_path):
    folders = synthetic_study.write_study(tmp_path)
    outputs = {name: tmp_path / f"{name}.csv" for name in analyse_predictions.COLUMNS}
    analyse_predictions.main(
        metrics=[folder / "metrics.json" for folder in folders],
        predictions=[folder / "predictions.csv" for folder in folders],
        tests={"reviews": tmp_path / "data/reviews/test.jsonl"},
        outputs=outputs,
    )
    tables = {name: pd.read_csv(path) for name, path in outputs.items()}
    for name, columns in analyse_predictions.COLUMNS.items():
        assert list(tables[name]) == columns
    assert tables["calibration"]["accuracy"].tolist() == pytest.approx(
        [sum(right) / 1200 for right in synthetic_study.RIGHT.values()]
    )
    confusion = tables["confusion"].query("experiment == 'fairseq-random'")
    assert confusion["texts"].sum() == pytest.approx(400)
    assert len(tables["agreement"]) == 6
    split = tables["disagreements"]
    assert set(split["experiment"]) <= set(synthetic_study.RIGHT) and len(split)
    assert set(split["votes"]) == {"negative 1, positive 2", "negative 2, positive 1"}
    assert tables["calibration"]["vote_accuracy"].between(0.6, 0.9).all()
    assert tables["mistakes"]["text"].str.startswith("Text ").all()
