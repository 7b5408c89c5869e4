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
    log:
        "<logs>/build_corpus/{model}.log",
    benchmark:
        "<benchmarks>/build_corpus/{model}.tsv"
    conda:
        "../envs/sentencepiece.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        valid_texts=lookup(within=config, dpath="models/{model}/pretrain/valid_texts", default=0),
        seed=lookup(within=config, dpath="models/{model}/pretrain/seed", default=0),
        code=code_sha256("build_corpus"),
    message:
        "Gather the pre-training corpus of {wildcards.model}"
    script:
        "../scripts/build_corpus.py"


rule train_tokenizer:
    input:
        corpus=rules.build_corpus.output.train,
    output:
        sentencepiece="<results>/tokens/{model}/sentencepiece.bpe.model",
        dictionary="<results>/tokens/{model}/dict.txt",
    log:
        "<logs>/train_tokenizer/{model}.log",
    benchmark:
        "<benchmarks>/train_tokenizer/{model}.tsv"
    wildcard_constraints:
        model=study.name_pattern(study.trained_models(config)),
    conda:
        "../envs/sentencepiece.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        tokenizer=lookup(within=config, dpath="models/{model}/tokenizer", default={}),
        vocab_size=lookup(within=config, dpath="models/{model}/architecture/vocab_size"),
        code=code_sha256("train_tokenizer"),
    message:
        "Train the SentencePiece model of {wildcards.model}"
    script:
        "../scripts/train_tokenizer.py"


rule encode_dataset:
    input:
        sentencepiece="<results>/tokens/{model}/sentencepiece.bpe.model",
        dictionary="<results>/tokens/{model}/dict.txt",
        split="<results>/data/{dataset}/{split}.jsonl",
        audit="<results>/data/{dataset}/audit.json",
    output:
        tokens="<results>/tokens/{model}/{dataset}/{split}.bin",
        index="<results>/tokens/{model}/{dataset}/{split}.idx",
        labels="<results>/tokens/{model}/{dataset}/{split}.label",
        counts="<results>/tokens/{model}/{dataset}/{split}.audit.json",
    log:
        "<logs>/encode_dataset/{model}/{dataset}/{split}.log",
    benchmark:
        "<benchmarks>/encode_dataset/{model}/{dataset}/{split}.tsv"
    conda:
        "../envs/sentencepiece.yaml"
    threads: 2
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        max_positions=lookup(within=config, dpath="models/{model}/architecture/max_positions"),
        code=code_sha256("encode_dataset"),
    message:
        "Encode the {wildcards.split} split of {wildcards.dataset} for {wildcards.model}"
    script:
        "../scripts/encode_dataset.py"


rule encode_corpus:
    input:
        sentencepiece="<results>/tokens/{model}/sentencepiece.bpe.model",
        dictionary="<results>/tokens/{model}/dict.txt",
        texts="<results>/corpus/{model}/{shard}/{split}.txt",
    output:
        tokens="<results>/corpus/{model}/{shard}/{split}.bin",
        index="<results>/corpus/{model}/{shard}/{split}.idx",
    log:
        "<logs>/encode_corpus/{model}/{shard}/{split}.log",
    benchmark:
        "<benchmarks>/encode_corpus/{model}/{shard}/{split}.tsv"
    wildcard_constraints:
        shard=r"valid|\d+-of-\d+",
    conda:
        "../envs/sentencepiece.yaml"
    threads: 2
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        block_tokens=lookup(within=config, dpath="models/{model}/pretrain/block_tokens"),
        code=code_sha256("encode_corpus"),
    message:
        "Encode the corpus of {wildcards.model}: {wildcards.shard}"
    script:
        "../scripts/encode_corpus.py"
