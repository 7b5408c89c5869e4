import os
from pathlib import Path

import pytest
import yaml
from transformers import AutoConfig

from seedwise.errors import UserError
from seedwise.proposal.named_encoders import MINILM
from seedwise.study.entries import merge_hyperparameters
from seedwise.study.sources import source_path
from support import ROOT
from support.local_server import local_server
from support.proposals import COMMIT, FRAME, command, propose, write_french


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_encoder(folder, kind):
    """Write as much of a published encoder as a proposal reads: its weights are empty."""
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = AutoConfig.for_model(kind, intermediate_size=64, **sizes)
    config.save_pretrained(folder)
    (folder / "model.safetensors").write_bytes(b"")
    return folder


def test_other_languages_get_their_own_model_and_the_name_of_a_published_one(folder):
    write_french(folder / "livres.csv")
    config, _ = propose("livres.csv")
    assert config["models"]["small"]["corpus"] == ["livres"]
    page = (folder / "livres.yaml").read_text(encoding="utf-8")
    assert "make study DATA=livres.csv ENCODER=almanach/camembert-base" in page


def test_an_encoder_in_a_folder_goes_through_the_engines_that_hold_it(folder):
    FRAME.to_csv(folder / "reviews.csv", index=False)
    for kind in ("bert", "distilbert"):
        write_encoder(folder / f"My_{kind}", kind)
    config, _ = propose("reviews.csv", encoder="My_bert")
    assert list(config["experiments"]) == ["linear", "fairseq-my-bert", "transformers-my-bert"]
    assert config["models"]["my-bert"]["transformers_checkpoint"] == {"source": {"path": "My_bert"}}
    config, _ = propose("reviews.csv", encoder="My_distilbert", output=folder / "b.yaml")
    assert list(config["experiments"]) == ["linear", "transformers-my-distilbert"]


@pytest.mark.parametrize(
    ("encoder", "said"),
    [
        ("nowhere", "encoder 'nowhere': neither a folder or archive here"),
        ("empty", "empty: holds no model"),
        ("gpt", "a model of type 'gpt2'"),
        ("odd", r"odd/config\.json: transformers cannot load it"),
    ],
)
def test_what_is_no_encoder_is_one_message(folder, encoder, said):
    FRAME.to_csv(folder / "reviews.csv", index=False)
    (folder / "empty").mkdir()
    (folder / "gpt").mkdir()
    (folder / "gpt/config.json").write_text('{"model_type": "gpt2"}')
    (folder / "odd").mkdir()
    (folder / "odd/config.json").write_text('{"model_type": "bert", "hidden_size": "wide"}')
    (folder / "odd/model.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match=said):
        propose("reviews.csv", encoder=encoder)
    assert not list(folder.glob("*.yaml"))


def test_the_encoder_of_english_is_that_of_the_default_study():
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    assert config["models"]["minilm"]["transformers_checkpoint"] == MINILM.located


def test_an_encoder_of_the_hub_by_the_command(folder):
    FRAME.to_csv(folder / "reviews.csv", index=False)
    published = {p.name: p.read_bytes() for p in write_encoder(folder / "there", "bert").iterdir()}
    with local_server() as server:
        server.serve_repository(
            "owner/small-bert", "model", COMMIT, published | {"pytorch_model.bin": b"never read"}
        )
        done = command(folder, server.url, "reviews.csv", "--encoder", "owner/small-bert")
        fetched = {path.rpartition("/")[2] for path, _ in server.requests if "/resolve/" in path}
    assert "make run CONFIG=reviews.yaml" in done.stdout
    config = yaml.safe_load((folder / "reviews.yaml").read_text(encoding="utf-8"))
    source = {"hub": "owner/small-bert", "revision": COMMIT, "type": "model"}
    assert config["models"]["small-bert"]["transformers_checkpoint"] == {"source": source}
    assert [*config["experiments"]] == [
        "linear", "fairseq-small-bert", "transformers-small-bert",
    ]  # fmt: skip
    assert fetched == set(published)
    # What it fetched is what the workflow would.
    merge_hyperparameters(config)
    (wanted,) = (model["transformers_checkpoint"] for model in config["models"].values())
    assert Path(source_path(wanted["source"]), "config.json").is_file()


def test_a_gpu_gets_an_encoder_of_the_hub_where_there_is_one(folder):
    """A `nvidia-smi` in the search path is all that a proposal asks of a GPU."""
    write_french(folder / "livres.csv")
    (folder / "bin").mkdir()
    (folder / "bin/nvidia-smi").write_text("#!/bin/sh\n")
    (folder / "bin/nvidia-smi").chmod(0o755)
    path = f"{folder / 'bin'}{os.pathsep}{os.defpath}"
    published = write_encoder(folder / "there", "camembert")
    with local_server() as server:
        files = {file.name: file.read_bytes() for file in published.iterdir()}
        server.serve_repository("almanach/camembert-base", "model", COMMIT, files)
        command(folder, server.url, "livres.csv", path=path)
        nowhere = server.url
    config = yaml.safe_load((folder / "livres.yaml").read_text(encoding="utf-8"))
    assert "transformers-camembert-base" in config["experiments"]
    assert "fairseq-pretrained" not in config["experiments"]
    done = command(folder, nowhere, "livres.csv", "--output", "offline.yaml", path=path)
    assert "no published encoder: " in done.stderr
    config = yaml.safe_load((folder / "offline.yaml").read_text(encoding="utf-8"))
    assert "fairseq-pretrained" in config["experiments"]
