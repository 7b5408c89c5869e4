import jsonschema
import pytest
import yaml
from referencing import Registry, Resource

from seedwise.errors import UserError
from seedwise.study.datasets import (
    check_dataset,
    check_sizes,
    dataset_inputs,
    file_names,
    given_files,
    split_zones,
    unlabelled_settings,
)
from support import ROOT

SCHEMA = yaml.safe_load((ROOT / "rules/schemas/dataset.schema.yaml").read_text(encoding="utf-8"))
SHA = "0" * 64
TABLE = {
    "source": {"path": "data.csv"},
    "format": "table",
    "labels": ["no", "yes"],
    "splits": {"valid": 10, "test": 10},
}
PAIR = {"source": {"path": "cls.zip"}, "format": "review-label", "labels": [0, 1]}
WEBIS = {
    "source": {"path": "webis.tar.gz"},
    "format": "webis-cls",
    "language": "fr",
    "domain": "books",
    "labels": {"0": {"below": 3}, "1": {"above": 3}},
    "splits": {"valid": 400},
}


def without(settings, *keys):
    return {key: value for key, value in settings.items() if key not in keys}


def errors(settings, schema=SCHEMA):
    return list(jsonschema.Draft202012Validator(schema).iter_errors(settings))


def test_the_schema_is_one_and_describes_every_key():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def walk(node, path):
        for name, child in node.get("properties", {}).items():
            if child is False:
                continue
            target = child
            if "$ref" in child:
                target = SCHEMA["$defs"][child["$ref"].rsplit("/", 1)[1]] | child
            assert "description" in target, f"{path}.{name}"
            walk(target, f"{path}.{name}")
        if "properties" in node and node.get("type") == "object":
            assert node["additionalProperties"] is False, path

    walk(SCHEMA, "")
    for name, definition in SCHEMA["$defs"].items():
        walk(definition, name)


@pytest.mark.parametrize(
    "settings",
    [
        TABLE,
        PAIR,
        WEBIS,
        TABLE | {"file": ["a.csv", "b.csv"], "dialect": "csv", "text": "body", "balanced": False},
        without(TABLE, "splits") | {"files": {"train": "a", "valid": "b", "test": "c"}},
        PAIR | {"file": {"text": "a.txt", "label": "b.txt"}, "splits": {"valid": 2, "test": 2}},
        TABLE | {"splits": {"train": 0.7, "valid": 0.1, "test": 0.2}},
        TABLE | {"splits": {"train": 100, "valid": 10, "test": 0.2}, "zones": {"valid": 0.5}},
        WEBIS | {"zones": {"valid": 0.3}},
        TABLE | {"unlabelled": {"files": ["more.txt"], "format": "lines"}},
        TABLE | {"source": {"url": "https://example.org/a.zip"}},
        TABLE | {"source": {"package": "a==1.0", "sha256": SHA, "distribution": "wheel"}},
        TABLE | {"source": {"hub": "a/b", "revision": "main", "type": "dataset"}},
        *yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["datasets"].values(),
    ],
)
def test_what_is_allowed(settings):
    assert not errors(settings)
    check_dataset(settings, "d")


@pytest.mark.parametrize(
    "change",
    [
        {"sorce": 1},
        {"format": "excel"},
        {"labels": ["one"]},
        {"labels": ["a", "a"]},
        {"labels": [True, False]},
        {"labels": {"a": {"below": "1e-5"}, "b": {"above": 1}}},
        {"labels": {"a": {"below": 1, "to": 1}, "b": {"above": 1}}},
        {"labels": {"a": {}, "b": {"above": 1}}},
        {"splits": {}},
        {"splits": {"valid": 0}},
        {"splits": {"valid": -0.1}},
        {"splits": {"valid": "10%"}},
        {"zones": {"train": 0.5}},
        {"zones": {"test": 1}},
        {"zones": {}},
        {"splits": {"validation": 5}},
        {"file": "a", "files": {"train": "b"}},
        {"files": {"valid": "b"}},
        {"file": {"text": "a"}},
        {"unlabelled": {}},
        {"unlabelled": {"files": ["a"], "source": {"path": "b"}}},
        {"source": {}},
        {"source": {"path": "a", "url": "https://a.org/b"}},
        {"source": {"package": "a==1"}},
        {"source": {"package": "a>=1", "sha256": SHA}},
        {"source": {"package": "a==1 --index-url=https://evil.org", "sha256": SHA}},
        {"source": {"url": "file:///etc/passwd"}},
        {"source": {"url": "https://a.org/b", "sha256": "ABC"}},
        {"source": {"hub": "a/b", "revision": "main"}},
        {"source": {"hub": "a/b", "revision": "main", "type": "dataset", "sha256": SHA}},
        {"source": {"path": "a", "revision": "main"}},
        {"format": "webis-cls"},
        {"language": "fr"},
        {"source": {"url": "https://[::1/b"}},
        {"source": {"path": "a\0b"}},
    ],
)
def test_what_the_schema_refuses(change):
    assert errors(TABLE | change)


def test_located_and_source_serve_other_schemas():
    registry = Registry().with_resource("dataset.schema.yaml", Resource.from_contents(SCHEMA))
    other = {"$schema": SCHEMA["$schema"], "$ref": "dataset.schema.yaml#/$defs/located"}
    validator = jsonschema.Draft202012Validator(other, registry=registry)
    assert validator.is_valid({"source": {"path": "a"}, "folder": "b"})
    assert not validator.is_valid({"source": {"path": "a", "hub": "b"}})
    assert not validator.is_valid({"source": {"path": "a"}, "file": "b"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (TABLE | {"splits": {"valid": 10}}, "d.splits: test is missing; give its size or"),
        (without(TABLE, "splits"), "d.splits: valid is missing"),
        (
            TABLE | {"files": {"train": "a", "valid": "b"}},
            "d.splits.valid: valid has a file already",
        ),
        (TABLE | {"splits": {"valid": 1, "test": 5}}, "d.splits.valid: 1 texts for 2 labels"),
        (TABLE | {"splits": {"valid": 2.5, "test": 5}}, "d.splits.valid: 2.5 is no whole number"),
        (TABLE | {"splits": {"valid": 0.5, "test": 0.5}}, "d.splits: test, valid and train do not"),
        (
            TABLE | {"splits": {"train": 0.61, "valid": 10, "test": 10}},
            r"do not fit.*0.25 for test, 0.15 for valid",
        ),
        (TABLE | {"zones": {"test": 0.9}}, "must be 1 together at most"),
        (WEBIS | {"zones": {"test": 0.3}}, "d.zones.test: only .* number .*; test is not drawn"),
        (
            TABLE | {"splits": {"valid": 0.2, "test": 5}, "zones": {"valid": 0.3}},
            "d.zones.valid: only .*; that of valid is its share",
        ),
        (TABLE | {"file": {"text": "a", "label": "b"}}, "d: only review-label has files of"),
        (WEBIS | {"labels": [0, 1]}, "d.labels: webis-cls has ratings"),
    ],
)
def test_contradictions(settings, message):
    with pytest.raises(UserError, match=message):
        check_dataset(settings, "d")


@pytest.mark.parametrize(
    ("splits", "zones", "expected"),
    [
        ({"valid": 9, "test": 9}, {}, {"test": (0, 0.25), "train": (0.25, 0.85)}),
        ({"valid": 9, "test": 9}, {"test": 0.3}, {"test": (0, 0.3), "valid": (0.85, 1)}),
        ({"valid": 9}, {}, {"train": (0, 0.85), "valid": (0.85, 1)}),
        ({"valid": 0.5, "test": 0.25}, {}, {"train": (0.25, 0.5), "valid": (0.5, 1)}),
        ({"train": 0.5, "valid": 0.1, "test": 0.2}, {}, {"train": (0.25, 0.75)}),
        ({"train": 0.5, "valid": 0.1, "test": 0.4}, {}, {"train": (0.4, 0.9)}),
        ({"train": 0.5, "valid": 0.4, "test": 0.1}, {}, {"train": (0.1, 0.6)}),
    ],
)
def test_zones(splits, zones, expected):
    settings = TABLE | {"splits": splits, "zones": zones}
    check_sizes(settings, "d")
    found = split_zones(settings)
    assert set(found) == {"train", *splits}
    for split, bounds in expected.items():
        assert found[split] == pytest.approx(bounds)


def test_where_the_files_are():
    assert given_files(TABLE) == {"all": ""}
    assert given_files(PAIR) == {"train": "train", "valid": "valid", "test": "test"}
    pair = PAIR | {"folder": "cls.books"}
    assert file_names(pair, "test") == ["cls.books/test.review", "cls.books/test.label"]
    assert file_names(WEBIS, given_files(WEBIS)["train"]) == [
        "cls-acl10-unprocessed/fr/books/train.review"
    ]
    assert file_names(WEBIS | {"folder": ""}, "x") == ["x"]


def test_what_unlabelled_files_take_over():
    base = TABLE | {"folder": "f", "columns": ["a", "text"]}
    assert unlabelled_settings(base) is None
    taken = unlabelled_settings(base | {"unlabelled": {"files": ["u"]}})
    assert (taken["folder"], taken["columns"], taken["format"]) == ("f", ["a", "text"], "table")
    taken = unlabelled_settings(base | {"unlabelled": {"files": ["u"], "format": "lines"}})
    assert taken == {"source": base["source"], "folder": "f", "format": "lines", "files": ["u"]}
    own = {"source": {"path": "p"}, "format": "lines", "files": ["u"]}
    assert unlabelled_settings(base | {"unlabelled": own}) == own
    files = unlabelled_settings(WEBIS)["files"]
    assert files == ["fr/books/unlabeled.review"]


def test_inputs(tmp_path):
    folder = {"path": str(tmp_path)}
    files = {"train": "a.csv", "valid": "b.csv", "test": "c.zip!c.csv"}
    settings = without(TABLE, "splits") | {"source": folder, "files": files}
    with pytest.raises(UserError, match=r"d.source.path: .*a.csv does not exist"):
        dataset_inputs(settings, "d")
    for name in ("a.csv", "b.csv", "c.zip"):
        (tmp_path / name).touch()
    assert dataset_inputs(settings, "d") == [
        str(tmp_path / name) for name in ("a.csv", "b.csv", "c.zip")
    ]
    unlabelled = {"source": {"path": str(tmp_path / "none")}, "files": ["u"], "format": "lines"}
    with pytest.raises(UserError, match=r"d.unlabelled.source.path: .*none does not exist"):
        dataset_inputs(settings | {"unlabelled": unlabelled}, "d")
    (one,) = dataset_inputs(TABLE | {"source": {"url": "https://a.org/b.csv"}}, "d")
    assert one.startswith("resources/b-csv-")


PAIRS = TABLE | {"text": ["premise", "hypothesis"]}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (PAIR | {"text": ["a", "b"], "splits": TABLE["splits"]}, "d.text: two columns make a pair"),
        (
            TABLE | {"unlabelled": {"files": ["u.csv"], "text": ["a", "b"]}},
            "d.unlabelled.text: pairs, where the data set has single texts",
        ),
        (
            PAIRS | {"unlabelled": {"files": ["u.txt"], "format": "lines", "text": ["a", "b"]}},
            "d.unlabelled.text: two columns make a pair in a table alone, and the format is lines",
        ),
    ],
)
def test_pairs_where_there_are_none(settings, said):
    with pytest.raises(UserError) as caught:
        check_dataset(settings, "d")
    assert str(caught.value).startswith(said)


def test_unlabelled_texts_beside_pairs_may_be_single_or_pairs():
    for unlabelled in ({"files": ["u.csv"]}, {"files": ["u.csv"], "text": "text"}):
        check_dataset(PAIRS | {"unlabelled": unlabelled}, "d")
    check_dataset(PAIRS | {"unlabelled": {"files": ["u.txt"], "format": "lines"}}, "d")


@pytest.mark.parametrize("text", [["a"], ["a", "b", "c"], [], ["a", 1]])
def test_a_pair_has_two_columns(text):
    assert not errors(PAIRS)
    assert errors(TABLE | {"text": text})
