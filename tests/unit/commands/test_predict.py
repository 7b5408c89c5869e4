import csv
import json
import os
import resource
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from scipy.special import expit, logit, softmax
from transformers import pipeline

import predict
from seedwise.errors import UserError
from seedwise.exports.ensemble import Ensemble
from seedwise.exports.saved_models import model_folders, temperature_of
from seedwise.exports.transformers_model import TransformersModel
from seedwise.files import write_text
from seedwise.models.linear import LinearModel
from support.linear_runs import make_run, train
from support.small_texts import PAIRS, RECORDS, train_sentencepiece
from support.tiny.classifiers import LABELS, write_model


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """An experiment's folder with the exported models of three seeds."""
    folder = tmp_path_factory.mktemp("experiment")
    tokens = tmp_path_factory.mktemp("tokens")
    train_sentencepiece(tokens)
    for seed in (0, 1, 10):
        write_model(folder / f"seed-{seed}" / "model", seed, tokens)
    return folder


def ensemble_of(*folders, **options):
    return Ensemble([TransformersModel(folder) for folder in folders], **options)


def run(*arguments, stdin=b""):
    command = [sys.executable, predict.__file__, *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, input=stdin, capture_output=True, env=environment)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


HOSTILE = [
    b"A fine film.", b"", b"  \t ", b"caf\xe9 \xff", "line\u2028one\u0085text\x0cend".encode(),
    b"with \"quotes\", and, commas", b"tab\there", b"nul\0inside", b"word " * 100, b"\0", b"last",
]  # fmt: skip


@pytest.mark.parametrize("form", ["text", "csv", "jsonl"])
def test_lines_match_one_to_one_whatever_they_hold(experiment, form):
    code, out, said = run(experiment, "--format", form, stdin=b"\r\n".join(HOSTILE))
    assert code == 0, said
    lines = out.removesuffix("\n").split("\n")
    if form == "csv":
        assert lines.pop(0) == "text,prediction," + ",".join(f"probability_{x}" for x in LABELS)
        found = [row[1] or None for row in csv.reader(lines)]
    elif form == "jsonl":
        records = [json.loads(line) for line in lines]
        found = [record["prediction"] for record in records]
        assert records[3]["text"] == "caf\ufffd \ufffd"
        assert sum(records[0]["probabilities"].values()) == pytest.approx(1)
        assert records[1]["probabilities"] is None
    else:
        found = [line.split("\t")[0] or None for line in lines]
    assert len(found) == len(HOSTILE)
    empty = [number for number, label in enumerate(found) if label is None]
    assert empty == [1, 2, 9]
    assert set(found) - {None} <= set(LABELS)
    assert "11 texts, 3 models; " in said
    assert "1 with bytes that are not UTF-8, read as U+FFFD" in said
    assert "3 empty, not classified" in said and "1 longer than the model reads, cut" in said


def test_labels_are_those_of_the_pipeline_and_seeds_vote_by_their_mean(experiment):
    folders = model_folders(experiment)
    assert [folder.parent.name for folder in folders] == ["seed-0", "seed-1", "seed-10"]
    texts = [record["text"] for record in RECORDS[:40]] + ["word " * 100]
    means = torch.zeros(len(texts), len(LABELS), dtype=torch.float64)
    for folder in folders:
        classify = pipeline("text-classification", str(folder), top_k=None)
        for row, text in enumerate(texts):
            for entry in classify([text], truncation=True)[0]:
                means[row, LABELS.index(entry["label"])] += entry["score"] / len(folders)
    found = ensemble_of(*folders).probabilities(texts)
    assert found == pytest.approx(means.numpy(), abs=1e-5)
    assert len(set(found.argmax(axis=1))) > 1


def test_texts_as_arguments_and_a_column_of_a_table(experiment, tmp_path):
    code, out, _ = run(experiment / "seed-0", "A fine film.", "")
    assert code == 0 and len(out.split("\n")) == 3
    table = 'id,review\n1,"A fine\nfilm."\n2,\n3,poor\n'
    write_text(tmp_path / "new.csv", table)
    code, out, said = run(
        experiment / "seed-0", "--file", tmp_path / "new.csv", "--column", "review"
    )
    assert code == 0, said
    lines = out.split("\n")
    assert lines[0].endswith("\tA fine film.") and lines[1] == "" and lines[2].endswith("\tpoor")
    assert len(lines) == 4


def test_mistakes_are_one_message(experiment, tmp_path):
    code, _, said = run(experiment / "seed-0", "--file", "nowhere.txt")
    assert code == 1 and said == "predict: nowhere.txt: no such file\n"
    for engine, mend in [("fairseq", "make export"), ("another", "there is none")]:
        write_text(tmp_path / "metrics.json", f'{{"engine": "{engine}"}}')
        with pytest.raises(UserError, match=f"a {engine} run without a model's folder.*{mend}"):
            model_folders(tmp_path)
    with pytest.raises(UserError, match="neither a model, nor a run"):
        model_folders(tmp_path.parent)


def test_each_model_votes_at_the_temperature_of_its_run(experiment):
    folders = [experiment / f"seed-{seed}" / "model" for seed in (0, 1)]
    texts = [record["text"] for record in RECORDS[:5]]
    alone = [np.log(ensemble_of(folder).probabilities(texts)) for folder in folders]
    found = ensemble_of(*folders, temperatures=[0.5, 3.0]).probabilities(texts)
    expected = (softmax(alone[0] / 0.5, axis=1) + softmax(alone[1] / 3.0, axis=1)) / 2
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_run_tells_its_temperature_and_an_export_does_not(experiment, tmp_path):
    _, _, said = run(experiment / "seed-0", "A fine film.")
    assert said == "1 texts, one model; not calibrated\n"
    write_text(tmp_path / "metrics.json", '{"engine": "transformers", "temperature": 1.5}')
    (tmp_path / "model").symlink_to(experiment / "seed-0" / "model")
    assert temperature_of(tmp_path / "model") == 1.5
    code, _, said = run(tmp_path, "A fine film.")
    assert code == 0 and said == "1 texts, one model\n"


def test_models_of_other_labels_cannot_vote(experiment, tmp_path):
    write_model(tmp_path / "other", 0, experiment / "seed-0" / "model", ["a", "b"])
    with pytest.raises(UserError, match=r"its labels are a, b, but those of .* are negative"):
        ensemble_of(experiment / "seed-0" / "model", tmp_path / "other")


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    """A linear experiment's folder, with its run."""
    folder = tmp_path_factory.mktemp("linear")
    train(make_run(folder), folder / "seed-0")
    return folder


@pytest.mark.parametrize("place", ["", "seed-0", "seed-0/model"])
def test_a_linear_model_needs_neither_torch_nor_transformers(linear, place):
    texts = ["A fine film.", "", "nul\0inside", "word " * 1000]
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import predict; "
        "predict.main(**vars(predict.arguments())); "
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", program, os.path.dirname(predict.__file__)]  # noqa: PTH120
    command += [linear / place, "--format", "jsonl"]
    done = subprocess.run(command, input="\n".join(texts).encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    found = [json.loads(line) for line in done.stdout.decode().splitlines()]
    # At the temperature that the run fitted: the logits of logistic regression divided by it.
    before = LinearModel.load(linear / "seed-0" / "model").probabilities(
        [texts[0], texts[2].replace("\0", ""), texts[3]]
    )
    fitted = json.loads((linear / "seed-0" / "metrics.json").read_text())["temperature"]
    expected = expit(logit(before[:, 0]) / fitted).tolist()
    assert fitted != 1
    negative = [found[n]["probabilities"]["negative"] for n in (0, 2, 3)]
    assert negative == pytest.approx(expected)
    assert found[1]["prediction"] is None
    counted = "4 texts, one model; 1 NUL characters removed; 1 empty, not classified\n"
    assert done.stderr.decode() == counted


def test_a_linear_model_votes_alone(linear, experiment):
    for folders in ((linear, experiment / "seed-0"), (experiment / "seed-0", linear)):
        code, _, said = run(folders[0], "A fine film.", "--also", folders[1])
        assert code == 1 and "a linear model votes with no other" in said and "\n" not in said[:-1]


def test_a_folder_of_something_else_is_one_message(tmp_path):
    for content in ("[]", "{", "{}"):
        write_text(tmp_path / "config.json", content)
        code, _, said = run(tmp_path, "A fine film.")
        assert code == 1, said
        if content != "{}":
            assert said == f"predict: {tmp_path}: its config.json is not that of a model\n"


def test_help_is_quick(monkeypatch):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code, out, _ = run("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert code == 0 and "--column" in out
    assert after.ru_utime - before.ru_utime < 1  # torch alone takes longer


def test_memory_stays_flat_and_batches_pay(experiment):
    """Peak memory of 20,000 lines is that of 5,000, and text by text the pipeline is slower."""
    program = (
        "import resource, sys; sys.path.insert(0, sys.argv[1]); import predict; "
        "sys.argv[1:] = sys.argv[2:]; predict.main(**vars(predict.arguments())); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    folder = experiment / "seed-0"
    texts = [RECORDS[n % 120]["text"] for n in range(20_000)]

    def peak(count):
        command = [sys.executable, "-c", program, os.path.dirname(predict.__file__), str(folder)]  # noqa: PTH120
        stdin = "\n".join(texts[:count]).encode()
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, input=stdin, capture_output=True, env=environment)
        assert done.stdout.count(b"\n") == count
        return int(done.stderr.split()[-1])

    assert peak(20_000) < peak(5_000) + 20_000  # KiB

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    ensemble = ensemble_of(folder / "model")
    classify = pipeline("text-classification", str(folder / "model"))

    def seconds(call):
        started = time.process_time()
        call()
        return time.process_time() - started

    batched = seconds(lambda: ensemble.probabilities(texts[:2000]))
    single = seconds(lambda: [classify(text, truncation=True) for text in texts[:200]])
    torch.set_num_threads(threads)
    assert 10 * single > 3 * batched


@pytest.fixture(scope="module")
def pair_model(experiment, tmp_path_factory):
    """A model of pairs, with the tokenizer of the others."""
    folder = tmp_path_factory.mktemp("pairs") / "model"
    tokens = tmp_path_factory.mktemp("tokens")
    train_sentencepiece(tokens)
    write_model(folder, 0, tokens, pairs=True)
    return folder


def test_pairs_with_a_tab_between_or_in_two_columns(pair_model, tmp_path):
    pairs = [dict(zip(("text", "text_pair"), pair.split("\0"), strict=True)) for pair in PAIRS]
    full = [pair for pair in pairs if "".join(pair.values()).strip()]
    expected = pipeline("text-classification", str(pair_model))(full, truncation=True)
    table = tmp_path / "pairs.jsonl"
    write_text(table, "".join(json.dumps(pair) + "\n" for pair in pairs))
    columns = ("--column", "text", "--column", "text_pair")
    code, by_column, said = run(pair_model, "--file", table, *columns, "--format", "jsonl")
    assert code == 0, said
    cut = len([pair for pair in full if len("".join(pair.values()).split()) > 12])
    assert f"{len(PAIRS)} texts, one model" in said and "cut" in said and cut
    lines = "".join("\t".join(pair.values()) + "\n" for pair in pairs).encode()
    code, by_line, said = run(pair_model, "--format", "jsonl", stdin=lines)
    assert code == 0 and by_line == by_column, said
    found = [json.loads(line) for line in by_line.splitlines()]
    assert [
        {key: one[key] for key in pair} for one, pair in zip(found, pairs, strict=True)
    ] == pairs
    found = [one for one in found if one["prediction"]]
    assert [one["prediction"] for one in found] == [one["label"] for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert max(one["probabilities"].values()) == pytest.approx(other["score"], abs=1e-4)
    code, out, _ = run(pair_model, "a b\tc", "--format", "csv")
    assert code == 0 and out.startswith("text,text_pair,prediction,probability_negative")
    assert out.split("\n")[1].startswith("a b,c,")


def test_pairs_to_a_model_of_texts_and_the_other_way_round(pair_model, experiment, tmp_path):
    table = tmp_path / "t.csv"
    write_text(table, "a,b\nx,y\n")
    for arguments, message in (
        ((pair_model, "one text"), "text 1: 0 tabs, but the model reads pairs of texts"),
        ((pair_model, "a\tb", "a\tb\tc"), "text 2: 2 tabs"),
        ((pair_model, "--file", table, "--column", "a"), "two columns, each with a --column"),
        ((experiment, "--file", table, "--column", "a", "--column", "b"), "so one column"),
        ((experiment, "a", "--also", pair_model), "cannot vote together"),
    ):
        code, out, said = run(*arguments)
        assert (code, out) == (1, "") and message in said and "Traceback" not in said
