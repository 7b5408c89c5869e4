"""What is refused of a published transformers folder before anything is loaded."""

import json
import re

import pytest

from seedwise.errors import UserError
from seedwise.study import encoders
from support import ROOT

KEY = "models.m.transformers_checkpoint"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "deberta-v2"}')
    (folder / "model.safetensors").write_bytes(b"")
    return folder


def study(path, engine="transformers", text="text", **located):
    located = {"source": {"path": str(path)}, **located}
    return {
        "models": {"m": {"transformers_checkpoint": located}},
        "datasets": {"d": {"text": text}},
        "experiments": {"e": {"model": "m", "engine": engine, "dataset": "d"}},
    }


def message(config):
    with pytest.raises(UserError) as caught:
        encoders.check_encoders(config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_sound_folder_passes(folder):
    encoders.check_encoders(study(folder))
    encoders.check_encoders(study(folder.parent, folder="published"))
    assert encoders.check_folder(folder, KEY, pickle=False) == "deberta-v2"


@pytest.mark.parametrize("kind", ["gpt2", "llama", "bloom", "t5", "bart", "vit", "evil\n", None, 3])
def test_what_is_no_encoder_is_refused_with_file_key_and_what_is_allowed(folder, kind):
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    said = message(study(folder))
    assert said.startswith(f"{folder}/config.json: a model of type ")
    assert f"{KEY} allows: albert, bert," in said and "xlm-roberta" in said


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_code_of_its_own_is_refused(folder, file):
    content = {"model_type": "bert", "auto_map": {"AutoModel": "modeling_x.M"}}
    (folder / file).write_text(json.dumps(content))
    assert message(study(folder)).startswith(f"{folder / file}: `auto_map` asks for code")


def test_a_folder_of_pickles_is_refused_unless_the_study_wants_it(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    said = message(study(folder))
    assert said.startswith(f"{folder}: {KEY} allows weights in model.safetensors")
    assert said.endswith("the folder holds config.json, pytorch_model.bin")
    encoders.check_encoders(study(folder, pickle=True))


def test_weights_in_parts_pass(folder):
    (folder / "model.safetensors").rename(folder / "model.safetensors.index.json")
    encoders.check_encoders(study(folder))


@pytest.mark.parametrize("text", ["[1]", "{", ""])
def test_a_configuration_that_is_none(folder, text):
    (folder / "config.json").write_text(text)
    assert message(study(folder)).startswith(f"{folder}/config.json: ")


def test_what_is_not_there(folder):
    (folder / "config.json").unlink()
    said = "config.json: missing; the folder holds model.safetensors"
    assert message(study(folder)) == f"{folder}/{said}"
    said = f"{KEY}.source.path: {folder}/nowhere does not exist"
    assert message(study(folder / "nowhere")) == said


def test_fairseq_cannot_hold_every_type(folder):
    said = message(study(folder, "fairseq"))
    assert said.startswith(
        f"experiments.e.engine: 'fairseq', but {folder}/config.json is a model of"
    )
    assert "type 'deberta-v2'; fairseq holds bert, camembert, electra, roberta, xlm-roberta" in said
    config = study(folder, "fairseq")
    config["models"]["m"]["fairseq_checkpoint"] = {}  # it has another one to start from
    encoders.check_encoders(config)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    encoders.check_encoders(study(folder, "fairseq"))


@pytest.mark.parametrize("kind", ["bert", "electra"])
def test_fairseq_has_no_token_types_for_pairs(folder, kind):
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    said = message(study(folder, "fairseq", ["premise", "hypothesis"]))
    assert said.startswith("experiments.e.engine: 'fairseq' with pairs of texts, but ")
    encoders.check_encoders(study(folder, "transformers", ["premise", "hypothesis"]))
    (folder / "config.json").write_text('{"model_type": "roberta"}')
    encoders.check_encoders(study(folder, "fairseq", ["premise", "hypothesis"]))


def test_other_sources_are_left_to_the_import(tmp_path):
    archive = tmp_path / "model.zip"
    archive.write_bytes(b"")
    encoders.check_encoders(study(archive))
    config = study(archive)
    config["models"]["m"]["transformers_checkpoint"]["source"] = {"url": "https://a.b/c.zip"}
    encoders.check_encoders(config)


def test_only_what_is_needed_comes_from_a_hub():
    hub = {"hub": "a/b", "type": "model", "revision": "main"}
    include = encoders.with_needed_files({"source": hub})["source"]["include"]
    assert {"config.json", "model.safetensors", "tokenizer.json", "spm.model"} <= set(include)
    assert not [name for name in include if "bin" in name]
    inside = encoders.with_needed_files({"source": hub, "folder": "x/"})["source"]["include"]
    assert inside == [f"x/{name}" for name in include]
    pickles = encoders.with_needed_files({"source": hub, "pickle": True})["source"]["include"]
    assert "pytorch_model.bin" in pickles
    for own in (hub | {"include": ["*"]}, {"path": "x"}):
        assert encoders.with_needed_files({"source": own}) == {"source": own}


def test_the_documentation_names_the_types():
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    listed = re.search(r"is one of (`albert`[^.]*)\.", text)
    assert tuple(re.findall(r"`([\w-]+)`", listed[1])) == encoders.ENCODERS
