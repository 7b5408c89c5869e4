"""A checkout whose runs are written by a test, so that only tables, figures, reports are rules."""

import json
import shutil
from pathlib import Path

from support import ROOT, synthetic_study

SNAKEFILE = """\
include: "rules/synthetic.smk"
include: "rules/results.smk"
include: "rules/figures.smk"
include: "rules/report.smk"
include: "rules/every.smk"

rule all:
    default_target: True
    input:
        rules.study.input,
        rules.render_html.output.html,
"""
# What rules/common.smk does, without the schema: the synthetic configuration is a short one.
COMMON = """\
import sys
sys.path.insert(0, f"{workflow.basedir}/scripts")
from seedwise.study import curves, entries, reporting

shell.prefix(f"export PYTHONPATH={sys.path[0]}; ")

pathvars:
    results=f"results/{config['study']}",
    logs=f"logs/{config['study']}",
    benchmarks=f"results/{config['study']}/benchmarks",

wildcard_constraints:
    dataset=entries.name_pattern(config["datasets"]),
    seed=r"\\d+",

TRANSFORMERS_FILES = ["config.json"]
experiment_dataset = lambda w: config["experiments"][w.experiment]["dataset"]
config.setdefault("licence", "mit")
config.setdefault("selection", "accuracy")
config.setdefault("vary", [])
LABELLED = reporting.part_with(config, scores=False)
SCORED = reporting.part_with(config, scores=True)
search_of_experiment = []
sized = lambda base, per_mb=0: base
SEEDWISE = workflow.basedir
run_settings = lambda w: entries.run_settings(config, w.experiment)

rule finetune_fairseq:
    output:
        touch("<results>/never-{experiment}-{seed}"),
    script:
        "../scripts/training/finetune_fairseq.py"
"""


def write_workflow(folder: Path) -> Path:
    """Write Snakefile, rules, scripts, configuration and all inputs; return the configuration."""
    for name in ("rules", "scripts", "reports", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "rules" / "synthetic.smk").write_text(COMMON, encoding="utf-8")
    (folder / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
    synthetic_study.write_study(folder / "results" / synthetic_study.CONFIG["study"])
    config = folder / "study.json"
    config.write_text(json.dumps(synthetic_study.CONFIG), encoding="utf-8")
    return config
