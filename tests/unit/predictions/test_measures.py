import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error

from seedwise.predictions import measures


def test_classes_are_measured_as_scikit_learn_does():
    rng = np.random.default_rng(0)
    labels, logits = rng.integers(0, 3, 50), rng.normal(size=(50, 3))
    found, best = measures.class_measures(labels, logits), logits.argmax(axis=1)
    assert found["accuracy"] == accuracy_score(labels, best)
    assert found["macro_f1"] == pytest.approx(f1_score(labels, best, average="macro"))
    assert measures.measured(labels, logits) == found


def test_scores_are_measured_as_scipy_and_scikit_learn_do():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 6, 50)  # with ties
    predicted = (scores + rng.normal(size=50)).round(1)
    found = measures.score_measures(scores, predicted)
    assert found["pearson"] == pytest.approx(stats.pearsonr(scores, predicted).statistic)
    assert found["spearman"] == pytest.approx(stats.spearmanr(scores, predicted).statistic)
    assert found["mae"] == pytest.approx(mean_absolute_error(scores, predicted))
    history = measures.measured(scores, predicted[:, None].astype(np.float32))
    assert history == {"pearson": pytest.approx(found["pearson"], abs=1e-6)}


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_what_is_constant_goes_with_nothing(value):
    constant = np.full(7, value)
    assert measures.pearson(np.arange(7.0), constant) == 0
    assert measures.pearson(constant, constant) == 0


def test_sums_of_batches_are_the_whole():
    torch = pytest.importorskip("torch")
    from seedwise.predictions.scores import sums

    rng = torch.Generator().manual_seed(0)
    x, y = torch.randn(40, generator=rng), torch.randn(40, generator=rng)
    total = sum(sums(x[part : part + 7], y[part : part + 7]) for part in range(0, 40, 7))
    expected = stats.pearsonr(x.numpy(), y.numpy()).statistic
    assert measures.pearson_of(40, total.tolist()) == pytest.approx(expected, abs=1e-6)
