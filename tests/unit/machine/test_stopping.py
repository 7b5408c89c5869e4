import os
import signal
import time

import pytest

from seedwise.machine import stopping
from support import processes


def ask():
    os.kill(os.getpid(), signal.SIGTERM)


def test_without_a_way_to_save_it_ends_at_once(tmp_path):
    def main():
        with stopping.stopping_on_signals():
            ask()
            (tmp_path / "too late").touch()

    code, text = processes.run(main, tmp_path / "log")
    assert code == 143 and "stopped by SIGTERM" in text
    assert not (tmp_path / "too late").exists()


def test_it_ends_once_it_has_saved(tmp_path):
    wanted = []

    def main():
        with stopping.stopping_on_signals(), stopping.saving_first(wanted.append):
            ask()
            ask()  # a second one changes nothing
            assert wanted == [True]
            (tmp_path / "saved").touch()
            stopping.stop_if_asked()
            (tmp_path / "too late").touch()

    code, _ = processes.run(main, tmp_path / "log")
    assert code == 143
    assert (tmp_path / "saved").exists() and not (tmp_path / "too late").exists()


def test_it_ends_where_saving_takes_too_long(tmp_path):
    def sabotage():
        stopping.SECONDS_TO_SAVE = 1

    def main():
        with stopping.stopping_on_signals(), stopping.saving_first(lambda _: None):
            ask()
            time.sleep(60)

    started = time.monotonic()
    code, _ = processes.run(main, tmp_path / "log", sabotage)
    assert code == 143 and time.monotonic() - started < 30


def test_nobody_asked():
    with stopping.stopping_on_signals(), stopping.saving_first(pytest.fail):
        stopping.stop_if_asked()


def test_a_checkpoint_is_due_every_few_minutes(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(stopping.time, "monotonic", lambda: now[0])
    found = []
    with stopping.saving_first(lambda _: None, minutes=2):
        for now[0] in (100, 219, 221, 222, 340, 342):
            found.append(stopping.is_due())
    assert found == [False, False, True, False, False, True]
    with stopping.saving_first(lambda _: None):
        now[0] = 1e9
        assert not stopping.is_due()


def test_no_checkpoint_is_wanted_unless_a_signal_came(tmp_path):
    wanted = []

    def main():
        with stopping.stopping_on_signals(), stopping.saving_first(wanted.append):
            stopping.request_checkpoint(False)
            assert wanted == [False]
            ask()
            stopping.request_checkpoint(False)
            assert wanted == [False, True, False, True]
            stopping.stop_if_asked()

    assert processes.run(main, tmp_path / "log")[0] == 143
