"""Mistakes of a user, as the real Snakemake reports them: one message, no traceback, no job."""

from pathlib import Path

import pytest

from support.smoke_study import snakemake, write_study


def repeat_a_seed(config):
    config["seeds"] = [0, 1, 0]


def misspell_a_key(config):
    config["finetune"]["leraning_rate"] = 1e-3


def forget_a_key(config):
    del config["experiments"]["fairseq-random"]["init"]


def write_an_exponent_as_text(config):
    config["finetune"]["learning_rate"] = "1e-5"


def name_another_dataset(config):
    config["experiments"]["fairseq-random"]["dataset"] = "books"


def name_another_model(config):
    config["experiments"]["fairseq-random"]["model"] = "big"


def name_a_folder_that_is_not_there(config):
    config["datasets"]["reviews"]["source"]["path"] = "nowhere"


def publish(config, content, weights):
    """Let an experiment start from a folder with these files."""
    folder = Path("published")
    config["models"]["published"] = {"transformers_checkpoint": {"source": {"path": str(folder)}}}
    chosen = {"engine": "transformers", "init": "pretrained", "dataset": "reviews"}
    config["experiments"]["other"] = chosen | {"model": "published"}
    return {"config.json": content, weights: ""}


def start_from_a_decoder(config):
    return publish(config, '{"model_type": "llama"}', "model.safetensors")


def start_from_pickles(config):
    return publish(config, '{"model_type": "bert"}', "pytorch_model.bin")


def start_from_code(config):
    content = '{"model_type": "bert", "auto_map": {"AutoModel": "evil.M"}}'
    return publish(config, content, "model.safetensors")


def start_from_a_folder_that_is_not_there(config):
    publish(config, "{}", "model.safetensors")
    return {}


def train_a_deberta_with_fairseq(config):
    files = publish(config, '{"model_type": "deberta-v2"}', "model.safetensors")
    config["experiments"]["other"]["engine"] = "fairseq"
    return files


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            start_from_a_decoder,
            "published/config.json: a model of type 'llama', which is none of the",
        ),
        (
            start_from_pickles,
            "published: models.published.transformers_checkpoint allows weights in",
        ),
        (start_from_code, "published/config.json: `auto_map` asks for code of the model's own"),
        (start_from_a_folder_that_is_not_there, "checkpoint.source.path: published does not exist"),
        (train_a_deberta_with_fairseq, "experiments.other.engine: 'fairseq', but "),
    ],
)
def test_a_published_folder_that_cannot_be_used(tmp_path, change, said):
    files = {}
    write_study(tmp_path, lambda config: files.update(change(config)))
    for name, content in files.items():
        (tmp_path / "published").mkdir(exist_ok=True)
        (tmp_path / "published" / name).write_text(content)
    code, output = snakemake(tmp_path, "--dry-run")
    assert code == 1 and output.count(said) == 1
    assert "most recent call last" not in output
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (repeat_a_seed, "study.yaml: seeds: 0 stands there more than once"),
        (misspell_a_key, "finetune: unknown key 'leraning_rate'; allowed are adam_betas"),
        (forget_a_key, "experiments.fairseq-random: missing key 'init'; required are engine"),
        (write_an_exponent_as_text, "finetune.learning_rate: '1e-5' must be a number"),
        (name_another_dataset, "unknown dataset 'books'; datasets of this study are reviews"),
        (name_another_model, "unknown model 'big'; models of this study are tiny"),
        (name_a_folder_that_is_not_there, "datasets.reviews.source.path: nowhere does not exist"),
    ],
)
def test_mistake_in_the_configuration(tmp_path, change, said):
    write_study(tmp_path, change)
    code, output = snakemake(tmp_path, "--dry-run")
    assert code == 1
    assert output.count(said) == 1
    assert "most recent call last" not in output
    assert not (tmp_path / "results").exists()


def reviews(rows):
    return "text,label\n" + "".join(f"{text},{label}\n" for text, label in rows)


def use_a_label_that_is_not_configured(folder):
    texts = folder / "tests/data/smoke/reviews.csv"
    texts.write_text(reviews([("fine", "positive"), ("so so", "mixed")]), encoding="utf-8")


def leave_one_class(folder):
    texts = folder / "tests/data/smoke/reviews.csv"
    texts.write_text(reviews((f"fine {n}", "positive") for n in range(200)), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (use_a_label_that_is_not_configured, "line 3: label 'mixed' is not one of negative, pos"),
        (leave_one_class, "need 57 different texts of label 'negative'"),
    ],
)
def test_mistake_in_the_data_stops_before_any_training(tmp_path, spoil, said):
    write_study(tmp_path)
    spoil(tmp_path)
    code, _ = snakemake(tmp_path, "results/smoke/tables/summary.csv")
    assert code == 1
    log = (tmp_path / "logs/smoke/prepare_dataset/reviews.log").read_text(encoding="utf-8")
    errors = [line for line in log.splitlines() if " ERROR " in line]
    assert len(errors) == 1 and said in errors[0]
    assert "Traceback" not in log
    assert not list((tmp_path / "results/smoke").glob("runs/**/*"))
    assert not (tmp_path / "results/smoke/data/reviews/train.jsonl").exists()


def test_a_file_that_is_not_there(tmp_path):
    write_study(tmp_path)
    (tmp_path / "tests/data/smoke/reviews.csv").unlink()
    code, output = snakemake(tmp_path, "--dry-run")
    said = "datasets.reviews.source.path: tests/data/smoke/reviews.csv does not exist"
    assert code == 1 and output.count(said) == 1
    assert "most recent call last" not in output


def test_a_study_replaces_the_default_study(tmp_path):
    write_study(tmp_path)
    _, output = snakemake(tmp_path, "--dry-run")
    assert "results/smoke" in output and "results/demo" not in output
