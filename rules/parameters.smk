# The parameters of each model, by formula and counted in the engines that build it. Published folders
# are counted when they are taken over.
localrules:
    count_fairseq,
    count_transformers,
    check_parameters,


rule count_fairseq:
    input:
        published=branch(
            lambda w: w.model in PUBLISHED_FOLDERS,
            then=collect("<results>/pretrained/{{model}}/architecture.json"),
        ),
    output:
        counts="<results>/parameters/{model}/fairseq.json",
    conda:
        "../envs/fairseq.yaml"
    resources:
        mem_mb=sized(4000),
        runtime=sized(10),
    params:
        architecture=lookup(within=config, dpath="models/{model}/architecture", default={}),
    message:
        "Count the parameters of fairseq's {wildcards.model}"
    script:
        "../scripts/parameters/count_fairseq.py"


rule count_transformers:
    output:
        counts="<results>/parameters/{model}/transformers.json",
    wildcard_constraints:
        model=entries.name_pattern(set(config["models"]) - set(PUBLISHED_FOLDERS)),
    conda:
        "../envs/transformers.yaml"
    resources:
        mem_mb=sized(2000),
        runtime=sized(10),
    params:
        architecture=lookup(within=config, dpath="models/{model}/architecture"),
    message:
        "Count the parameters of transformers' {wildcards.model}"
    script:
        "../scripts/parameters/count_transformers.py"


rule check_parameters:
    input:
        fairseq=collect(rules.count_fairseq.output.counts, model=entries.fairseq_models(config)),
        transformers=collect(
            "<results>/parameters/{model}/transformers.json", model=config["models"]
        ),
        published=collect(rules.import_transformers.output.architecture, model=PUBLISHED_FOLDERS),
    output:
        parameters="<results>/tables/parameters.csv",
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        architectures={name: model.get("architecture") for name, model in config["models"].items()},
    message:
        "Check the parameters of every model against its formulas"
    script:
        "../scripts/parameters/check_parameters.py"
