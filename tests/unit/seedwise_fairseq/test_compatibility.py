"""The shim for fairseq 0.12.2: what Python 3.11, numpy 2 and torch 2.6 took away."""

import argparse
import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from seedwise_fairseq import compatibility

SCRIPTS = Path(compatibility.__file__).parents[1]


def run(program):
    return subprocess.run(
        [sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True
    )


def test_fairseq_imports_with_the_shim_and_only_with_it():
    assert "mutable default" in run("import fairseq").stderr
    done = run("import seedwise_fairseq, fairseq_cli.train, fairseq_cli.preprocess")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # nothing recommends packages for speech


def test_instances_may_be_defaults_again_but_lists_may_not():
    compatibility.install()

    @dataclasses.dataclass
    class Inner:
        x: int = 1

    @dataclasses.dataclass
    class Outer:
        plain: Inner = Inner()  # noqa: RUF009
        field: Inner = dataclasses.field(default=Inner(2))

    assert (Outer().plain.x, Outer().field.x) == (1, 2)
    assert Inner() == Inner() and Inner() != Inner(3)
    with pytest.raises(ValueError, match="mutable default"):
        dataclasses.make_dataclass("Bad", [("x", list, [])])


def test_installing_twice_wraps_once():
    compatibility.install()
    wrapped = dataclasses._get_field
    compatibility.install()
    assert dataclasses._get_field is wrapped


def test_torch_loads_options_and_still_refuses_the_rest(tmp_path):
    compatibility.install()
    torch.save({"args": argparse.Namespace(x=1)}, tmp_path / "good.pt")
    assert torch.load(tmp_path / "good.pt")["args"].x == 1
    torch.save({"args": Path("x")}, tmp_path / "bad.pt")
    with pytest.raises(Exception, match="Weights only load failed"):
        torch.load(tmp_path / "bad.pt")


def test_blocks_of_one_text_each_can_be_made():
    compatibility.install()
    assert np.compat.long(3.0) == 3
