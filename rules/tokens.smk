# Texts to tokens: the corpus of a model, its SentencePiece model and dictionary, ids of pieces.
# A corpus may be scattered over shards: fairseq reads one in each epoch, in turn.
scattergather:
    corpus=config["corpus_shards"],


rule build_corpus:
    input:
        train=lambda w: collect(
            "<results>/data/{dataset}/train.jsonl", dataset=config["models"][w.model]["corpus"]
        ),
        unlabelled=lambda w: collect(
            "<results>/data/{dataset}/unlabelled.jsonl",
            dataset=config["models"][w.model]["corpus"],
        ),
        held_out=collect(
            "<results>/data/{dataset}/{split}.jsonl",
            dataset=config["datasets"],
            split=["valid", "test"],
        ),
    output:
        train=scatter.corpus("<results>/corpus/{{model}}/{scatteritem}/train.txt"),
        valid="<results>/corpus/{model}/valid/valid.txt",
    conda:
        "../envs/sentencepiece.yaml"
    resources:
        mem_mb=sized(1000, per_mb=1),
        runtime=sized(30, per_mb=0.1),
    params:
        valid_texts=lookup(within=config, dpath="models/{model}/pretrain/valid_texts", default=0),
        seed=lookup(within=config, dpath="models/{model}/pretrain/seed", default=0),
    message:
        "Gather the pre-training corpus of {wildcards.model}"
    script:
        "../scripts/tokens/build_corpus.py"


rule train_tokenizer:
    input:
        corpus=rules.build_corpus.output.train,
    output:
        sentencepiece="<results>/tokens/{model}/sentencepiece.bpe.model",
        dictionary="<results>/tokens/{model}/dict.txt",
    wildcard_constraints:
        model=entries.name_pattern(entries.trained_models(config)),
    conda:
        "../envs/sentencepiece.yaml"
    resources:
        mem_mb=sized(2000, per_mb=20),
        runtime=sized(60, per_mb=0.1),
    params:
        tokenizer=lookup(within=config, dpath="models/{model}/tokenizer", default={}),
        vocab_size=lookup(within=config, dpath="models/{model}/architecture/vocab_size"),
    message:
        "Train the SentencePiece model of {wildcards.model}"
    script:
        "../scripts/tokens/train_tokenizer.py"


rule encode_dataset:
    input:
        tokenizer=model_tokenizer,
        dictionary="<results>/tokens/{model}/dict.txt",
        split="<results>/data/{dataset}/{split}.jsonl",
    output:
        tokens="<results>/binarized/{model}/{dataset}/input0/{split}.bin",
        index="<results>/binarized/{model}/{dataset}/input0/{split}.idx",
        counts="<results>/tokens/{model}/{dataset}/{split}.audit.json",
    conda:
        "../envs/sentencepiece.yaml"
    threads: encoding_threads
    resources:
        mem_mb=sized(1000, per_mb=1),
        runtime=sized(30, per_mb=0.1),
    params:
        max_positions=lambda w: entries.max_tokens(config, w.model),
    message:
        "Encode the {wildcards.split} split of {wildcards.dataset} for {wildcards.model}"
    script:
        "../scripts/tokens/encode_dataset.py"


rule encode_corpus:
    input:
        sentencepiece="<results>/tokens/{model}/sentencepiece.bpe.model",
        dictionary="<results>/tokens/{model}/dict.txt",
        texts="<results>/corpus/{model}/{part}.txt",
    output:
        tokens="<results>/corpus/{model}/{part}.bin",
        index="<results>/corpus/{model}/{part}.idx",
    wildcard_constraints:
        part=r"valid/valid|\d+-of-\d+/train",
    conda:
        "../envs/sentencepiece.yaml"
    threads: encoding_threads
    resources:
        mem_mb=sized(1000, per_mb=1),
        runtime=sized(60, per_mb=0.1),
    params:
        block_tokens=lookup(within=config, dpath="models/{model}/pretrain/block_tokens"),
    message:
        "Encode the corpus of {wildcards.model}: {wildcards.part}"
    script:
        "../scripts/tokens/encode_corpus.py"


# With the labels and the dictionaries, the encoded texts are what fairseq-preprocess writes.
rule binarize_dataset:
    input:
        dictionary="<results>/tokens/{model}/dict.txt",
        splits=collect("<results>/data/{{dataset}}/{split}.jsonl", split=SPLITS),
        texts=collect(
            "<results>/binarized/{{model}}/{{dataset}}/input0/{split}.{suffix}",
            split=SPLITS,
            suffix=["bin", "idx"],
        ),
        audit="<results>/data/{dataset}/audit.json",
    output:
        dictionary="<results>/binarized/{model}/{dataset}/input0/dict.txt",
        labels=multiext("<results>/binarized/{model}/{dataset}/label/", *BINARIZED_FILES),
    wildcard_constraints:
        dataset=entries.name_pattern(reporting.datasets(LABELLED)),
    conda:
        "../envs/sentencepiece.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(30),
    message:
        "Binarize {wildcards.dataset} for {wildcards.model}"
    script:
        "../scripts/tokens/binarize_dataset.py"


# The same where texts have scores, which fairseq reads as text.
use rule binarize_dataset as binarize_scores with:
    output:
        dictionary="<results>/binarized/{model}/{dataset}/input0/dict.txt",
        scores=collect(
            "<results>/binarized/{{model}}/{{dataset}}/label/{split}.label", split=SPLITS
        ),
    wildcard_constraints:
        dataset=entries.name_pattern(reporting.datasets(SCORED)),


rule binarize_corpus:
    input:
        dictionary="<results>/tokens/{model}/dict.txt",
        train=multiext("<results>/corpus/{model}/{shard}/train", ".bin", ".idx"),
        valid=multiext("<results>/corpus/{model}/valid/valid", ".bin", ".idx"),
    output:
        dictionary="<results>/corpus/{model}/{shard}/dict.txt",
        valid=multiext("<results>/corpus/{model}/{shard}/valid", ".bin", ".idx"),
    wildcard_constraints:
        shard=r"\d+-of-\d+",
    conda:
        "../envs/sentencepiece.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(60),
    message:
        "Binarize the corpus of {wildcards.model}: {wildcards.shard}"
    script:
        "../scripts/tokens/binarize_corpus.py"
