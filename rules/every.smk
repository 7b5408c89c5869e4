# What follows from a rule's name, said once for all rules above: log, benchmark, hash of its code, and
# when it comes.
# Snakemake has no defaults for rules, but reads their parts only when it plans jobs, after this.
from seedwise.code import code_sha256
from seedwise.study.jobs import job_name

# By the names they have here, whatever a workflow that takes them in calls them.
RUNS = ("finetune_", "train_linear", "export_")
for name, each in ((name, proxy.rule) for name, proxy in rules._rules.items()):
    # What trainings wait for comes first, then the candidates of searches, for which runs wait.
    each.priority = 0 if name.startswith(RUNS) else 1 if name.startswith("search_") else 2
    if each.script:
        job = job_name(name, each.output[0])
        each.log_modifier = each.benchmark_modifier = each.output_modifier
        each.set_log(f"<logs>/{job}.log")
        each.benchmark = f"<benchmarks>/{job}.tsv"
        # A download does not depend on our code.
        if not name.startswith("download_"):
            each.set_params(code=code_sha256(Path(each.script).stem))
