"""One number by which a model's logits are divided, so that it is as sure as it is right.

Guo et al. 2017, "On Calibration of Modern Neural Networks" (ICML). It changes no prediction.
"""

import numpy as np

_LEAST = 1e-12  # of a probability whose logarithm is taken
_BOUNDS = (-3.0, 3.0)  # of the temperature's logarithm


def _log(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities, _LEAST))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities of logits, over the last axis.

    As `scipy.special.softmax`, which takes half a second to import where a model answers at once.
    """
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def fit(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature with the least log loss.

    Args:
        probabilities: Of the validation split, shape (texts, labels); logits up to a constant.
        labels: Class of each text, shape (texts,).
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    logits = _log(probabilities)

    def log_loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float((logsumexp(scaled, axis=1) - scaled[np.arange(len(labels)), labels]).mean())

    found = minimize_scalar(log_loss, bounds=_BOUNDS, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def apply(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return the probabilities at a temperature, shape as given, (..., labels)."""
    if temperature == 1:
        return probabilities
    return softmax(_log(probabilities) / temperature)
