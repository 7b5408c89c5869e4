import platform

import pytest
import torch

from seedwise.environment import processor_name
from seedwise.errors import UserError
from seedwise.machine import device

SETTINGS = {"device": "cpu", "precision": "float32", "threads": 1}


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def without_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_are_the_studys(threads):
    assert device.prepare(SETTINGS | {"threads": threads}) == "cpu"
    assert torch.get_num_threads() == threads


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch, without_gpu):
    assert device.prepare(SETTINGS | {"device": "auto"}) == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.prepare(SETTINGS | {"device": "auto"}) == "cuda"
    assert device.prepare(SETTINGS) == "cpu"


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
