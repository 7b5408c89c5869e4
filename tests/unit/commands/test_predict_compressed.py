import gzip
from functools import partial

import pyarrow
import pytest

import predict
from support.linear_runs import make_run, train

PACK = {"gz": gzip.compress, "zst": partial(pyarrow.compress, codec="zstd", asbytes=True)}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return train(make_run(folder, features=["words"]), folder)["model"]


@pytest.mark.parametrize("ending", PACK)
def test_a_compressed_table_and_compressed_lines(model, tmp_path, capsys, ending):
    given = {"model": [model], "texts": [], "form": "jsonl", "device": "cpu"}
    found = []
    for name, content, columns in (
        ("a.csv", "text\ngood\nbad\n", ["text"]),
        ("a.txt", "good\nbad\n", []),
    ):
        path = tmp_path / f"{name}.{ending}"
        path.write_bytes(PACK[ending](content.encode()))
        predict.main(**given, file=path, columns=columns)
        found.append(capsys.readouterr())
    predict.main(**given | {"texts": ["good", "bad"]}, file=None, columns=[])
    assert found[0] == found[1] == capsys.readouterr()
    assert found[0].err.startswith("2 texts") and found[0].out.count("prediction") == 2
