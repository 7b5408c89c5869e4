from snakemake.utils import min_version, validate

min_version("9.27.1")

# A study given by --configfile replaces the default study; it does not extend it.
if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/tokenize.smk"
include: "rules/binarize.smk"
include: "rules/pretrain.smk"
include: "rules/checkpoints.smk"
include: "rules/convert.smk"
include: "rules/fairseq.smk"
include: "rules/transformers.smk"
include: "rules/export.smk"
include: "rules/parameters.smk"


if "lora" in config:

    include: "rules/lora.smk"
    include: "rules/lora_results.smk"


include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/report.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        rules.study.input,
        rules.render_html.output,
