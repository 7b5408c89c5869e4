"""Exported models as `predict.py` asks them."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd

import predict
from seedwise.exports.forms import INT8
from support.small_texts import TEXTS
from support.tiny.classifiers import LABELS


def run_predict(*arguments):
    command = [sys.executable, predict.__file__, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_predict_asks_onnx_without_torch_and_abstains(study, tmp_path):
    run, _, about = study
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import predict; "
        "predict.main(**vars(predict.arguments())); "
        "assert not {'torch', 'transformers', 'scipy', 'pandas'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", program, os.path.dirname(predict.__file__)]  # noqa: PTH120
    table = tmp_path / "t.csv"
    pd.DataFrame({"number": range(len(TEXTS)), "review": TEXTS}).to_csv(table, index=False)
    given = ["--file", table, "--column", "review", "--format", "csv", "--abstain", "0.6"]
    done = subprocess.run([*command, run, *given], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (tmp_path / "out.csv").write_text(done.stdout)
    found = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert list(found)[:3] == ["number", "review", "prediction"]
    assert found["number"].tolist() == list(range(len(TEXTS)))
    shares = found[[f"probability_{label}" for label in LABELS]].to_numpy()
    sure = shares.max(axis=1) >= 0.6
    named = np.array(LABELS)[shares.argmax(axis=1)]
    assert found["prediction"].tolist() == np.where(sure, named, "").tolist()
    # What the study measured: the int8 predictions of the test split at the temperature.
    own = pd.read_csv(run / "model" / "onnx" / "predictions-int8.csv")
    raised = own[[f"probability_{label}" for label in LABELS]].to_numpy() ** (1 / 1.5)
    raised /= raised.sum(axis=1, keepdims=True)
    kept = raised.max(axis=1) >= 0.6
    right = (own["label"] == own["prediction"])[kept].mean()
    assert 0 < kept.mean() < 1
    agreement = about["forms"][INT8]["agreement"]
    assert f"one model as int8 ONNX ({agreement:.1%} of validation answers" in done.stderr
    assert (
        f"abstained from {(~sure).sum()} of {len(TEXTS)}; of the study's {len(own)} test texts, "
        f"{kept.mean():.1%} are answered, {right:.1%} of them rightly" in done.stderr
    )


def test_predict_says_what_it_cannot_do(study, tmp_path):
    run, _, _ = study
    code, _, said = run_predict(run, "x", "--abstain", "1.5")
    assert code == 2 and "--abstain: invalid probability value: '1.5'" in said
    code, _, said = run_predict(run, "x", "--device", "cuda", "--runtime", "onnx")
    assert code == 2 and "ONNX runs on the processor" in said
    shutil.copytree(run / "model", tmp_path / "model")
    code, out, said = run_predict(
        tmp_path / "model", "x", "--abstain", "0.999", "--runtime", "onnx"
    )
    assert code == 0 and out.startswith("?\t0.") and "as float32 ONNX (100.0% of" in said
    # The folder alone knows its temperature, and what its ONNX predicted.
    assert "not calibrated" not in said and f"of the study's {len(TEXTS) + 1} test texts" in said
    code, _, said = run_predict(
        tmp_path / "model", "x", "--abstain", "0.9", "--runtime", "transformers"
    )
    assert code == 0 and "not measured: the study's predictions are not beside the model" in said
    table = tmp_path / "t.csv"
    table.write_text("text,prediction\na,b\n")
    code, _, said = run_predict(run, "--file", table, "--column", "text", "--format", "csv")
    assert code == 1 and "has a column 'prediction' already" in said
