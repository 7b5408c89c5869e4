import json
import os
import pickle
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file
from sklearn.feature_extraction.text import TfidfVectorizer

from seedwise.errors import UserError
from seedwise.models.linear import FEATURES, LinearModel, read
from support.linear_runs import make_run, train


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return train(make_run(folder, features=["words"]), folder)["model"]


@pytest.fixture
def copy(model, tmp_path):
    return shutil.copytree(model, tmp_path / "copy")


class Hostile:
    """Leaves a file where it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("file", ["config.json", "vocabulary.json", "model.safetensors"])
def test_a_pickle_in_place_of_a_file_is_refused_and_not_run(copy, tmp_path, file):
    (copy / file).write_bytes(pickle.dumps(Hostile(tmp_path / "mark")))
    with pytest.raises(UserError, match="no linear model") as error:
        LinearModel.load(copy)
    assert "\n" not in str(error.value) and not (tmp_path / "mark").exists()


HOSTILE_CONFIGS = {
    "a class to call": {"features": {"tokenizer": "os.system"}},
    "other n-grams": {"features": "builtins.eval"},
    "no labels": {"labels": None},
    "one label": {"labels": ["negative"]},
    "more labels": {"labels": ["negative", "neutral", "positive"]},
}


@pytest.mark.parametrize("change", HOSTILE_CONFIGS.values(), ids=HOSTILE_CONFIGS)
def test_a_configuration_that_does_not_fit_is_refused(copy, change):
    path = copy / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match="no linear model"):
        LinearModel.load(copy)


def weights(labels, terms, **changes):
    shapes = {"idf": (terms,), "coefficients": (labels, terms), "intercepts": (labels,)}
    return {name: np.ones(shape) for name, shape in (shapes | changes).items() if shape}


HOSTILE_WEIGHTS = {
    "none": lambda n: {"other": np.ones(3)},
    "too few columns": lambda n: weights(2, n, coefficients=(2, n - 1)),
    "too few rows": lambda n: weights(2, n, coefficients=(1, n)),
    "one intercept": lambda n: weights(2, n, intercepts=(1,)),
    "another idf": lambda n: weights(2, n, idf=(n + 1,)),
    "no idf": lambda n: weights(2, n, idf=None),
}


@pytest.mark.parametrize("make", HOSTILE_WEIGHTS.values(), ids=HOSTILE_WEIGHTS)
def test_weights_that_do_not_fit_are_refused(copy, make):
    count = len(json.loads((copy / "vocabulary.json").read_text()))
    save_file(make(count), copy / "model.safetensors")
    with pytest.raises(UserError, match="no linear model"):
        LinearModel.load(copy)


@pytest.mark.parametrize("vocabulary", [[], ["a", "a"], {"a": 7}, 3, [1, 2]])
def test_a_vocabulary_that_is_none_is_refused(copy, vocabulary):
    (copy / "vocabulary.json").write_text(json.dumps(vocabulary))
    with pytest.raises(UserError, match="no linear model"):
        LinearModel.load(copy)


def test_a_missing_file_is_one_message(copy):
    (copy / "vocabulary.json").unlink()
    with pytest.raises(UserError, match=r"no linear model .*vocabulary\.json"):
        LinearModel.load(copy)


def test_a_model_read_and_written_again_has_the_same_bytes(model, tmp_path):
    LinearModel.load(model).save(tmp_path / "again")
    for file in model.iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()


def test_pairs_are_read_as_both_texts_and_what_they_share():
    vectorizer = TfidfVectorizer(**FEATURES["words"]).fit(["a b", "b c", "good bad"])
    found = read(vectorizer, ["good thing\0bad good", "bad\0good"]).toarray()
    first = vectorizer.transform(["good thing", "bad"]).toarray()
    second = vectorizer.transform(["bad good", "good"]).toarray()
    assert (found == np.hstack([first, second, first * second])).all()
    assert first.any() and (first * second)[0].any() and not (first * second)[1].any()
