"""Stock commands and Seedwise side by side: `make bench`, or `python benchmarks/bench.py --quick`.

Prints a table and writes it to `benchmarks/results.md` (`--quick`: to the terminal alone).
Forty minutes on two cores; `--quick` takes a few texts and says nothing about speed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure
import workload
import yaml
from measure import Cost, middle, run_job

from seedwise.environment import processor_name, versions
from seedwise.tokens.indexed import read_texts

ROOT = workload.ROOT
RESULTS = Path(__file__).with_name("results.md")
ENGINES = ("fairseq", "transformers")
RUNS = 1000
HEADER = [
    "work",
    "stock, s",
    "ours, s",
    "stock ÷ ours",
    "at least",
    "stock, tokens/s",
    "ours, tokens/s",
    "stock, MiB",
    "ours, MiB",
    "stock, share",
    "ours, share",
]


def has_bfloat16() -> bool:
    """Tell whether the processor multiplies in bfloat16."""
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and "bf16" in cpuinfo.read_text()


def pair_row(
    name: str, stock: Cost, ours: Cost, least: float, tokens: int, shares: tuple[str, str]
) -> list[str]:
    """Return a row of the table for the same work done both ways."""
    return [
        name,
        f"{stock.seconds:.1f}",
        f"{ours.seconds:.1f}",
        f"**{stock.seconds / ours.seconds:.1f}**",
        f"{least:.1f}",
        f"{tokens / stock.seconds:,.0f}",
        f"{tokens / ours.seconds:,.0f}",
        f"{stock.peak_mib:,.0f}",
        f"{ours.peak_mib:,.0f}",
        *shares,
    ]


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def alternate(stock: str, fast: str, folder: Path, repeats: int) -> tuple[Cost, Cost]:
    """Run both jobs in turn, ``repeats`` times; return the medians."""
    costs: dict[str, list[Cost]] = {stock: [], fast: []}
    for _ in range(repeats):
        for job in (stock, fast):
            costs[job].append(run_job(job, folder))
            print(f"{job}: {costs[job][-1].seconds:.1f} s", flush=True)
    return middle(costs[stock]), middle(costs[fast])


def finetuning_rows(folder: Path, settings: dict[str, Any], repeats: int) -> list[list[str]]:
    """Time an epoch with validation, and the prediction of the test split, with both engines."""
    # Each text begins with <s>, which its file lacks.
    lengths = {
        split: [1 + len(text) for text in read_texts(folder / "binarized" / "input0" / split)]
        for split in workload.SPLITS
    }
    tokens = sum(sum(texts) for texts in lengths.values())
    operations = sum(
        measure.useful_operations(texts, settings["architecture"], training=split == "train")
        for split, texts in lengths.items()
    )
    bfloat16 = settings["finetune"]["precision"] == "bfloat16"
    threads = settings["finetune"]["threads"]
    rates = [measure.matrix_rate(kind, threads) for kind in (False, bfloat16)]
    print(f"matrix rate: {rates[0] / 1e9:.0f} and {rates[1] / 1e9:.0f} GFLOP/s", flush=True)
    rows = []
    for engine in ENGINES:
        costs = alternate(f"stock_{engine}", f"fast_{engine}", folder, repeats)
        shares = tuple(
            f"{operations / cost.seconds / rate:.0%}"
            for cost, rate in zip(costs, rates, strict=True)
        )
        name = f"{engine}: an epoch with validation, test prediction"
        rows.append(pair_row(name, *costs, 3.0, tokens, shares))
    return rows


def preprocessing_rows(folder: Path, texts: int, repeats: int) -> list[list[str]]:
    """Time encoding and binarization: both ways on some texts, ours on ten times as many."""
    workload.write_many(folder, texts)
    stock, ours = alternate("stock_preprocess", "fast_preprocess", folder, repeats)
    for suffix in ("bin", "idx"):
        files = [
            folder / "out" / f"{way}_preprocess-0" / "binarized" / f"{name}.{suffix}"
            for way, name in (("stock", "train"), ("fast", "input0/many"))
        ]
        if files[0].read_bytes() != files[1].read_bytes():
            raise RuntimeError(f"{files[1]} is not what fairseq-preprocess wrote")
    binarized = folder / "out" / "fast_preprocess-0" / "binarized" / "input0" / "many"
    tokens = sum(map(len, read_texts(binarized)))
    workload.write_many(folder, 10 * texts)
    large = middle([run_job("fast_preprocess", folder) for _ in range(repeats)])
    name = f"encode + binarize {texts:,} reviews"
    time_ratio = large.seconds / ours.seconds
    memory_ratio = large.peak_mib / ours.peak_mib
    ten = f"encode + binarize {10 * texts:,} ÷ {texts:,} reviews"
    return [
        pair_row(f"{name}, identical files", stock, ours, 5.0, tokens, ("", "")),
        [
            f"{ten}: time",
            "",
            f"{large.seconds:.1f}",
            f"**{time_ratio:.1f}**",
            "at most 11",
            *[""] * 6,
        ],
        [
            f"{ten}: peak memory",
            "",
            "",
            f"**{memory_ratio:.2f}**",
            "at most 1.2",
            *[""] * 3,
            f"{large.peak_mib:,.0f}",
            *[""] * 2,
        ],
    ]


def snakemake(config: Path, *arguments: str) -> list[str | Path]:
    """Return the command that runs a study in the working directory, on all cores."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    return [*command, "--configfile", config, "--cores", "all", *arguments]


def dry_run_row(folder: Path, repeats: int, runs: int) -> list[str]:
    """Time `snakemake -n` on a study of ``runs`` runs."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    config["study"] = "bench"
    config["seeds"] = list(range(runs // 4))
    experiments = config["experiments"]
    experiments["transformers-random"] = experiments["fairseq-random"] | {"engine": "transformers"}
    config.pop("lora", None)
    folder = folder / "dry-run"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = snakemake(folder / "study.yaml", "-n", "--quiet", "rules")
    cost = middle([measure.run(command, folder / "log", cwd=folder) for _ in range(repeats)])
    name = f"dry run of a study with {4 * len(config['seeds']):,} runs"
    return [name, "", f"{cost.seconds:.1f}", "", "at most 10 s", *[""] * 6]


def default_study_row(folder: Path) -> list[str]:
    """Time the default study once, from download to report, in a folder of its own."""
    folder = folder / "default-study"
    folder.mkdir(parents=True)
    cost = measure.run(snakemake(ROOT / "config.yaml"), folder / "log", cwd=folder)
    return ["default study", "", f"{cost.seconds:.0f}", "", "at most 420 s", *[""] * 6]


def commit() -> str:
    """Return the commit that was measured."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few texts, once: a trial")
    parser.add_argument("--repeats", type=int, default=3, help="medians of so many (default 3)")
    given = parser.parse_args()
    threads = len(os.sched_getaffinity(0))
    repeats = 1 if given.quick else given.repeats
    sizes = {"train": 1600, "valid": 400, "test": 2000}
    if given.quick:
        sizes = dict.fromkeys(sizes, 32)
    precision = "bfloat16" if has_bfloat16() else "float32"
    started = time.monotonic()
    scratch = ROOT / "results" / "bench"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        folder = Path(name)
        settings = workload.study_settings(epochs=1, threads=threads, precision=precision)
        prepared = workload.prepare(folder, sizes, settings)
        rows = [
            *finetuning_rows(folder, settings, repeats),
            *preprocessing_rows(folder, 2000 if given.quick else 100_000, repeats),
            dry_run_row(folder, repeats, 40 if given.quick else RUNS),
        ]
        if not given.quick:
            rows.append(default_study_row(folder))
    texts = prepared["texts"]
    packages = versions("fairseq", "transformers", "torch", "sentencepiece", "snakemake")
    named = ", ".join(f"{package} {version}" for package, version in packages.items())
    text = (
        "# Stock commands and Seedwise side by side\n\n"
        f"{processor_name()}, {threads} cores; {named}; commit {commit()}; "
        f"{time.strftime('%Y-%m-%d')}.\n\n"
        f"{prepared['data']}: {texts['train']:,} training, {texts['valid']:,} validation and "
        f"{texts['test']:,} test reviews; RoBERTa-small with 32,000 pieces, batch size 8; ours in "
        f"{precision}, stock in float32. Medians of {repeats}, the two ways in turn; "
        "each is a process of its own, its imports counted. *Tokens* are real ones, padding left "
        "out. *Share*: useful floating-point operations a second over what a product of two "
        "matrices reaches in the same precision on the same cores.\n\n"
        f"{markdown(HEADER, rows)}"
    )
    print(text)
    print(f"{time.monotonic() - started:.0f} s in all")
    if not given.quick:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
