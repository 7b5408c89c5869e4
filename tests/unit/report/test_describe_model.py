import re

import yaml
from huggingface_hub import ModelCard, ModelCardData

import describe_model
from seedwise.files import read_json, write_json
from seedwise.models.linear import LinearModel
from support import synthetic_study
from support.linear_runs import make_run, train
from support.tiny.chain import run_settings


def test_card_says_data_settings_seeds_scores_and_licence(tmp_path):
    folders = synthetic_study.write_study(tmp_path)
    write_json(tmp_path / "audit.json", synthetic_study.AUDIT)
    write_json(tmp_path / "tokenizer_config.json", {"model_max_length": 30})
    describe_model.main(
        metrics=[folder / "metrics.json" for folder in folders[:3]],
        audit=tmp_path / "audit.json",
        seed=1,
        settings=run_settings("fairseq", "pretrained"),
        title="A synthetic study",
        licence="cc-by-4.0",
        output=tmp_path / "README.md",
    )
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    meta = yaml.safe_load(head)
    assert meta["license"] == "cc-by-4.0"
    assert meta["pipeline_tag"] == "text-classification"
    (model,) = meta["model-index"]
    assert model["results"][0]["metrics"][0] == {"type": "accuracy", "value": 0.815}
    # As the hub's own library reads it, which raises at metadata that it cannot take.
    data = ModelCardData(**meta, ignore_metadata_errors=False)
    assert [(one.metric_type, one.metric_value) for one in data.eval_results] == [
        ("accuracy", 0.815),
        ("f1", 0.813),
    ]
    assert ModelCard(text).data.to_dict() == data.to_dict() and data.model_name == (
        "fairseq-pretrained-seed-1"
    )
    assert "| this model | 81.5 % | 81.3 % |" in body
    # By hand: mean 0.81667, population deviation 0.01434; t(0.975, 2) = 4.3027.
    assert "81.7 % ± 1.4" in body and "77.3 to 86.0 %" in body
    assert "seeds\n0, 1, 2." in body
    assert "| finetune.learning_rate | 0.003 |" in body
    assert "1,600 texts: 800 negative, 800 positive" in body
    assert "Texts of more than 30 tokens are cut" in body
    assert "CITATION.cff" in body


def test_card_of_a_linear_model_has_code_that_runs(tmp_path, monkeypatch, capsys):
    run = make_run(tmp_path)
    paths = train(run, tmp_path)
    write_json(tmp_path / "audit.json", synthetic_study.AUDIT)
    describe_model.main(
        metrics=[paths["metrics"]],
        audit=tmp_path / "audit.json",
        seed=0,
        settings=run.settings,
        title="A synthetic study",
        licence="mit",
        output=paths["model"] / "README.md",
    )
    text = (paths["model"] / "README.md").read_text(encoding="utf-8")
    meta = yaml.safe_load(text.split("---\n")[1])
    assert meta["library_name"] == "scikit-learn" and "linear" in meta["tags"]
    metrics = read_json(paths["metrics"])
    chosen = metrics["candidates"][metrics["best_epoch"] - 1]
    assert f"TF-IDF of {chosen['features']} (C = {chosen['C']})" in text
    assert "No seed changes the result. 8 candidates were tried." in text
    assert "seeds, mean" not in text and "| linear.C | 0.1, 1, 10, 100 |" in text
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    sentences = ["A fine film, well made.", "It broke and failed."]
    monkeypatch.chdir(paths["model"])
    exec(code.replace('["A text."]', repr(sentences)), {})
    model = LinearModel.load(paths["model"])
    best = model.probabilities(sentences).argmax(axis=1)
    assert capsys.readouterr().out == f"{[model.labels[i] for i in best]}\n"
