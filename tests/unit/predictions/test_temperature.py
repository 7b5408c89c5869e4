import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from seedwise.predictions import temperature


@pytest.fixture(params=[0.4, 1.0, 3.0], ids=lambda sharpness: f"{sharpness} times as sure")
def predicted(request):
    """Labels drawn from known probabilities, and these with the logits multiplied; the factor."""
    rng = np.random.default_rng(1)
    logits = rng.normal(scale=2, size=(5000, 3))
    labels = np.array([rng.choice(3, p=row) for row in softmax(logits, axis=1)])
    return softmax(logits * request.param, axis=1), labels, request.param


def test_the_logits_scale_is_found(predicted):
    probabilities, labels, sharpness = predicted
    assert temperature.fit(probabilities, labels) == pytest.approx(sharpness, rel=0.06)


def test_no_other_temperature_has_a_smaller_log_loss(predicted):
    probabilities, labels, _ = predicted
    found = temperature.fit(probabilities, labels)
    losses = {
        t: log_loss(labels, temperature.apply(probabilities, t))
        for t in (found, *np.geomspace(0.05, 20, 41))
    }
    assert min(losses, key=losses.get) == found


def test_no_prediction_changes(predicted):
    probabilities, _, _ = predicted
    for t in (0.1, 0.9, 7.0):
        cooled = temperature.apply(probabilities, t)
        assert (cooled.argmax(axis=1) == probabilities.argmax(axis=1)).all()
        assert cooled.sum(axis=1) == pytest.approx(1)
    assert temperature.apply(probabilities, 1.0) is probabilities


def test_a_certain_model_that_is_right_or_wrong_gets_a_finite_one():
    certain = np.eye(2)[[0, 1, 0, 1]]
    for labels in ([0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 0]):
        found = temperature.fit(certain, np.array(labels))
        assert 0.04 < found < 21
        assert np.isfinite(temperature.apply(certain, found)).all()
