import copy
import shutil
import subprocess

import pandas as pd
import pytest
import yaml

import analyse_predictions
import plot_accuracy
import render_pdf
from seedwise.code import git_commit
from seedwise.files import read_json, write_json
from seedwise.report import presentation_parts
from seedwise.report.printed_tables import TABLES
from support import ROOT, synthetic_study

OPTIONAL = {"score_comparisons", "ranks", "search", "learning_curve", "forms"}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="6"><path d="M0 0h9v6"/></svg>'
SUMMARY = """\
experiment,engine,init,dataset,n,mean,std,ci_low,ci_high,published_mean,published_std,candidates,macro_f1_mean,macro_f1_std,varied,measure
fairseq-pretrained,fairseq,pretrained,reviews,3,0.7967,0.0143,0.77,0.86,0.8167,0.0143,1,0.79,0.02,seed,accuracy
transformers-pretrained,transformers,pretrained,reviews,1,0.8067,0.0,,,,,1,0.8,0.0,seed,accuracy
"""
COMPARISONS = """\
dataset,experiment_a,experiment_b,texts,seeds,mean_a,mean_b,difference,ci_low,ci_high,seeds_ci_low,seeds_ci_high,p_value,p_holm,test,macro_f1_difference,macro_f1_ci_low,macro_f1_ci_high,macro_f1_p_value,macro_f1_p_holm,macro_f1_test,p_better,p_better_low,p_better_high
reviews,fairseq-pretrained,transformers-pretrained,400,3,0.79,0.8,0.01,0.002,0.018,,,1e-9,3e-9,t,0.011,0.003,0.019,0.001,0.002,exact,0.75,0.5,1.0
"""
SEARCH = """\
experiment,candidate,learning_rate,adam_betas,batch_size,valid_accuracy,valid_macro_f1,valid_loss,best_epoch,train_seconds,chosen
transformers-pretrained,0a,1e-05,,,0.75,0.74,0.5,2,30.5,False
transformers-pretrained,0b,0.0001,"[0.9, 0.98]",32.0,0.81,0.8,0.4,3,30.5,True
"""
COSTS = """\
rule,run,wall_seconds,cpu_seconds,peak_mib,tokens_per_second
finetune_fairseq,fairseq-pretrained/seed-0,65,63,1500,7654.3
"""


@pytest.fixture
def inputs(tmp_path):
    results = tmp_path / "results"
    folders = synthetic_study.write_study(results)
    tables = results / "tables"
    metrics = [read_json(folder / "metrics.json") for folder in folders]
    pd.DataFrame(metrics).to_csv(tables / "runs.csv", index=False)
    for name, text in (("summary", SUMMARY), ("comparisons", COMPARISONS), ("costs", COSTS)):
        (tables / f"{name}.csv").write_text(text)
    analyse_predictions.main(
        metrics=[folder / "metrics.json" for folder in folders],
        predictions=[folder / "predictions.csv" for folder in folders],
        tests={"reviews": results / "data/reviews/test.jsonl"},
        outputs={name: tables / f"{name}.csv" for name in analyse_predictions.COLUMNS},
    )
    names = ["training-fairseq", "training-x", "accuracy", "confusion-reviews"]
    names += ["calibration-reviews", "lora-loss"]
    figures = [tmp_path / f"{name}.svg" for name in names]
    for path in figures:
        path.write_text(SVG)
    return {
        "config": synthetic_study.CONFIG,
        "template": ROOT / "reports" / "report.typ",
        "tables": {name: tables / f"{name}.csv" for name in TABLES if name not in OPTIONAL},
        "audits": {"reviews": results / "data" / "reviews" / "audit.json"},
        "metrics": [folder / "metrics.json" for folder in folders],
        "engines": ["fairseq", "x"],
        "figures": figures[:-1],
        "conversions": {},
        "chosen": [],
        "lora": None,
        "pdf": tmp_path / "report.pdf",
        "config_output": tmp_path / "config.yaml",
    }


def text_of(pdf):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    command = ["pdftotext", "-layout", str(pdf), "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_pdf_and_configuration_are_written_the_same_again(inputs, tmp_path):
    render_pdf.main(**inputs)
    assert inputs["pdf"].read_bytes().startswith(b"%PDF")
    assert yaml.safe_load(inputs["config_output"].read_text()) == synthetic_study.CONFIG
    again = inputs | {"pdf": tmp_path / "again.pdf"}
    render_pdf.main(**again)
    assert again["pdf"].read_bytes() == inputs["pdf"].read_bytes()


OWN = yaml.safe_load((ROOT / "configs" / "paper.yaml").read_text(encoding="utf-8"))["headings"]


@pytest.mark.parametrize(
    ("headings", "titles"),
    [({}, ("Parameters of the models", "Fine-tuning")), (OWN, ("Question 1", "Tasks 2 to 5"))],
    ids=["any study", "the paper"],
)
def test_pdf_reads_like_the_study(inputs, headings, titles):
    render_pdf.main(**inputs | {"config": synthetic_study.CONFIG | {"headings": headings}})
    text = text_of(inputs["pdf"]).split("Appendix")[0]
    positions = [
        text.index(heading)
        for heading in ("What was run", *titles, "Comparisons", "Costs", "Versions")
    ]
    assert positions == sorted(positions)
    assert headings or not ("Question" in text or "Task" in text)
    assert "79.7 % ± 1.4" in text  # measured
    assert "81.7 % ± 1.4" in text  # published
    assert "−1.4" in text  # published standard deviations apart
    assert "22,807,552" in text
    assert "seeds of fairseq-pretrained" in text  # agreement
    assert ", a fine film." in text  # a text that all runs get wrong
    assert "negative 1, positive 2" in text  # the votes on one that the seeds disagree about
    assert "75 % (50.0 to 100.0)" in text  # probability that the second is better
    assert "Question 2" not in text
    assert f"snakemake --configfile {inputs['config_output']}"[:30] in text


def page_one(pdf):
    return " ".join(text_of(pdf).split("\f")[0].split())


def test_page_one_is_the_answer_the_accuracy_and_the_summary(inputs):
    render_pdf.main(**inputs)
    text = page_one(inputs["pdf"])
    parts = [
        "A synthetic study", "On reviews, transformers-pretrained is best, with a test accuracy of",
        "It is 1.0 points above fairseq-pretrained, its nearest rival", "the difference is shown.",
        "A difference is called shown if", "Figure 1: Test accuracy", "Table 1: Test accuracy",
    ]  # fmt: skip
    assert sorted(parts, key=text.index) == parts


def test_page_one_holds_twelve_experiments_with_long_names(inputs, tmp_path):
    tables = synthetic_study.many_experiments(12)
    for name in ("summary", "comparisons"):
        tables[name].to_csv(inputs["tables"][name], index=False)
    tables["runs"].to_csv(tmp_path / "runs.csv", index=False)
    plot_accuracy.main(
        runs=tmp_path / "runs.csv",
        summary=inputs["tables"]["summary"],
        experiments=list(dict.fromkeys(tables["runs"]["experiment"])),
        svg=tmp_path / "accuracy.svg",
        png=tmp_path / "accuracy.png",
    )
    render_pdf.main(**inputs)
    text = page_one(inputs["pdf"])
    assert "commonest-label reviews – 50.0 % deterministic" in text
    assert "tf-idf-logistic-regression reviews – 74.0 % deterministic" in text
    assert "above the linear baseline tf-idf" in text


def test_lora_is_printed_where_there_is_some(inputs, tmp_path):
    lora = tmp_path / "lora.json"
    lora.write_text(LORA)
    inputs["figures"].append(tmp_path / "lora-loss.svg")
    render_pdf.main(**inputs | {"lora": lora})
    text = text_of(inputs["pdf"])
    assert "LoRA adapters" in text
    assert "1,572,864" in text
    assert "h.0.query_key_value" in text and "16 · (1024 + 3072)" in text and "65,536" in text
    assert "12 %" in text and "88 %" in text  # answers that ended by themselves
    assert "Cliquez sur le bouton" in text


def test_a_search_is_printed_with_bounds_budget_and_candidates(inputs, tmp_path):
    config = copy.deepcopy(synthetic_study.CONFIG)
    over = {
        "learning_rate": {"from": 1.0e-6, "to": 0.001, "scale": "log"},
        "batch_size": [16, 32],
    }
    for experiment in config["experiments"].values():
        experiment["finetune"] = config["finetune"]
    config["experiments"]["transformers-pretrained"]["search"] = {"over": over, "budget": 2}
    chosen = tmp_path / "search" / "transformers-pretrained" / "chosen.json"
    write_json(chosen, {"candidate": "0b", "values": {"learning_rate": 0.0001}})
    table, figure = tmp_path / "search.csv", tmp_path / "search.svg"
    table.write_text(SEARCH)
    figure.write_text(SVG)
    inputs["tables"]["search"] = table
    inputs["figures"].append(figure)
    render_pdf.main(**inputs | {"config": config, "chosen": [chosen]})
    text = " ".join(text_of(inputs["pdf"]).split())
    assert "1e-06 to 0.001 (log)" in text and "16, 32" in text
    assert "2 at random, seed 0" in text
    assert "learning_rate = 0.0001; adam_betas =" in text and "batch_size = 32" in text
    assert "transformers-pretrained: 0.0001" in text  # among the hyper-parameters


def test_learning_curves_are_printed_with_a_sentence(inputs, tmp_path):
    rows = [
        f"fairseq-random,fairseq,reviews,{texts},{seed},0.5,{accuracy + 0.01 * seed},0.5"
        for texts, accuracy in ((100, 0.5), (400, 0.6))
        for seed in (0, 1)
    ]
    head = "experiment,engine,dataset,train_texts,seed,valid_accuracy,test_accuracy,test_macro_f1"
    table, figure = tmp_path / "curve.csv", tmp_path / "learning-curve-reviews.svg"
    table.write_text("\n".join([head, *rows]))
    figure.write_text(SVG)
    inputs["tables"]["learning_curve"] = table
    inputs["figures"].append(figure)
    render_pdf.main(**inputs)
    text = " ".join(text_of(inputs["pdf"]).split())
    assert "60.5 % ± 0.5" in text
    assert "From 100 to 400 training texts fairseq-random gained 10.0 points" in text


def test_text_from_data_is_never_markup(inputs):
    config = copy.deepcopy(synthetic_study.CONFIG)
    config["title"] = "A #panic() *title* $x$ @here"
    render_pdf.main(**inputs | {"config": config})
    assert "#panic() *title* $x$ @here" in text_of(inputs["pdf"])


def test_hyperparameters_by_experiment_only_where_they_differ():
    config = {
        "experiments": {
            "a": {"finetune": {"epochs": 5, "learning_rate": 1e-05}},
            "b": {"finetune": {"epochs": 5, "learning_rate": 2e-05}},
            "c": {"engine": "linear", "linear": {"C": [1, 10]}},
        }
    }
    assert render_pdf.hyperparameters(config, {"b": {"learning_rate": 2.0e-5}}) == [
        ("epochs", "5"),
        ("learning_rate", "a: 1e-05; b: 2e-05"),
        ("linear.C", "1, 10"),
    ]


def test_commit_of_a_folder_that_git_does_not_know(tmp_path, monkeypatch):
    assert git_commit(tmp_path) == "unknown"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_commit(ROOT) == "unknown"


def test_versions_that_differ_between_runs_are_all_named():
    runs = [{"versions": {"torch": "2.13.0"}}, {"versions": {"torch": "2.12.0"}}, {}]
    assert presentation_parts.versions(runs) == [("torch", "2.12.0, 2.13.0")]


LORA = """\
{"experiments": [{
  "name": "bloom-lora", "model": "bloom", "dataset": "faq", "quantization": "none",
  "template": "<human>: {question}\\n<assistant>: {answer}",
  "lora_config": [{"parameter": "r", "value": "16", "meaning": "rank", "effect": "proportional"}],
  "layers": [{"module": "h.0.query_key_value", "in_features": 1024, "out_features": 3072,
              "formula": "16 * (1024 + 3072)", "analytic": 65536, "counted": 65536}],
  "analytic_parameters": 1572864, "trainable_parameters": 1572864,
  "total_parameters": 560787456, "trainable_share": 0.0028,
  "runs": [{"seed": 0, "heldout_loss_before": 3.2, "heldout_loss_after": 1.9,
            "perplexity_before": 24.5, "perplexity_after": 6.7,
            "stopped_fraction_before": 0.125, "stopped_fraction": 0.875}],
  "summary": {}, "answers_seed": 0,
  "answers": [{"question": "Comment ?", "reference": "Ainsi.", "before": "#*_",
               "after": "Cliquez sur le bouton"}]
}]}
"""
