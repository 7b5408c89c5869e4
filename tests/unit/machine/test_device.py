import os
import platform
import subprocess
import sys

import pytest
import torch

from seedwise.environment import processor_name
from seedwise.errors import UserError
from seedwise.machine import device
from support import ROOT

SETTINGS = {"device": "cpu", "precision": "float32", "threads": 1}


@pytest.fixture(autouse=True)
def settings_of_torch(monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def without_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_are_the_studys(threads):
    given = SETTINGS | {"threads": threads}
    assert device.prepare(given) == given
    assert torch.get_num_threads() == threads


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch, without_gpu):
    assert device.prepare(SETTINGS | {"device": "auto"})["device"] == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.prepare(SETTINGS | {"device": "auto"})["device"] == "cuda"
    assert device.prepare(SETTINGS)["device"] == "cpu"


@pytest.mark.parametrize(
    ("float32", "bfloat16", "expected"),
    [(4.4, 1.0, "bfloat16"), (1.6, 1.0, "bfloat16"), (1.0, 1.0, "float32"), (1.0, 40.0, "float32")],
)
def test_auto_is_bfloat16_where_its_products_are_faster(float32, bfloat16, expected, monkeypatch):
    monkeypatch.setattr(device, "_seconds", lambda *_: [float32, bfloat16])
    assert device.prepare(SETTINGS | {"precision": "auto"})["precision"] == expected
    assert device.prepare(SETTINGS)["precision"] == "float32"  # what a study says stays


def test_what_else_a_machine_does_changes_no_precision():
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        assert len({device.multiplies_bfloat16() for _ in range(100)}) == 1
    finally:
        for process in busy:
            process.kill()
            process.wait()


def test_a_processor_played_without_bfloat16_gets_float32():
    """oneDNN reads the variable when it is loaded, so the process is another one."""
    code = (
        "from seedwise.machine.device import prepare\n"
        'print(prepare({"device": "cpu", "precision": "auto", "threads": 1})["precision"])'
    )
    places = {"PYTHONPATH": str(ROOT / "scripts"), "ONEDNN_MAX_CPU_ISA": "AVX2"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ | places, capture_output=True, text=True)
    assert done.stdout == "float32\n", done.stderr


@pytest.mark.parametrize("native", [False, True])
def test_auto_on_a_gpu_is_bfloat16_where_it_knows_it(native, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: native)
    given = device.prepare(SETTINGS | {"device": "cuda", "precision": "auto"})
    assert given["precision"] == ("bfloat16" if native else "float32")


def test_a_gpu_computes_the_same_bits_again(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    device.prepare(SETTINGS)
    assert not torch.are_deterministic_algorithms_enabled()
    device.prepare(SETTINGS | {"device": "cuda"})
    assert torch.are_deterministic_algorithms_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_a_missing_gpu_is_one_message(without_gpu):
    with pytest.raises(UserError, match=r"^device: 'cuda' asked for, but this machine has no GPU"):
        device.prepare(SETTINGS | {"device": "cuda"})


def test_float16_needs_a_gpu(without_gpu):
    with pytest.raises(UserError, match=r"^precision: 'float16' needs a GPU"):
        device.prepare(SETTINGS | {"precision": "float16"})


def test_the_processor_is_named():
    assert device.name("cpu") == processor_name()


def test_freed_memory_is_kept_where_glibc_is():
    assert device.keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
