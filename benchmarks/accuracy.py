"""Do stock and fast settings reach the same accuracy? `python benchmarks/accuracy.py`.

Fine-tunes the default study's small pre-trained model with both engines, stock (see `jobs.py`) and
fast, in float32 and in bfloat16, five seeds each, and writes the differences of the mean test
accuracies with their 95 % intervals (Welch's t) to the terminal and to `benchmarks/accuracy.md`.
What the default study has not made yet of that data and model is made first. Finished runs are kept
under `results/bench/accuracy/`, so that a second call goes on where the first was stopped; every
process has one core and no GPU.
"""

import argparse
import os
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import workload
import yaml
from measure import commit, run_job
from scipy import stats
from snakemake.utils import validate

from seedwise.environment import processor_name
from seedwise.files import read_json, read_jsonl, write_json
from seedwise.study import entries, validation

ROOT = workload.ROOT
RESULTS = Path(__file__).with_name("accuracy.md")
ENGINES = ("fairseq", "transformers")
PRECISIONS = ("float32", "bfloat16")
LIMIT = 1.5
"""Points by which stock and fast settings may differ."""


def prepare() -> tuple[dict[str, Any], dict[str, Path]]:
    """Have the default study's data and its small pre-trained model made, as far as they are not.

    Returns:
        The settings of a run that starts from it, and the place of each thing that the jobs read.
    """
    results = ROOT / "results" / "demo"
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    entries.merge_hyperparameters(config)
    validate(config, str(validation.CONFIG_SCHEMA))
    settings = entries.run_settings(config, "fairseq-pretrained")
    model, dataset = settings["model"], settings["dataset"]
    links = {
        "data": results / "data" / dataset,
        "binarized": results / "binarized" / model / dataset,
        "model.pt": results / "pretrained" / model / "model.pt",
        "transformers": results / "pretrained" / model / "transformers",
    }
    wanted = [
        links["transformers"] / "model.safetensors",
        links["binarized"] / "label" / "train.bin",
    ]
    targets = [path.relative_to(ROOT) for path in wanted]
    subprocess.run(workload.snakemake(ROOT / "config.yaml", *targets), cwd=ROOT, check=True)
    return settings, links


def write_folder(
    folder: Path, precision: str, settings: dict[str, Any], links: dict[str, Path]
) -> None:
    """Lay out what the jobs read.

    Args:
        folder: where to.
        precision: what Seedwise's own jobs compute in.
        settings: those of a run.
        links: where the data and the model are, by their names in ``folder``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in links.items():
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(target)
    prepared = {
        "labels": read_json(folder / "data" / "audit.json")["labels"],
        "texts": {"train": sum(1 for _ in read_jsonl(folder / "data" / "train.jsonl"))},
        "stock_saves": "epoch",
        "settings": settings | {"finetune": settings["finetune"] | {"precision": precision}},
    }
    write_json(folder / "workload.json", prepared)


def measured_accuracy(folder: Path, job: str, seed: int) -> float:
    """Return the test accuracy of one run in percent; train it unless that was done before."""
    output = folder / "out" / f"{job}-{seed}"
    kept = output / "accuracy.json"
    if not kept.exists():
        cost = run_job(job, folder, seed, threads=1)
        if job == "stock_fairseq":  # whose log rounds accuracies to a tenth of a point
            run_job("predict_fairseq", folder, seed, threads=1)
            output = folder / "out" / f"predict_fairseq-{seed}"
        if job.startswith("stock"):
            labels = read_json(folder / "workload.json")["labels"]
            truth = [labels.index(r["label"]) for r in read_jsonl(folder / "data" / "test.jsonl")]
            predicted = np.loadtxt(output / "predictions.txt", dtype=int)
            accuracy = 100 * float((predicted == np.array(truth)).mean())
        else:
            accuracy = 100 * read_json(output / "metrics.json")["test_accuracy"]
        write_json(kept, {"accuracy": accuracy, "seconds": cost.seconds})
    accuracy = read_json(kept)["accuracy"]
    print(f"{folder.name}: {job}, seed {seed}: {accuracy:.2f} %", flush=True)
    return accuracy


def comparison(stock: Sequence[float], fast: Sequence[float]) -> str:
    """Return the difference of the means, its interval and the verdict, in one line."""
    test = stats.ttest_ind(fast, stock, equal_var=False)
    low, high = test.confidence_interval(0.95)
    difference = float(np.mean(fast) - np.mean(stock))
    verdict = "within" if abs(difference) <= LIMIT else "beyond"
    return (
        f"stock {np.mean(stock):.2f} %, ours {np.mean(fast):.2f} %, difference "
        f"{difference:+.2f} points, 95 % interval {low:+.2f} to {high:+.2f}: {verdict} {LIMIT}"
    )


def main() -> None:
    """Train what is missing, and print the comparison for each engine."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="runs of each kind (default 5)")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    folder = ROOT / "results" / "bench" / "accuracy"
    # (folder, job) of everything that is trained.
    kinds = [(precision, f"fast_{engine}") for precision in PRECISIONS for engine in ENGINES]
    kinds += [("stock", f"stock_{engine}") for engine in ENGINES]
    made = prepare()
    for name in ("stock", *PRECISIONS):
        write_folder(folder / name, "float32" if name == "stock" else name, *made)
    seeds = range(given.seeds)
    with ThreadPoolExecutor(given.cores) as pool:
        waiting = {
            (name, job): [pool.submit(measured_accuracy, folder / name, job, n) for n in seeds]
            for name, job in kinds
        }
        found = {kind: [run.result() for run in runs] for kind, runs in waiting.items()}
    lines = [
        "# The same accuracy from stock and fast settings",
        "",
        "Test accuracies of the default study's small pre-trained model, fine-tuned with each way "
        f"of `jobs.py` and seeds 0 to {given.seeds - 1}; stock computes in float32. Welch's t "
        f"interval. Written by `accuracy.py` on {processor_name()}; commit {commit()}; "
        f"{time.strftime('%Y-%m-%d')}.",
        "",
    ]
    for engine in ENGINES:
        stock = found["stock", f"stock_{engine}"]
        for precision in PRECISIONS:
            ours = found[precision, f"fast_{engine}"]
            lines.append(f"- {engine}, {precision}: {comparison(stock, ours)}.")
            lines.append(f"  - ours: {', '.join(f'{value:.2f}' for value in ours)}")
        lines.append(f"  - stock: {', '.join(f'{value:.2f}' for value in stock)}")
    text = "\n".join(lines) + "\n"
    print(text)
    RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
