"""What `seedwise.code.WITHOUT_RESULT` names cannot change a result: each engine runs without it."""

import ast
import logging
import sys

import pytest

import finetune_fairseq
import finetune_transformers
from seedwise import errors
from seedwise.code import SCRIPTS, WITHOUT_RESULT
from seedwise.machine import progress
from support import linear_runs
from support.tiny.chain import make_run, write_chain

RESULTS = ("history", "predictions")


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return write_chain(tmp_path_factory.mktemp("chain"))


def fairseq(chain, folder):
    paths = {name: folder / name for name in (*RESULTS, "metrics", "model")}
    run = make_run(chain, "fairseq")
    finetune_fairseq.main(run=run, binarized=chain.binarized, pretrained=None, **paths)
    return [paths[name].read_bytes() for name in RESULTS]


def transformers(chain, folder):
    paths = {name: folder / name for name in (*RESULTS, "metrics", "model")}
    files = [chain.tokens / "sentencepiece.bpe.model", chain.tokens / "dict.txt"]
    run = make_run(chain, "transformers")
    finetune_transformers.main(run=run, start=None, tokenizer_files=files, **paths)
    return [paths[name].read_bytes() for name in RESULTS]


def linear(chain, folder):
    paths = linear_runs.train(linear_runs.make_run(folder), folder)
    return [paths[name].read_bytes() for name in RESULTS]


@pytest.mark.parametrize("train", [fairseq, transformers, linear], ids=lambda f: f.__name__)
def test_results_are_the_same_without_them(chain, tmp_path, monkeypatch, train):
    before = train(chain, tmp_path / "with")
    asked = []
    # Whenever it is asked, progress is due; nothing is reported, nothing logged, no name quoted.
    monkeypatch.setattr(progress.Reporter, "due", lambda self, update: asked.append(1) or True)
    monkeypatch.setattr(progress.Reporter, "report", lambda self, *given: asked.append(1))
    monkeypatch.setattr(errors, "one_line", lambda name: "")
    logging.disable()
    try:
        assert train(chain, tmp_path / "without") == before
    finally:
        logging.disable(logging.NOTSET)
    assert asked


@pytest.mark.parametrize("name", WITHOUT_RESULT)
def test_they_import_nothing_that_computes(name):
    tree = ast.parse((SCRIPTS / name).read_text(encoding="utf-8"))
    found = {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    found |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    own = {path.removesuffix(".py").replace("/", ".") for path in WITHOUT_RESULT}
    assert {module.split(".")[0] for module in found - own} <= sys.stdlib_module_names - {"random"}
