import pytest

from seedwise import code


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    """A folder of scripts in which `train` imports `core.a`, that `core.b`; `other` nothing."""
    monkeypatch.setattr(code, "SCRIPTS", tmp_path)
    code.code_sha256.cache_clear()
    files = {
        "stage/train.py": "import json\nfrom core import a\n",
        "core/__init__.py": "",
        "core/a.py": "def f():\n    import core.b\n",
        "core/b.py": "from core import a\nfrom core.a import f\n",
        "core/unused.py": "",
        "stage/other.py": "import os\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    yield tmp_path
    code.code_sha256.cache_clear()


def names(script):
    return [str(path.relative_to(code.SCRIPTS)) for path in code.source_files(script)]


def test_source_files_are_followed_however_deep(scripts):
    assert names("train") == ["core/__init__.py", "core/a.py", "core/b.py", "stage/train.py"]
    assert names("other") == ["stage/other.py"]


@pytest.mark.parametrize(
    ("edited", "changes"),
    [("core/b.py", True), ("core/__init__.py", True), ("core/unused.py", False)],
)
def test_hash_changes_with_what_the_script_runs(scripts, edited, changes):
    before = code.code_sha256("train")
    (scripts / edited).write_text("x = 1\n")
    code.code_sha256.cache_clear()
    assert (code.code_sha256("train") != before) == changes


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("def f():\n    import core.b\n", False),
        ("# A comment.\ndef f():  # another\n\n    import core.b\n", False),
        ('"""A module."""\n\n\ndef f():\n    """Do it."""\n    import core.b\n', False),
        ("def f():\n    import core.b\n    return 1\n", True),
        ('def f():\n    import core.b\n    "no docstring"\n', True),
    ],
)
def test_comments_docstrings_and_line_breaks_are_no_code(scripts, text, changes):
    before = code.code_sha256("train")
    (scripts / "core" / "a.py").write_text(text)
    code.code_sha256.cache_clear()
    assert (code.code_sha256("train") != before) == changes


def test_modules_without_result_do_not_count(scripts, monkeypatch):
    monkeypatch.setattr(code, "WITHOUT_RESULT", ("core/b.py",))
    before = code.code_sha256("train")
    (scripts / "core" / "b.py").write_text("x = 1\n")
    code.code_sha256.cache_clear()
    assert code.code_sha256("train") == before


def test_real_scripts_are_followed_into_both_packages():
    found = names("finetune_fairseq")
    assert {"seedwise/training/runs.py", "seedwise/files.py", "seedwise_fairseq/tasks.py"} <= set(
        found
    )
    # An engine's change reruns that engine alone.
    assert not any(name.startswith("seedwise_fairseq") for name in names("finetune_transformers"))
    assert "seedwise/models/conversion.py" not in found
