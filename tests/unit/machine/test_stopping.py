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
        with stopping.stopping_on_signals(), stopping.saving_first(lambda: wanted.append(1)):
            ask()
            ask()  # a second one changes nothing
            assert wanted == [1]
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
        with stopping.stopping_on_signals(), stopping.saving_first(lambda: None):
            ask()
            time.sleep(60)

    started = time.monotonic()
    code, _ = processes.run(main, tmp_path / "log", sabotage)
    assert code == 143 and time.monotonic() - started < 30


def test_nobody_asked():
    with stopping.stopping_on_signals(), stopping.saving_first(pytest.fail):
        stopping.stop_if_asked()
