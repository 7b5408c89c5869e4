"""Stock commands and Seedwise side by side: `make bench`, or `python benchmarks/bench.py --quick`.

Prints a table and writes it to its part of `benchmarks/results.md` (`--quick`: to the terminal
alone). Fifty minutes on two cores; `--quick`, six minutes, goes once through few texts (MiniLM's
are all there) and says nothing about speed.
`--without-bfloat16` plays a processor that has no more than AVX2, as many laptops' have. A GPU is
hidden from all that runs.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure
import workload
import yaml
from measure import Cost, commit, middle, run_job

from seedwise.environment import processor_name, versions
from seedwise.machine.device import multiplies_bfloat16
from seedwise.tokens.indexed import read_texts

ROOT = workload.ROOT
RESULTS = Path(__file__).with_name("results.md")
ENGINES = ("fairseq", "transformers")
PLAYED = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
}
"""What torch's libraries read when they are loaded, and then use no newer instructions."""

# How many times as fast as stock we promise to be, and seconds of the default study, by precision.
LEAST = {
    "bfloat16": {
        "fairseq": 4.0,
        "transformers": 4.0,
        "minilm": 2.5,
        "preprocess": 9.0,
        "study": 480,
    },
    "float32": {
        "fairseq": 2.4,
        "transformers": 2.0,
        "minilm": 2.0,
        "preprocess": 9.0,
        "study": 600,
    },
}
RUNS = 1000
TITLES = {
    "bfloat16": "## A processor with native bfloat16",
    "float32": "## A processor without native bfloat16",
}
INTRODUCTION = """\
# Stock commands and Seedwise side by side

Each is a process of its own, its imports counted; stock pads as `run_glue.py` and fairseq do.
*Tokens* are real ones, padding left out. *Share*: useful floating-point operations a second over
what a product of two matrices reaches in the same precision on the same cores.
"""
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


def finetuning_rows(
    folder: Path, what: str, settings: dict[str, Any], least: dict[str, float], repeats: int
) -> list[list[str]]:
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
    threads = settings["finetune"]["threads"]
    rates = [measure.matrix_rate(kind, threads) for kind in (False, multiplies_bfloat16())]
    print(f"matrix rate: {rates[0] / 1e9:.0f} and {rates[1] / 1e9:.0f} GFLOP/s", flush=True)
    rows = []
    for engine in ENGINES:
        costs = alternate(f"stock_{engine}", f"fast_{engine}", folder, repeats)
        shares = tuple(
            f"{operations / cost.seconds / rate:.0%}"
            for cost, rate in zip(costs, rates, strict=True)
        )
        name = f"{what}, {engine}: an epoch with validation, test prediction"
        rows.append(pair_row(name, *costs, least[engine], tokens, shares))
    return rows


def preprocessing_rows(folder: Path, texts: int, least: float, repeats: int) -> list[list[str]]:
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
        pair_row(f"{name}, identical files", stock, ours, least, tokens, ("", "")),
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


def dry_run_row(folder: Path, repeats: int, runs: int) -> list[str]:
    """Time `snakemake -n` on a study of ``runs`` runs."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    config["study"] = "bench"
    config["seeds"] = list(range(runs // 4))
    config["experiments"] = {
        f"{engine}-{init}": config["experiments"][f"fairseq-{init}"] | {"engine": engine}
        for engine in ("fairseq", "transformers")
        for init in ("pretrained", "random")
    }
    config.pop("lora", None)
    folder = folder / "dry-run"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = workload.snakemake(folder / "study.yaml", "-n", "--quiet", "rules")
    cost = middle([measure.run(command, folder / "log", cwd=folder) for _ in range(repeats)])
    name = f"dry run of a study with {4 * len(config['seeds']):,} runs"
    return [name, "", f"{cost.seconds:.1f}", "", "at most 10 s", *[""] * 6]


def default_study_row(folder: Path, most: float) -> list[str]:
    """Time the default study once, from download to report, in a folder of its own."""
    folder = folder / "default-study"
    folder.mkdir(parents=True)
    cost = measure.run(workload.snakemake(ROOT / "config.yaml"), folder / "log", cwd=folder)
    return ["default study", "", f"{cost.seconds:.0f}", "", f"at most {most} s", *[""] * 6]


def counts(prepared: dict[str, Any]) -> str:
    """Return how many texts each split of a workload has."""
    names = {"train": "training", "valid": "validation", "test": "test"}
    return ", ".join(f"{prepared['texts'][split]:,} {name}" for split, name in names.items())


def with_part(page: str, title: str, part: str) -> str:
    """Return results.md with the part of this title in place of an older one."""
    parts = {text.partition("\n")[0]: text for text in re.split(r"^(?=## )", page, flags=re.M)[1:]}
    parts |= {title: part}
    return "\n".join(
        [INTRODUCTION, *(parts[t].rstrip() + "\n" for t in TITLES.values() if t in parts)]
    )


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few texts, once: a trial")
    parser.add_argument("--repeats", type=int, default=3, help="medians of so many (default 3)")
    parser.add_argument("--without-bfloat16", action="store_true", help="play such a processor")
    given = parser.parse_args()
    if given.without_bfloat16 and not PLAYED.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | PLAYED)
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    threads = len(os.sched_getaffinity(0))
    repeats = 1 if given.quick else given.repeats
    sizes = {"train": 1600, "valid": 400, "test": 2000}
    if given.quick:
        sizes = dict.fromkeys(sizes, 32)
    precision = "bfloat16" if multiplies_bfloat16() else "float32"
    least = LEAST[precision]
    started = time.monotonic()
    scratch = ROOT / "results" / "bench"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        folder = Path(name)
        settings = workload.study_settings(epochs=1, threads=threads)
        prepared = workload.prepare(folder, sizes, settings)
        minilm = workload.prepare_minilm(folder / "minilm", epochs=1, threads=threads)
        both = dict.fromkeys(ENGINES, least["minilm"])
        rows = [
            *finetuning_rows(folder, "RoBERTa-small", settings, least, repeats),
            *finetuning_rows(folder / "minilm", "MiniLM", minilm["settings"], both, repeats),
            *preprocessing_rows(
                folder, 2000 if given.quick else 100_000, least["preprocess"], repeats
            ),
            dry_run_row(folder, repeats, 40 if given.quick else RUNS),
        ]
        if not given.quick:
            rows.append(default_study_row(folder, least["study"]))
    packages = versions("fairseq", "transformers", "torch", "sentencepiece", "snakemake")
    named = ", ".join(f"{package} {version}" for package, version in packages.items())
    title = TITLES[precision]
    variables = " ".join(map("=".join, PLAYED.items()))
    how = "Once each" if repeats == 1 else f"Medians of {repeats}"
    text = (
        f"{title}\n\n"
        f"{processor_name()}, {threads} cores"
        f"{f', played by {variables}' if given.without_bfloat16 else ''}"
        f"; ours in {precision}, stock in float32; {named}; commit {commit()}; "
        f"{time.strftime('%Y-%m-%d')}. {how}, the two ways in turn.\n\n"
        f"RoBERTa-small with 32,000 pieces on {prepared['data']}: {counts(prepared)}, batches of "
        f"{settings['finetune']['batch_size']}. MiniLM on the default study's texts: "
        f"{counts(minilm)}, batches of {minilm['settings']['finetune']['batch_size']}.\n\n"
        f"{markdown(HEADER, rows)}"
    )
    print(text)
    print(f"{time.monotonic() - started:.0f} s in all")
    if not given.quick:
        before = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
        RESULTS.write_text(with_part(before, title, text), encoding="utf-8")


if __name__ == "__main__":
    main()
