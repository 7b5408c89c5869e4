"""What a data set's configuration says of its labels; standard library only."""

import math
import operator
from collections.abc import Iterable
from typing import Any, NamedTuple

from seedwise.errors import UserError

Settings = dict[str, Any]

_COMPARED = {"above": operator.gt, "from": operator.ge, "below": operator.lt, "to": operator.le}


SCORE = "score"
"""What stands for the labels of a data set of scores: the name of its models' one output."""


def has_scores(settings: Settings) -> bool:
    """Return whether the texts of a data set have scores, not labels."""
    return "range" in settings


def label_names(settings: Settings) -> list[str]:
    """Return the names of the labels, in class order; `SCORE` alone where texts have scores."""
    return [SCORE] if has_scores(settings) else [str(label) for label in settings["labels"]]


class Units(NamedTuple):
    """How models learn scores: how far they are from the training split's mean, in ranges.

    So a training begins at the mean, and learning rates suit any range. Trained models give scores
    in the data's own units.

    Attributes:
        mean: The training split's mean score.
        width: The highest score that there may be, less the lowest.
    """

    mean: float
    width: float

    @classmethod
    def of(cls, audit: dict[str, Any]) -> "Units | None":
        """Return those of a data set's audit; None where texts have labels."""
        if "range" not in audit:
            return None
        low, high = audit["range"]
        return cls(audit["mean_score"]["score"], high - low)

    def learned(self, scores: Iterable[float]) -> list[float]:
        """Return what a model learns of each score."""
        return [(score - self.mean) / self.width for score in scores]

    def layer(self, weight: Any, bias: Any) -> tuple[Any, Any]:
        """Return a last layer's parameters with which it gives scores, not what it learned."""
        return weight * self.width, bias * self.width + self.mean


def are_rated(settings: Settings) -> bool:
    """Return whether each label is given by a range of ratings."""
    labels = settings.get("labels")
    return isinstance(labels, dict) and any(isinstance(value, dict) for value in labels.values())


def label_values(settings: Settings) -> dict[str, str]:
    """Return the label that each value of the column of labels stands for."""
    labels = settings["labels"]
    pairs = labels.items() if isinstance(labels, dict) else ((label, label) for label in labels)
    return {str(value): str(label) for label, value in pairs}


def value_column(settings: Settings) -> str:
    """Return the column that says the label, or the score."""
    if are_rated(settings) or settings.get("format") == "webis-cls":
        return str(settings.get("rating", "rating"))
    return str(settings.get("label", "label"))


def rated_label(ranges: dict[str, dict[str, float]], rating: float) -> str | None:
    """Return the label of a rating; None where it stands in no range."""
    for label, limits in ranges.items():
        if all(_COMPARED[key](rating, limit) for key, limit in limits.items()):
            return label
    return None


def _interval(limits: dict[str, float]) -> tuple[float, float, bool, bool]:
    """Return (low, high, low excluded, high excluded)."""
    low = limits.get("above", limits.get("from", -math.inf))
    high = limits.get("below", limits.get("to", math.inf))
    return low, high, "above" in limits, "below" in limits


def _check_ranges(key: str, ranges: dict[str, dict[str, float]]) -> None:
    previous = None
    for name, interval in sorted(
        ((name, _interval(limits)) for name, limits in ranges.items()), key=lambda item: item[1]
    ):
        low, high, over, under = interval
        if math.isnan(low) or math.isnan(high) or low > high or (low == high and (over or under)):
            raise UserError(f"{key}.labels.{name}: no rating is in this range")
        if previous is not None:
            other, end, open_end = previous
            if low < end or (low == end and not (over or open_end)):
                raise UserError(f"{key}.labels: the ranges of {other!r} and {name!r} overlap")
        previous = (name, high, under)


def check_labels(settings: Settings, key: str) -> None:
    """Raise a `UserError` if labels, or range, contradict each other or the format."""
    if has_scores(settings):
        low, high = settings["range"]
        if not -math.inf < low < high < math.inf:
            raise UserError(f"{key}.range: no scores from {low:g} to {high:g}; the lowest is first")
        return
    labels, names = settings["labels"], label_names(settings)
    if len(set(names)) < len(names):
        raise UserError(f"{key}.labels: a label stands there twice")
    if are_rated(settings):
        if plain := [name for name, value in labels.items() if not isinstance(value, dict)]:
            raise UserError(f"{key}.labels.{plain[0]}: no range, where other labels have one")
        if settings["format"] == "review-label":
            raise UserError(f"{key}.labels: ranges need a rating; review-label has none")
        _check_ranges(key, labels)
    elif len(label_values(settings)) < len(names):
        raise UserError(f"{key}.labels: two labels have the same value")
    elif settings["format"] == "webis-cls":
        raise UserError(f"{key}.labels: webis-cls has ratings; give each label its range")
