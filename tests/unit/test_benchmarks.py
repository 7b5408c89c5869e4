"""What the benchmarks compute around their measurements."""

import json
import re
import sys

import accuracy
import bench
import measure
import pytest
import workload


def test_operations_are_those_of_the_matrix_products():
    sizes = {"layers": 2, "embed_dim": 8, "ffn_dim": 16}
    # Four projections of 8x8 and two of 8x16 per token; scores and their average per pair.
    once = 3 * (4 * 2 * 64 + 2 * 2 * 128) + 2 * 2 * 9 * 8
    # The last layer: keys and values of all, the rest of the first token.
    once += 3 * 2 * 2 * 64 + (2 * 2 * 64 + 2 * 2 * 128 + 2 * 2 * 3 * 8)
    assert measure.useful_operations([3], sizes, training=False) == once
    assert measure.useful_operations([3, 3], sizes, training=True) == 6 * once


def test_medians_are_taken_of_each_measure():
    costs = [measure.Cost(1.0, 30.0), measure.Cost(9.0, 10.0), measure.Cost(2.0, 20.0)]
    assert measure.middle(costs) == measure.Cost(2.0, 20.0)


def test_a_job_that_fails_ends_the_benchmark_with_what_it_said(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    with pytest.raises(RuntimeError, match="no such thing"):
        measure.run(command, tmp_path / "log")


def test_processes_choose_their_threads_unless_told(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    command = [sys.executable, "-c", "import os; print(os.environ.get('OMP_NUM_THREADS'))"]
    for threads, seen in ((None, "None"), (1, "1")):
        measure.run(command, tmp_path / "log", threads=threads)
        assert (tmp_path / "log").read_text().strip() == seen


def test_rows_have_the_columns_of_the_header():
    costs = measure.Cost(10.0, 100.0), measure.Cost(2.5, 50.0)
    row = bench.pair_row("work", *costs, 3.0, 1000, ("5%", "10%"))
    assert len(row) == len(bench.HEADER)
    assert row[3] == "**4.0**" and row[5:7] == ["100", "400"]
    assert bench.markdown(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |\n"


def test_texts_are_lengthened_within_their_label():
    records = [{"text": f"{label} film {n}", "label": label} for n in range(3) for label in "01"]
    reviews = workload.lengthened(records, 6)
    assert [review["label"] for review in reviews] == list("010101")
    for review in reviews:
        assert workload.REVIEW_CHARACTERS <= len(review["text"]) < workload.REVIEW_CHARACTERS + 10
        assert set(review["text"].replace("film", "").split()) <= {review["label"], *"012"}


def test_both_ways_of_preprocessing_run_and_write_the_same(tmp_path, capsys):
    if not workload.ARCHIVE.exists():
        pytest.skip(f"{workload.ARCHIVE} is not there")
    settings = workload.study_settings(epochs=1, threads=1)
    workload.prepare(tmp_path, dict.fromkeys(workload.SPLITS, 16), settings)
    # It raises an error if the files differ.
    stock, *_ = bench.preprocessing_rows(tmp_path, 100, least=9.0, repeats=1)
    assert stock[0] == "encode + binarize 100 reviews, identical files"


def test_the_studys_settings_are_full_size():
    settings = workload.study_settings(epochs=1, threads=2)
    assert settings["architecture"]["vocab_size"] == 32000
    assert settings["architecture"]["layers"] == 4 and settings["architecture"]["embed_dim"] == 512
    assert settings["finetune"]["batch_size"] == 8 and settings["finetune"]["epochs"] == 1


def test_fairseqs_accuracy_is_that_of_the_checkpoint_it_keeps(tmp_path):
    if not workload.ARCHIVE.exists():
        pytest.skip(f"{workload.ARCHIVE} is not there")
    settings = workload.study_settings(epochs=2, threads=1, learning_rate=1e-3)
    settings["architecture"] |= {"layers": 1, "embed_dim": 32, "ffn_dim": 64, "attention_heads": 2}
    workload.prepare(tmp_path, {"train": 32, "valid": 16, "test": 32}, settings)
    found = accuracy.measured_accuracy(tmp_path, "stock_fairseq", 0)
    log = (tmp_path / "logs" / "stock_fairseq-0.log").read_text(encoding="utf-8")
    rows = {"valid": [], "test": []}
    for split, row in re.findall(r"\| (valid|test) \| (\{.*\})", log):
        rows[split].append(float(json.loads(row)[f"{split}_accuracy"]))
    # The last of the best epochs; the log rounds to a tenth of a point.
    best = max(range(2), key=lambda epoch: (rows["valid"][epoch], epoch))
    assert found == pytest.approx(rows["test"][best], abs=0.051)


def test_difference_comes_with_its_interval():
    line = accuracy.comparison([70.0, 71.0, 72.0], [71.0, 72.0, 73.0])
    assert "difference +1.00 points, 95 % interval -1.27 to +3.27: within 1.5" in line
    assert "beyond 1.5" in accuracy.comparison([70.0, 70.5], [75.0, 75.5])
