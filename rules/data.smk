# Downloads what a study needs and makes its data sets.
from seedwise.study import datasets, sources

FILES = sources.downloads(config, snapshots=False)
SNAPSHOTS = sources.downloads(config, snapshots=True)

try:
    sources.check_downloaded(config)
    datasets.check_datasets(config)
except UserError as error:
    raise WorkflowError(str(error)) from None


# A cluster's compute nodes often lack a network.
localrules:
    download_source,
    download_snapshot,


# Downloads are shared by all studies; sources.lock.json records those that are not pinned.
rule download_source:
    output:
        file="<resources>/{slug}/{filename}",
        record="<resources>/{slug}/{filename}.source.json",
    wildcard_constraints:
        slug=entries.name_pattern(FILES),
        filename=sources.filename_pattern(FILES),
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(500),
        runtime=sized(120),
    params:
        source=lookup(within=FILES, dpath="{slug}"),
    message:
        "Download {wildcards.filename}"
    script:
        "../scripts/data/download_source.py"


rule download_snapshot:
    output:
        folder=directory("<resources>/{slug}/snapshot"),
        record="<resources>/{slug}/snapshot.source.json",
    wildcard_constraints:
        slug=entries.name_pattern(SNAPSHOTS),
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(240),
    params:
        source=lookup(within=SNAPSHOTS, dpath="{slug}"),
    message:
        "Download {params.source[hub]} from the Hugging Face hub"
    script:
        "../scripts/data/download_snapshot.py"


rule prepare_dataset:
    input:
        datasets.input_function(config),
    output:
        train="<results>/data/{dataset}/train.jsonl",
        valid="<results>/data/{dataset}/valid.jsonl",
        test="<results>/data/{dataset}/test.jsonl",
        unlabelled="<results>/data/{dataset}/unlabelled.jsonl",
        audit="<results>/data/{dataset}/audit.json",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000, per_mb=2),
        runtime=sized(30, per_mb=0.1),
    params:
        settings=lookup(within=config, dpath="datasets/{dataset}"),
    message:
        "Prepare the data set {wildcards.dataset}"
    script:
        "../scripts/data/prepare_dataset.py"
