from types import SimpleNamespace

import pytest
from snakemake.persistence.file import FilePersistence

from seedwise.study import locks


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Return a function that begins another call in the same folder, which makes one file."""
    monkeypatch.setattr(FilePersistence, "_delete_locks", locks.delete_own_locks)

    def begin(output):
        persistence = FilePersistence(path=tmp_path)
        job = SimpleNamespace(input=["texts.csv"], output=[output])
        persistence.dag = SimpleNamespace(jobs=[job], needrun_jobs=lambda: [job])
        return persistence

    return begin


def test_a_call_that_ends_leaves_the_locks_of_another(call):
    with call("two").lock():
        with call("one").lock():
            assert call("one").locked
        assert call("two").locked
        assert not call("one").locked
    assert not call("two").locked


def test_a_call_ends_while_another_begins(call):
    first, second = call("one"), call("two")
    with first.lock():
        pass
    with second.lock():
        assert call("two").locked


def test_unlock_deletes_all(call, tmp_path):
    with call("one").lock():
        call("two").unlock()
        assert not list(tmp_path.glob("locks/*"))
