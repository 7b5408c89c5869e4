import copy
import re

import pytest
import yaml
from snakemake.utils import validate

from seedwise.errors import UserError
from seedwise.study import entries, validation
from support import ROOT
from support.smoke_study import CONFIG


@pytest.fixture
def config():
    return yaml.safe_load(CONFIG.read_text(encoding="utf-8"))


def message(config):
    with pytest.raises(UserError) as caught:
        validation.check_config(config, "study.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    "path", [ROOT / "config.yaml", *(ROOT / "configs").glob("*.yaml")], ids=lambda p: p.name
)
def test_the_projects_studies_are_valid_with_and_without_their_defaults(path):
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    validation.check_config(config, path.name)
    entries.merge_hyperparameters(config)
    validate(config, validation.CONFIG_SCHEMA)
    validation.check_config(config, path.name)  # as report.html is made from the study's record
    for model in config["models"].values():
        assert ("tokenizer" in model) == ("corpus" in model)


# What to set (a path of keys and a value; a lone path is removed), and what must be said.
MISTAKES = {
    "unknown key": (
        ("finetune.leraning_rate", 1e-3),
        "finetune: unknown key 'leraning_rate'; allowed are adam_betas, adam_eps, adapter",
    ),
    "unknown key at the top": (
        ("seed", 1),
        "the top level: unknown key 'seed'; allowed are corpus_shards",
    ),
    "missing key at the top": (("seeds",), "the top level: missing key 'seeds'; required are stu"),
    "missing key": (
        ("experiments.fairseq-random.init",),
        "experiments.fairseq-random: missing key 'init'; required are engine, init, dataset, model",
    ),
    "exponent without a point": (
        ("finetune.learning_rate", "1e-5"),
        "finetune.learning_rate: '1e-5' must be a number (YAML reads 1e-5 as text: write 1.0e-5)",
    ),
    "an experiment's own": (
        ("experiments.fairseq-random.finetune", {"learning_rate": "1e-5"}),
        "experiments.fairseq-random.finetune.learning_rate: '1e-5' must be a number",
    ),
    "half an epoch": (("finetune.epochs", 2.5), "finetune.epochs: 2.5 must be a whole number"),
    "no epoch": (("finetune.epochs", 0), "finetune.epochs: 0 is less than the minimum of 1"),
    "repeated seeds": (("seeds", [3, 0, 3]), "seeds: 3 stands there more than once"),
    "no seeds": (("seeds", []), "seeds: [] should be non-empty"),
    "one seed": (("seeds", 3), "seeds: 3 must be a list"),
    "quoted seed": (("seeds", ["0"]), "seeds.0: '0' must be a whole number"),
    "unknown dataset": (
        ("experiments.fairseq-random.dataset", "books"),
        "experiments.fairseq-random.dataset: unknown dataset 'books'; "
        "datasets of this study are reviews",
    ),
    "unknown model": (
        ("experiments.fairseq-random.model", "big"),
        "experiments.fairseq-random.model: unknown model 'big'; models of this study are tiny",
    ),
    "unknown corpus": (
        ("models.tiny.corpus", ["books"]),
        "models.tiny.corpus: unknown dataset 'books'; datasets of this study are reviews",
    ),
    "a model for the linear engine": (
        ("experiments.linear.model", "tiny"),
        "experiments.linear.model: not a key of the engine 'linear'",
    ),
    "a start for the linear engine": (
        ("experiments.linear.init", "random"),
        "experiments.linear.init: not a key of the engine 'linear'",
    ),
    "fine-tuning of the linear engine": (
        ("experiments.linear.finetune", {"epochs": 1}),
        "experiments.linear.finetune: not a key of the engine 'linear'",
    ),
    "the linear engine's section elsewhere": (
        ("experiments.fairseq-random.linear", {"C": [1]}),
        "experiments.fairseq-random.linear: not a key of the engine 'fairseq'",
    ),
    "a linear experiment without data": (
        ("experiments.linear.dataset",),
        "experiments.linear: missing key 'dataset'; required are engine, dataset",
    ),
    "no engine": (
        ("experiments.linear.engine",),
        "experiments.linear: missing key 'engine'; required are engine, dataset",
    ),
    "other n-grams": (
        ("linear", {"features": ["sentences"]}),
        "linear.features.0: 'sentences' is not one of words, characters",
    ),
    "a regularization without end": (("linear", {"C": [0]}), "linear.C.0: 0 is less than or"),
    "the name of a row of the tables": (
        ("experiments.commonest-label", {"engine": "linear", "dataset": "reviews"}),
        "experiments.commonest-label: the tables have a row of this name; give the experiment",
    ),
    "unknown engine": (
        ("experiments.fairseq-random.engine", "jax"),
        "experiments.fairseq-random.engine: 'jax' is not one of fairseq, transformers, linear",
    ),
    "heads that do not divide": (
        ("models.tiny.architecture.attention_heads", 3),
        "models.tiny.architecture.embed_dim: 32 is not a multiple of attention_heads (3)",
    ),
    "blocks beyond the positions": (
        ("models.tiny.pretrain.block_tokens", 64),
        "models.tiny.pretrain.block_tokens: 64 is more than architecture.max_positions (32)",
    ),
    "two origins of a model": (
        ("models.tiny.fairseq_checkpoint", {"source": {"path": "x"}}),
        "models.tiny: exactly one of corpus or fairseq_checkpoint or transformers_checkpoint",
    ),
    "a model of a corpus without its sizes": (
        ("models.tiny.architecture",),
        "models.tiny: missing key 'architecture'; required are architecture",
    ),
    "a size that is missing": (
        ("models.tiny.architecture.layers",),
        "models.tiny.architecture: missing key 'layers'; required are layers, embed_dim",
    ),
    "a study no folder can be named after": (
        ("study", "../My study"),
        "study: '../My study' does not match",
    ),
    "a checksum that is none": (
        ("datasets.reviews.source.sha256", "abc"),
        "datasets.reviews.source.sha256: 'abc' does not match",
    ),
    "a package without checksum": (
        ("datasets.reviews.source", {"package": "a==1"}),
        "datasets.reviews.source: ",
    ),
}


@pytest.mark.parametrize(("change", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_that_names_the_key(config, change, said):
    *parents, last = change[0].split(".")
    section = config
    for parent in parents:
        section = section[parent]
    if len(change) == 1:
        del section[last]
    else:
        section[last] = change[1]
    text = message(config)
    assert text.startswith(f"study.yaml: {said}")
    assert "\n" not in text


def test_every_mistake_is_reported_at_once(config):
    config["seeds"] = [1, 1]
    config["finetune"]["epochs"] = -1
    assert len(message(config).splitlines()) == 2


def test_a_pretrained_start_needs_a_pretrained_model(config):
    del config["models"]["tiny"]["pretrain"]
    said = "experiments.fairseq-pretrained.init: 'pretrained', but models.tiny has neither"
    assert said in message(config)
    config["experiments"] = {"fairseq-random": config["experiments"]["fairseq-random"]}
    validation.check_config(config, "study.yaml")


@pytest.mark.parametrize(
    ("checkpoint", "files", "converted"),
    [
        ({"fairseq_checkpoint": {"bpe": "sentencepiece"}}, ["sentencepiece.bpe.model"], []),
        ({"fairseq_checkpoint": {"bpe": "gpt2"}}, entries.PUBLISHED_TOKENIZER, []),
        ({"transformers_checkpoint": {}}, entries.PUBLISHED_TOKENIZER, ["tiny"]),
        (
            {"fairseq_checkpoint": {"bpe": "sentencepiece"}, "transformers_checkpoint": {}},
            ["sentencepiece.bpe.model"],
            [],
        ),
    ],
)
def test_a_model_comes_with_a_tokenizer(checkpoint, files, converted):
    config = {"models": {"tiny": checkpoint}}
    assert entries.tokenizer_files(config, "tiny") == files
    assert entries.converted_to_fairseq(config) == converted


def test_experiments_override_the_hyperparameters_of_the_study(config):
    config["experiments"]["fairseq-random"]["finetune"] = {"epochs": 1}
    entries.merge_hyperparameters(config)
    chosen = config["experiments"]["fairseq-random"]["finetune"]
    assert (chosen["epochs"], chosen["batch_size"]) == (1, 4)
    assert config["experiments"]["fairseq-pretrained"]["finetune"]["epochs"] == 6
    assert config["finetune"]["epochs"] == 6


def test_experiments_are_found_by_their_keys(config):
    assert entries.experiments(config, engine="fairseq", init="random") == ["fairseq-random"]
    assert entries.experiments(config, model="tiny") == entries.experiments(config)[1:]
    assert len(entries.experiments(config)) == 4


def test_name_pattern_matches_these_names_only():
    pattern = re.compile(entries.name_pattern(["a.b", "c"]))
    assert pattern.fullmatch("a.b") and pattern.fullmatch("c")
    assert not pattern.fullmatch("axb")
    nothing = re.compile(entries.name_pattern([]))
    assert not nothing.fullmatch("") and not nothing.fullmatch("a")


def test_a_random_start_does_not_depend_on_the_pretraining(config):
    entries.merge_hyperparameters(config)
    changed = copy.deepcopy(config)
    changed["models"]["tiny"]["pretrain"]["updates"] = 1
    random, pretrained = "fairseq-random", "fairseq-pretrained"
    assert entries.run_settings(config, random) == entries.run_settings(changed, random)
    assert entries.run_settings(config, pretrained) != entries.run_settings(changed, pretrained)


def test_a_linear_experiment_has_a_section_of_its_own_and_one_seed(config):
    config["linear"] = {"C": [1, 3]}
    config["experiments"]["words"] = config["experiments"]["linear"] | {
        "linear": {"features": ["words"]}
    }
    entries.merge_hyperparameters(config)
    assert config["experiments"]["words"]["linear"] == {"C": [1, 3], "features": ["words"]}
    assert "finetune" not in config["experiments"]["linear"]
    settings = entries.run_settings(config, "linear")
    assert (settings["init"], settings["model"]) == ("none", "linear")
    assert settings["linear"] == {"C": [1, 3], "precision": "float64", "threads": 1}
    assert entries.seeds(config | {"seeds": [4, 2]}, "linear") == [4]
    assert entries.seeds(config | {"seeds": [4, 2]}, "fairseq-random") == [4, 2]
    assert entries.datasets_with_model(config, "tiny") == ["reviews"]


def test_run_settings_follow_every_other_setting(config):
    entries.merge_hyperparameters(config)
    before = entries.run_settings(config, "fairseq-random")
    changed = copy.deepcopy(config)
    changed["models"]["tiny"]["architecture"]["dropout"] = 0.5
    assert entries.run_settings(changed, "fairseq-random") != before
    changed = copy.deepcopy(config)
    changed["experiments"]["fairseq-random"]["finetune"]["learning_rate"] = 1.0
    assert entries.run_settings(changed, "fairseq-random") != before
    assert entries.run_settings(changed, "fairseq-pretrained")["finetune"]["learning_rate"] != 1.0
    assert "models" not in before and config["models"]["tiny"]["architecture"]


def test_a_published_folder_needs_no_architecture(config):
    folder = {"transformers_checkpoint": {"source": {"path": "x"}}, "max_tokens": 9}
    config["models"]["published"] = folder
    config["models"]["partly"] = folder | {"architecture": {"layers": 3}}
    validation.check_config(config, "study.yaml")
    chosen = {"engine": "transformers", "init": "random", "dataset": "reviews"}
    config["experiments"]["new"] = chosen | {"model": "published"}
    entries.merge_hyperparameters(config)
    settings = entries.run_settings(config, "new")
    assert settings["architecture"] == {} and settings["model_source"]["max_tokens"] == 9


def test_texts_of_a_checkpoint_end_at_the_studys_limit(config):
    assert entries.max_tokens(config, "tiny") == 32
    config["models"]["tiny"]["max_tokens"] = 16
    assert "models.tiny.max_tokens: is for a checkpoint" in message(config)
    model = config["models"]["tiny"]
    del model["corpus"], model["pretrain"]
    model["fairseq_checkpoint"] = {"source": {"path": "x"}}
    validation.check_config(config, "study.yaml")
    assert entries.max_tokens(config, "tiny") == 16
    model["max_tokens"] = 99
    assert entries.max_tokens(config, "tiny") == 32


def test_fairseq_builds_its_own_models_and_those_it_is_asked_for(config):
    folder = {"transformers_checkpoint": {"source": {"path": "x"}}}
    config["models"] |= {"asked": folder, "other": folder}
    chosen = {"engine": "fairseq", "init": "pretrained", "dataset": "reviews", "model": "asked"}
    config["experiments"]["new"] = chosen
    assert entries.fairseq_models(config) == ["tiny", "asked"]


def test_a_hubs_repository_is_fetched_in_part(config):
    source = {"hub": "a/b", "type": "model", "revision": "main"}
    config["models"]["published"] = {"transformers_checkpoint": {"source": source}}
    entries.merge_hyperparameters(config)
    located = config["models"]["published"]["transformers_checkpoint"]
    assert "model.safetensors" in located["source"]["include"] and "include" not in source
    validation.check_config(config, "study.yaml")  # as report.html is made from the study's record
