from snakemake.utils import min_version, validate

min_version("9.27.1")

# A study given by --configfile replaces the default study; it does not extend it.
if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/tokens.smk"
include: "rules/models.smk"
include: "rules/training.smk"
include: "rules/search.smk"


if "lora" in config:

    include: "rules/lora.smk"


include: "rules/results.smk"
include: "rules/figures.smk"
include: "rules/exports.smk"
include: "rules/report.smk"
include: "rules/every.smk"


onstart:
    # One machine starts as many jobs as it has cores. Snakemake's limit of jobs a second would have
    # the scheduler plan all waiting jobs anew each second, once for every job that has ended.
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


localrules:
    all,


rule all:
    default_target: True
    input:
        rules.study.input,
        rules.render_html.output,
