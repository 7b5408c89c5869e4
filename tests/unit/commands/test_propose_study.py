import argparse
import json
import logging
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest
import yaml

import propose_study
from seedwise.errors import UserError
from seedwise.study.sources import source_path
from support.local_server import local_server
from support.proposals import COMMIT, FEELINGS, FRAME, ROWS, WORDS, command, propose


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


WRITERS = {
    "csv": lambda path: FRAME.to_csv(path, index=False),
    "tsv": lambda path: FRAME.to_csv(path, index=False, sep="\t"),
    "jsonl": lambda path: FRAME.to_json(path, orient="records", lines=True),
    "json": lambda path: FRAME.to_json(path, orient="records"),
    "parquet": lambda path: FRAME.to_parquet(path),
}


@pytest.mark.parametrize("ending", WRITERS)
def test_one_file_of_any_format(folder, ending):
    WRITERS[ending](folder / f"My Reviews.{ending}")
    config, settings = propose(f"My Reviews.{ending}")
    assert config["study"] == "my-reviews"
    assert (settings["text"], settings["label"]) == ("review_body", "sentiment")
    assert settings["labels"] == list(FEELINGS)
    assert settings["splits"] == {"valid": 0.1, "test": 0.2}
    assert list(config["experiments"]) == ["linear", "fairseq-minilm", "transformers-minilm"]
    text = (folder / "my-reviews.yaml").read_text(encoding="utf-8")
    assert text.count("#") > 10


def test_without_an_encoder_a_model_is_pretrained_here(folder):
    FRAME.to_csv(folder / "reviews.csv", index=False)
    config, _ = propose("reviews.csv", encoder="none")
    assert list(config["experiments"]) == [
        "linear", "fairseq-pretrained", "fairseq-random", "transformers-pretrained",
    ]  # fmt: skip
    assert config["models"]["small"]["corpus"] == ["reviews"]


def test_no_header_and_numbers_as_labels(folder):
    rows = [
        (str(n % 5 + 1), f"text {WORDS[n]} of {WORDS[2 * n]} {WORDS[n + 99]} all")
        for n in range(100)
    ]
    pd.DataFrame(rows).to_csv(folder / "stars.csv", index=False, header=False)
    _, settings = propose("stars.csv")
    assert settings["columns"] == ["column1", "column2"]
    assert (settings["text"], settings["label"]) == ("column2", "column1")
    assert settings["labels"] == ["1", "2", "3", "4", "5"]


def test_given_splits_and_unlabelled_text(folder):
    for name, part in {
        "train-00000-of-00002": FRAME[:60],
        "train-00001-of-00002": FRAME[60:120],
        "test": FRAME[120:],
        "unsupervised": FRAME.head(3).assign(review_body="no label", sentiment=-1),
    }.items():
        (folder / "set/data").mkdir(parents=True, exist_ok=True)
        part.to_parquet(folder / f"set/data/{name}.parquet")
    _, settings = propose("set")
    parts = [f"data/train-0000{n}-of-00002.parquet" for n in (0, 1)]
    assert settings["files"] == {"train": parts, "test": "data/test.parquet"}
    assert settings["unlabelled"] == {"files": ["data/unsupervised.parquet"]}
    assert list(settings["splits"]) == ["valid"]
    assert settings["labels"] == list(FEELINGS)


def test_a_folder_as_save_to_disk_writes_it(folder):
    for split, part in (("train", FRAME[:120]), ("test", FRAME[120:])):
        (folder / "saved" / split).mkdir(parents=True)
        table = pyarrow.Table.from_pandas(part, preserve_index=False)
        path = folder / "saved" / split / "data-00000-of-00001.arrow"
        with pyarrow.ipc.new_stream(str(path), table.schema) as out:
            out.write_table(table)
        for name in ("state.json", "dataset_info.json"):
            (folder / "saved" / split / name).write_text("{}")
    _, settings = propose("saved")
    assert settings["files"]["train"] == "train/data-00000-of-00001.arrow"
    assert settings["labels"] == list(FEELINGS)


def test_a_file_of_texts_and_a_file_of_labels(folder):
    for name, column in (("classes.txt", 1), ("texts.txt", 0)):
        (folder / name).write_text("".join(f"{row[column]}\n" for row in ROWS), encoding="utf-8")
    _, settings = propose("classes.txt", "texts.txt")
    assert settings["file"] == {"text": "texts.txt", "label": "classes.txt"}
    assert settings["labels"] == list(FEELINGS)


def test_a_data_set_of_the_hub_by_the_command(folder):
    with local_server() as server:
        data = FRAME.to_csv(index=False).encode()
        server.serve_repository("owner/name", "dataset", COMMIT, {"data/train.csv": data})
        done = command(folder, server.url, "hub:owner/name")
    assert "make run CONFIG=name.yaml" in done.stdout
    config = yaml.safe_load((folder / "name.yaml").read_text(encoding="utf-8"))
    settings = config["datasets"]["name"]
    assert settings["source"] == {"hub": "owner/name", "revision": COMMIT, "type": "dataset"}
    assert settings["file"] == "data/train.csv"
    # What it fetched is what the workflow would.
    assert Path(source_path(settings["source"]), "data/train.csv").read_bytes() == data


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "text\nfine\nbad\n", "one column alone; texts and labels are needed"),
        ("a.csv", "<!DOCTYPE html>\n<html>", "a web page, not a table"),
        ("a.csv", "", "empty|No columns"),
        ("a.xlsx", "PK", "not a sheet that can be read .* save it again as .xlsx"),
        ("a.doc", "PK", "the ending is none of .csv"),
        ("a.csv", "text,n\n" + "".join(f"word {i},{i / 7}\n" for i in range(50)), "--label"),
        ("a.csv", "text,rating\n" + "".join(f"word {i},{i / 7}\n" for i in range(50)), "range"),
        ("a.jsonl", '{"text": "x"\n', "a.jsonl, line 1: not valid JSON"),
        (
            "a.csv",
            "text,label\nfine, but dear,good\n",
            r"line 2: 3 columns instead of 2 \(text",
        ),
        ("a.json", "[]", "a.json: empty"),
    ],
)
def test_what_cannot_be_proposed_is_one_message(folder, name, content, said):
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=said):
        propose(name)
    assert not list(folder.glob("*.yaml"))


def test_an_existing_study_is_kept(folder):
    FRAME.to_csv(folder / "reviews.csv", index=False)
    (folder / "reviews.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="exists already"):
        propose("reviews.csv")
    assert (folder / "reviews.yaml").read_text(encoding="utf-8") == "mine"


def test_columns_by_name(folder):
    FRAME.assign(text="shown").to_csv(folder / "reviews.csv", index=False)
    _, settings = propose("reviews.csv", text="review_body", label="sentiment")
    assert (settings["text"], settings["label"]) == ("review_body", "sentiment")


def test_two_columns_make_pairs(folder):
    """MiniLM tells the second text by its token type, which transformers alone has."""
    FRAME.assign(premise=FRAME["review_body"]).to_csv(folder / "nli.csv", index=False)
    columns = ["premise", "review_body"]
    config, settings = propose("nli.csv", text="premise,review_body", label="sentiment")
    assert settings["text"] == columns
    assert list(config["experiments"]) == ["linear", "transformers-minilm"]
    (folder / "nli.yaml").unlink()
    config, settings = propose("nli.csv", text="premise,review_body", encoder="none")
    assert (settings["text"], settings["label"]) == (columns, "sentiment")
    assert list(config["experiments"])[1] == "fairseq-pretrained"
    for text, said in (("premise,other", "no column 'other'"), ("a,b,c", "3 columns; one, or two")):
        with pytest.raises(UserError, match=said):
            propose("nli.csv", text=text, output=Path("x.yaml"))
    FRAME.rename(columns={"review_body": "a,b"}).to_csv(folder / "one.csv", index=False)
    assert propose("one.csv", text="a,b", encoder="none")[1]["text"] == "a,b"


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_names_of_classes_and_a_test_split_without_labels(folder, ending, caplog):
    """As `datasets` and the hub write GLUE: numbers, names beside them, -1 in the test split."""
    (folder / "glue").mkdir()
    names = {"label": {"names": list(FEELINGS), "_type": "ClassLabel"}}
    described = {"huggingface": json.dumps({"info": {"features": names}})}
    numbers = FRAME["sentiment"].map(list(FEELINGS).index)
    table = FRAME[["review_body"]].assign(label=numbers)
    for split, part in {
        "train": table[:120], "validation": table[120:150], "test": table[150:].assign(label=-1),
    }.items():  # fmt: skip
        written = pyarrow.Table.from_pandas(part, preserve_index=False)
        written = written.replace_schema_metadata(described)
        path = str(folder / f"glue/{split}.{ending}")
        if ending == "parquet":
            pyarrow.parquet.write_table(written, path)
        else:
            with pyarrow.ipc.new_stream(path, written.schema) as out:
                out.write_table(written)
    _, settings = propose("glue")
    assert settings["labels"] == {name: n for n, name in enumerate(FEELINGS)}
    files = {"train": f"train.{ending}", "valid": f"validation.{ending}"}
    assert settings["files"] == files and list(settings["splits"]) == ["test"]
    assert "test: every label is -1, kept secret" in caplog.text


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_truth_values_are_labels(folder, ending):
    table = FRAME.assign(sentiment=FRAME["sentiment"] == "positive")
    if ending == "parquet":
        table.to_parquet(folder / "a.parquet")
    else:
        table.to_json(folder / "a.jsonl", orient="records", lines=True)
    _, settings = propose(f"a.{ending}")
    assert settings["labels"] == ["false", "true"]


def test_json_numbers_stay_what_they_are(folder):
    with (folder / "a.jsonl").open("w", encoding="utf-8") as stream:
        for n in range(60):
            stream.write(
                json.dumps({"text": f"word {WORDS[n]} here {WORDS[n + 99]}", "label": n % 2}) + "\n"
            )
    _, settings = propose("a.jsonl")
    assert settings["labels"] == ["0", "1"]


def test_a_column_of_what_is_no_text_is_none(folder):
    with (folder / "a.jsonl").open("w", encoding="utf-8") as stream:
        for (text, label), number in zip(ROWS, FRAME["id"], strict=True):
            record = {"text": [text] * 9, "title": text, "note": None, "kind": label, "id": number}
            stream.write(json.dumps(record) + "\n")
    _, settings = propose("a.jsonl")
    assert (settings["text"], settings["label"]) == ("title", "kind")


def test_a_split_without_the_columns_is_named(folder):
    FRAME.to_csv(folder / "train.csv", index=False)
    FRAME.rename(columns={"sentiment": "opinion"}).to_csv(folder / "test.csv", index=False)
    with pytest.raises(UserError, match=r"test.csv: no column 'sentiment'; it has review_body, op"):
        propose("train.csv", "test.csv")


def test_scores_in_place_of_labels(folder):
    frame = FRAME.assign(similarity=[n % 11 / 2 for n in range(len(FRAME))])
    frame.drop(columns="sentiment").to_csv(folder / "sts.csv", index=False)
    config, _ = propose("sts.csv", encoder="none", limits=[0, 5])
    dataset = config["datasets"]["sts"]
    assert (dataset["label"], dataset["range"]) == ("similarity", [0, 5])
    assert "labels" not in dataset and config["title"] == "Scoring sts"
    assert next(iter(config["experiments"])) == "linear"


@pytest.mark.parametrize(("word", "limits"), [("0,5", [0, 5]), ("-1.5, 1", [-1.5, 1])])
def test_a_range_of_two_numbers(word, limits):
    assert propose_study.score_limits(word) == limits


@pytest.mark.parametrize("word", ["5", "a,b", "0,5,9", ""])
def test_a_range_of_something_else(word):
    with pytest.raises(argparse.ArgumentTypeError, match="is not two numbers, as 0,5 is"):
        propose_study.score_limits(word)


def test_options_are_named_as_make_takes_them(monkeypatch):
    record = logging.makeLogRecord({"msg": "for pairs, --text a,b; name another with --label"})
    monkeypatch.delenv("MAKELEVEL", raising=False)
    assert propose_study.Spoken().format(record).endswith("--text a,b; name another with --label")
    monkeypatch.setenv("MAKELEVEL", "1")
    assert propose_study.Spoken().format(record) == "for pairs, TEXT=a,b; name another with LABEL="
