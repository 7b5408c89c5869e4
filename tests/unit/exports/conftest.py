import pytest

from support.small_texts import TEXTS
from support.tiny.exported import LONG, export, make_run


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A run with its data, and what its export found."""
    folder = tmp_path_factory.mktemp("study")
    run = make_run(folder / "small" / "seed-0", folder / "data", [*TEXTS, LONG])
    about = export(run, folder / "data")
    return run, folder / "data", about
