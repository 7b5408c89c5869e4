# Candidates of each search, trained by the rules of the runs but without the test split, and the best.
candidate_files = {
    "history": "<results>/search/{experiment}/candidate-{candidate}/history.csv",
    "metrics": "<results>/search/{experiment}/candidate-{candidate}/metrics.json",
}
candidate_data = collect(
    "<results>/data/{dataset}/{file}",
    dataset=experiment_dataset,
    file=["train.jsonl", "valid.jsonl", "audit.json"],
)
candidate_settings = lambda w: entries.run_settings(
    config, w.experiment, entries.candidates(config, w.experiment)[w.candidate]
)
candidate_metrics = collect(
    "<results>/search/{{experiment}}/candidate-{candidate}/metrics.json",
    candidate=lambda w: list(entries.candidates(config, w.experiment)),
)


wildcard_constraints:
    candidate="[0-9a-f]+",


localrules:
    choose_candidate,


use rule finetune_fairseq as search_fairseq with:
    input:
        data=candidate_data,
        binarized=experiment_binarized(["train", "valid"]),
        pretrained=rules.finetune_fairseq.input.pretrained,
        architecture=rules.finetune_fairseq.input.architecture,
        proof=rules.finetune_fairseq.input.proof,
    output:
        **candidate_files,
    params:
        settings=candidate_settings,
        seed=config["seeds"][0],
    message:
        "Try candidate {wildcards.candidate} of {wildcards.experiment}"


use rule finetune_transformers as search_transformers with:
    input:
        data=candidate_data,
        start=rules.finetune_transformers.input.start,
        tokenizer=rules.finetune_transformers.input.tokenizer,
    output:
        **candidate_files,
    params:
        settings=candidate_settings,
        seed=config["seeds"][0],
    message:
        "Try candidate {wildcards.candidate} of {wildcards.experiment}"


use rule train_linear as search_linear with:
    input:
        data=candidate_data,
    output:
        **candidate_files,
    params:
        settings=candidate_settings,
        seed=config["seeds"][0],
    message:
        "Try candidate {wildcards.candidate} of {wildcards.experiment}"


# The runs wait for it, and then read which hyper-parameters are theirs.
checkpoint choose_candidate:
    input:
        metrics=candidate_metrics,
    output:
        chosen="<results>/search/{experiment}/chosen.json",
    wildcard_constraints:
        experiment=entries.name_pattern(entries.searched(config)),
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=sized(1000),
        runtime=sized(10),
    params:
        candidates=lambda w: entries.candidates(config, w.experiment),
        selection=lambda w: entries.selection(config, w.experiment),
    message:
        "Choose the best candidate of {wildcards.experiment}"
    script:
        "../scripts/search/choose_candidate.py"
