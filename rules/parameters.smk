# Question 1: the parameters of each model, by formula and counted in both engines.
rule count_fairseq:
    output:
        counts="<results>/parameters/{model}/fairseq.json",
    log:
        "<logs>/count_fairseq/{model}.log",
    benchmark:
        "<benchmarks>/count_fairseq/{model}.tsv"
    conda:
        "../envs/fairseq.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        architecture=lookup(within=config, dpath="models/{model}/architecture"),
        code=code_sha256("count_fairseq"),
    message:
        "Count the parameters of fairseq's {wildcards.model}"
    script:
        "../scripts/count_fairseq.py"


rule count_transformers:
    output:
        counts="<results>/parameters/{model}/transformers.json",
    log:
        "<logs>/count_transformers/{model}.log",
    benchmark:
        "<benchmarks>/count_transformers/{model}.tsv"
    conda:
        "../envs/transformers.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        architecture=lookup(within=config, dpath="models/{model}/architecture"),
        code=code_sha256("count_transformers"),
    message:
        "Count the parameters of transformers' {wildcards.model}"
    script:
        "../scripts/count_transformers.py"


rule check_parameters:
    input:
        fairseq=collect(rules.count_fairseq.output.counts, model=config["models"]),
        transformers=collect(rules.count_transformers.output.counts, model=config["models"]),
    output:
        parameters="<results>/tables/parameters.csv",
    log:
        "<logs>/check_parameters.log",
    benchmark:
        "<benchmarks>/check_parameters.tsv"
    conda:
        "../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        architectures={name: model["architecture"] for name, model in config["models"].items()},
        code=code_sha256("check_parameters"),
    message:
        "Check the parameters of every model against its formulas"
    script:
        "../scripts/check_parameters.py"
