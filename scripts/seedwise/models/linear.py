"""A linear model, logistic or ridge regression on TF-IDF, in files of names and numbers alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save
from scipy.sparse import csr_matrix, hstack
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge

from seedwise.data.texts import BETWEEN, parts
from seedwise.errors import UserError, one_line
from seedwise.files import read_json, write_json
from seedwise.study.labels import Units

FEATURES: dict[str, dict[str, Any]] = {
    "words": {"analyzer": "word", "ngram_range": (1, 2), "sublinear_tf": True},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True},
}
"""The arguments of `TfidfVectorizer` for each kind of n-grams; all others are its defaults."""


def read(vectorizer: TfidfVectorizer, texts: Iterable[str]) -> csr_matrix:
    """Return what a fitted vectorizer reads in texts, shape (texts, n-grams).

    In pairs (`seedwise.data.texts`) the n-grams of the first text, those of the second one and
    those that both have, by the product of their values: shape (texts, 3 n-grams).
    """
    return beside([vectorizer.transform(column) for column in parts(texts) if column is not None])


def beside(columns: Sequence[csr_matrix]) -> csr_matrix:
    """Return what `read` gives of texts, or of the first and the second texts of pairs."""
    if len(columns) == 1:
        return columns[0]
    first, second = columns
    return hstack([first, second, first.multiply(second)], format="csr")


@dataclass(frozen=True)
class LinearModel:
    """A trained classifier, or a model of scores.

    Attributes:
        labels: The labels, in class order; one alone of a model of scores.
        features: One of `FEATURES`.
        vectorizer: Fitted on the training texts.
        coefficients: Shape (labels, n-grams); of a model of pairs, (labels, 3 n-grams).
        intercepts: Shape (labels,); minus infinity for a label that no training text has.
        cut: How many texts it read in part: none, however long.
    """

    labels: list[str]
    features: str
    vectorizer: TfidfVectorizer
    coefficients: np.ndarray
    intercepts: np.ndarray
    cut: ClassVar[int] = 0

    @classmethod
    def of(
        cls,
        labels: list[str],
        features: str,
        vectorizer: TfidfVectorizer,
        classifier: LogisticRegression | Ridge,
    ) -> "LinearModel":
        """Return the model of a ``classifier`` that was trained on indices of ``labels``.

        Or that of a ridge regression of scores, which has one label.
        """
        if isinstance(classifier, Ridge):
            weights = classifier.coef_[None, :], np.array([classifier.intercept_])
            return cls(labels, features, vectorizer, *weights)
        coefficients = np.zeros((len(labels), classifier.coef_.shape[1]))
        intercepts = np.full(len(labels), -np.inf)
        # Of two classes, scikit-learn keeps what the second has beyond the first.
        intercepts[classifier.classes_] = 0.0
        rows = classifier.classes_[-len(classifier.coef_) :]
        coefficients[rows], intercepts[rows] = classifier.coef_, classifier.intercept_
        return cls(labels, features, vectorizer, coefficients, intercepts)

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Return the probability of each label for each text, or its score: (texts, labels)."""
        tfidf = read(self.vectorizer, texts)
        if tfidf.shape[1] != self.coefficients.shape[1]:
            one, other = ("pairs", "single texts") if self.reads_pairs else ("texts", "pairs")
            raise UserError(f"a linear model of {one} cannot read {other}")
        return self.probabilities_of(tfidf)

    @property
    def reads_pairs(self) -> bool:
        """Whether it reads pairs of texts."""
        return self.coefficients.shape[1] > len(self.vectorizer.idf_)

    def probabilities_of(self, tfidf: csr_matrix) -> np.ndarray:
        """Return the same for texts that `read` has read."""
        logits = tfidf @ self.coefficients.T + self.intercepts
        return logits if len(self.labels) == 1 else softmax(logits, axis=1)

    def in_units(self, units: Units) -> "LinearModel":
        """Return the model that gives scores in the data's own units, not what it learned."""
        coefficients, intercepts = units.layer(self.coefficients, self.intercepts)
        return replace(self, coefficients=coefficients, intercepts=intercepts)

    def save(self, folder: Path) -> None:
        """Write the model's files into a new folder."""
        folder.mkdir()
        config = {"engine": "linear", "labels": self.labels, "features": self.features}
        if self.reads_pairs:
            config["pairs"] = True
        write_json(folder / "config.json", config)
        write_json(folder / "vocabulary.json", self.vectorizer.get_feature_names_out().tolist())
        weights = {"idf": self.vectorizer.idf_, "coefficients": self.coefficients}
        weights["intercepts"] = self.intercepts
        (folder / "model.safetensors").write_bytes(save(weights))

    @classmethod
    def load(cls, folder: Path) -> "LinearModel":
        """Read a model that `save` wrote.

        Raises:
            UserError: Its files are not those of a linear model, or do not fit each other.
        """
        try:
            config = read_json(folder / "config.json")
            labels, features = config["labels"], config["features"]
            vocabulary = read_json(folder / "vocabulary.json")
            weights = load_file(folder / "model.safetensors")
            vectorizer = TfidfVectorizer(vocabulary=vocabulary, **FEATURES[features])
            vectorizer.idf_ = weights["idf"]
            columns = (3 if config.get("pairs") else 1) * len(vocabulary)
            coefficients = weights["coefficients"].reshape(len(labels), columns)
            intercepts = weights["intercepts"].reshape(len(labels))
            model = cls(labels, features, vectorizer, coefficients, intercepts)
            # Fails where types do not fit.
            model.probabilities([BETWEEN if model.reads_pairs else ""])
        except (OSError, LookupError, TypeError, ValueError, SafetensorError) as error:
            raise UserError(f"{folder}: no linear model ({one_line(error)})") from None
        return model
