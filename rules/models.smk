# Models: pre-trained here or published, converted between the engines, counted, exported.
from seedwise.study import encoders

try:
    encoders.check_encoders(config)
except UserError as error:
    raise WorkflowError(str(error)) from None

PUBLISHED_FOLDERS = entries.models_with(config, "transformers_checkpoint")


localrules:
    count_fairseq,
    count_transformers,
    check_parameters,


rule pretrain_model:
    input:
        corpus=[
            gather.corpus(f"<results>/corpus/{{{{model}}}}/{{scatteritem}}/{file}")
            for file in ("dict.txt", "train.bin", "train.idx", "valid.bin", "valid.idx")
        ],
    output:
        model="<results>/pretrained/{model}{of_seed}/model.pt",
        history="<results>/pretrained/{model}{of_seed}/history.csv",
        metrics="<results>/pretrained/{model}{of_seed}/metrics.json",
    wildcard_constraints:
        model=entries.name_pattern(entries.trained_models(config)),
    conda:
        "../envs/fairseq.yaml"
    threads: lambda w: entries.cores(config["models"][w.model]["pretrain"])
    resources:
        mem_mb=sized(8000),
        runtime=sized(24 * 60),
        gpu=lambda w: entries.gpus(config["models"][w.model]["pretrain"]),
    params:
        settings=lambda w: entries.pretraining(config, w.model, w.of_seed),
    message:
        "Pre-train {wildcards.model}{wildcards.of_seed}"
    script:
        "../scripts/models/pretrain_model.py"


# Published models: what others have pre-trained, taken over and checked.
rule import_checkpoint:
    input:
        source=lambda w: sources.source_path(
            config["models"][w.model]["fairseq_checkpoint"]["source"]
        ),
    output:
        model="<results>/pretrained/{model}/model.pt",
        dictionary="<results>/tokens/{model}/dict.txt",
        tokenizer=["<results>/tokens/{model}/sentencepiece.bpe.model"],
    wildcard_constraints:
        model=entries.name_pattern(entries.models_with_bpe(config, "sentencepiece")),
    conda:
        "../envs/fairseq.yaml"
    resources:
        mem_mb=sized(4000),
        runtime=sized(30),
    params:
        located=lookup(within=config, dpath="models/{model}/fairseq_checkpoint"),
        architecture=lookup(within=config, dpath="models/{model}/architecture"),
    message:
        "Take over the published fairseq checkpoint of {wildcards.model}"
    script:
        "../scripts/models/import_checkpoint.py"


use rule import_checkpoint as import_gpt2_checkpoint with:
    output:
        model="<results>/pretrained/{model}/model.pt",
        dictionary="<results>/tokens/{model}/dict.txt",
        tokenizer=multiext("<results>/tokens/{model}/", *entries.PUBLISHED_TOKENIZER),
    wildcard_constraints:
        model=entries.name_pattern(entries.models_with_bpe(config, "gpt2")),


rule import_transformers:
    input:
        source=lambda w: sources.source_path(
            config["models"][w.model]["transformers_checkpoint"]["source"]
        ),
    output:
        folder=multiext("<results>/pretrained/{model}/transformers/", *TRANSFORMERS_FILES),
        architecture="<results>/pretrained/{model}/architecture.json",
        counts="<results>/parameters/{model}/transformers.json",
    wildcard_constraints:
        model=entries.name_pattern(PUBLISHED_FOLDERS),
    conda:
        "../envs/transformers.yaml"
    resources:
        mem_mb=sized(4000),
        runtime=sized(30),
    params:
        located=lookup(within=config, dpath="models/{model}/transformers_checkpoint"),
        architecture=lookup(within=config, dpath="models/{model}/architecture", default={}),
        max_tokens=lookup(within=config, dpath="models/{model}/max_tokens", default=None),
        fairseq_experiments=lambda w: encoders.fairseq_experiments(config, w.model),
    message:
        "Take over the published transformers folder of {wildcards.model}"
    script:
        "../scripts/models/import_transformers.py"


# fairseq to transformers: the weights, the tokenizer, and the proof that both agree.
rule predict_reference:
    input:
        model="<results>/pretrained/{model}{of_seed}/model.pt",
        binarized=collect(
            "<results>/binarized/{{model}}/{dataset}/input0/{file}",
            dataset=lambda w: entries.datasets_with_model(config, w.model)[0],
            file=["dict.txt", "valid.bin", "valid.idx"],
        ),
    output:
        reference="<results>/pretrained/{model}{of_seed}/reference.npz",
    conda:
        "../envs/fairseq.yaml"
    resources:
        mem_mb=sized(4000, per_mb=3),
        runtime=sized(15),
    message:
        "Predict masked tokens of 64 texts with fairseq's {wildcards.model}{wildcards.of_seed}"
    script:
        "../scripts/models/predict_reference.py"


rule convert_model:
    input:
        checkpoint="<results>/pretrained/{model}{of_seed}/model.pt",
        tokenizer=model_tokenizer,
        dictionary="<results>/tokens/{model}/dict.txt",
        reference=rules.predict_reference.output.reference,
        texts=model_texts,
        tokens=model_tokens,
    output:
        folder=multiext("<results>/pretrained/{model}{of_seed}/transformers/", *TRANSFORMERS_FILES),
        report="<results>/pretrained/{model}{of_seed}/conversion.json",
    wildcard_constraints:
        # Others bring a transformers folder of their own.
        model=entries.name_pattern(set(config["models"]) - set(PUBLISHED_FOLDERS)),
    conda:
        "../envs/transformers.yaml"
    resources:
        mem_mb=sized(4000, per_mb=3),
        runtime=sized(30),
    params:
        architecture=lookup(within=config, dpath="models/{model}/architecture"),
        max_tokens=lambda w: entries.max_tokens(config, w.model),
    message:
        "Convert {wildcards.model}{wildcards.of_seed} from fairseq to transformers, and check it"
    script:
        "../scripts/models/convert_model.py"


# transformers to fairseq: the weights, the dictionary, and the proof that both agree.
rule convert_to_fairseq:
    input:
        folder=rules.import_transformers.output.folder,
    output:
        model="<results>/pretrained/{model}/model.pt",
        architecture="<results>/pretrained/{model}/fairseq.json",
        dictionary="<results>/tokens/{model}/dict.txt",
        tokenizer=multiext("<results>/tokens/{model}/", *entries.PUBLISHED_TOKENIZER),
    wildcard_constraints:
        model=entries.name_pattern(entries.converted_to_fairseq(config)),
    conda:
        "../envs/fairseq.yaml"
    resources:
        mem_mb=sized(8000, per_mb=3),
        runtime=sized(30),
    params:
        experiments=lambda w: encoders.fairseq_experiments(config, w.model),
    message:
        "Convert {wildcards.model} from transformers to fairseq"
    script:
        "../scripts/models/convert_to_fairseq.py"


rule check_conversion:
    input:
        folder=rules.import_transformers.output.folder,
        model=rules.convert_to_fairseq.output.model,
        dictionary=rules.convert_to_fairseq.output.dictionary,
        texts=model_texts,
        tokens=model_tokens,
    output:
        report="<results>/pretrained/{model}/conversion.json",
    wildcard_constraints:
        model=entries.name_pattern(entries.converted_to_fairseq(config)),
    conda:
        "../envs/fairseq.yaml"
    resources:
        mem_mb=sized(8000, per_mb=3),
        runtime=sized(30),
    message:
        "Check that fairseq's {wildcards.model} computes what transformers' does"
    script:
        "../scripts/models/check_conversion.py"


# The parameters of each model, by formula and counted in the engines that build it. Published
# folders are counted when they are taken over.
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
        "../scripts/models/count_fairseq.py"


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
        "../scripts/models/count_transformers.py"


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
        "../scripts/models/check_parameters.py"
