# Checks the study before any job is planned, and names the places of results and logs.
import json
import os
import shlex
import sys
import tarfile
import tempfile
from pathlib import Path


def unpacked(repository, ref):
    """Return a folder with all files of a git repository as of ``ref``."""
    folder = Path(".snakemake", "seedwise", repository.commit(ref).hexsha).resolve()
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as part:
            with tempfile.TemporaryFile() as archive:
                repository.archive(archive, ref)
                archive.seek(0)
                with tarfile.open(fileobj=archive) as files:
                    files.extractall(f"{part}/files", filter="data")
            Path(part, "files").rename(folder)
    return folder


# Where Seedwise stands, also where another workflow takes it in as a module.
BASE = workflow.current_basedir
if hasattr(BASE, "hosted_repo"):  # a module by its address, of which Snakemake has a clone
    SEEDWISE = unpacked(BASE.hosted_repo.repo, BASE.ref)
else:
    SEEDWISE = Path(BASE.get_path_or_uri(secret_free=True)).resolve().parent
if not (SEEDWISE / "scripts").is_dir():
    raise RuntimeError(
        "Seedwise is more than its rules: clone it, and give the module the path of its Snakefile"
    )
sys.path.insert(0, str(SEEDWISE / "scripts"))
# A script of a stage finds `seedwise` beside that stage; an environment of conda has it nowhere.
shell.prefix(f"export PYTHONPATH={shlex.quote(sys.path[0])}; ")

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.persistence.file import FilePersistence

from seedwise.errors import UserError
from seedwise.study import curves, entries, locks, reporting, validation
from seedwise.study.killed import ExplainKilledJobs

logger.addFilter(ExplainKilledJobs())
FilePersistence._delete_locks = locks.delete_own_locks

try:
    validation.check_config(config, " + ".join(map(str, workflow.configfiles)))
except UserError as error:
    raise WorkflowError(str(error)) from None
entries.merge_hyperparameters(config)
validate(config, str(SEEDWISE / "rules/schemas/config.schema.yaml"))


# The study's experiments on labels, and those on scores.
LABELLED = reporting.part_with(config, scores=False)
SCORED = reporting.part_with(config, scores=True)


pathvars:
    results=f"results/{config['study']}",
    logs=f"logs/{config['study']}",
    benchmarks=f"results/{config['study']}/benchmarks",


wildcard_constraints:
    dataset=entries.name_pattern(config["datasets"]),
    model=entries.name_pattern(config["models"]),
    experiment=rf"[a-z0-9-]+({curves.MARK}\d+)?",
    seed=r"\d+",
    split="train|valid|test",
    of_seed=r"(/seed-\d+)?",


def sized(base, per_mb=0):
    """Return a resource: ``base`` and so much for each MB of inputs, times the times tried."""
    if not per_mb:
        return lambda w, attempt: attempt * base
    # As `input.size_mb`, which takes seconds for thousands of jobs.
    size = lambda files: sum(map(os.path.getsize, files)) / 2**20
    return lambda w, input, attempt: int(attempt * (base + per_mb * size(input)))


def encoding_threads(wildcards, input):
    """Return the threads of an encoding: two where there is much to encode.

    A job of two waits until two cores are free at once, which may be never while trainings of one
    are ready.
    """
    return 1 + (sum(Path(file).stat().st_size for file in input if Path(file).exists()) > 20e6)


# What an experiment names, as functions of the wildcard {experiment}. Snakemake's `lookup` would
# search the whole configuration for each of thousands of runs.
experiment_dataset = lambda w: curves.experiment(config, w.experiment)["dataset"]
experiment_model = lambda w: curves.experiment(config, w.experiment)["model"]
# Of what each seed pre-trains anew, the folder of the run's; candidates of a search have the first.
experiment_of_seed = lambda w: entries.of_seed(
    config, w.experiment, w.get("seed", config["seeds"][0])
)
experiment_init = lambda w: curves.experiment(config, w.experiment)["init"]
experiment_converted = lambda w: experiment_model(w) in entries.converted_to_fairseq(config)


def chosen(w):
    """Return the hyper-parameters that the search of {experiment} chose; none without a search."""
    base = curves.base(w.experiment)
    if not config["experiments"][base].get("search"):
        return {}
    found = checkpoints.choose_candidate.get(experiment=base).output.chosen
    with open(found, encoding="utf-8") as file:
        return json.load(file)["values"]


def search_of_experiment(w):
    """Wait for a search. No file, so that another search with the same winner reruns nothing."""
    chosen(w)
    return []


run_settings = lambda w: entries.run_settings(config, w.experiment, chosen(w))


# The files that cut the texts of {model}, or of the model of {experiment}, the one to open first.
model_tokenizer = collect(
    "<results>/tokens/{{model}}/{file}",
    file=lambda w: entries.tokenizer_files(config, w.model),
)
experiment_tokenizer = collect(
    "<results>/tokens/{model}/{file}",
    model=experiment_model,
    file=lambda w: entries.tokenizer_files(config, experiment_model(w)),
)

SPLITS = ["train", "valid", "test"]
BINARIZED_FILES = ["dict.txt"] + [f"{s}.{e}" for s in SPLITS for e in ("bin", "idx")]


def experiment_binarized(splits):
    """Return the function of {experiment} that names what fairseq reads of these ``splits``."""

    def files(w):
        parts = [f"input0/{file}" for file in BINARIZED_FILES]
        if entries.scores(config, w.experiment):
            parts += [f"label/{split}.label" for split in SPLITS]
        else:
            parts += [f"label/{file}" for file in BINARIZED_FILES]
        place = f"<results>/binarized/{experiment_model(w)}/{experiment_dataset(w)}"
        wanted = ("dict", *splits)
        return [f"{place}/{part}" for part in parts if Path(part).name.split(".")[0] in wanted]

    return files


# All texts that a {model} is used with, and their tokens in fairseq's numbering.
model_texts, model_tokens = (
    collect(
        pattern,
        dataset=lambda w: entries.datasets_with_model(config, w.model),
        split=SPLITS,
    )
    for pattern in (
        "<results>/data/{dataset}/{split}.jsonl",
        "<results>/binarized/{{model}}/{dataset}/input0/{split}.bin",
    )
)

# In every folder of a transformers model, beside files that depend on its tokenizer.
TRANSFORMERS_FILES = ["config.json", "model.safetensors", "tokenizer_config.json"]
