"""What follows from a rule's name."""

import re


def job_name(rule: str, output: str) -> str:
    """Return the name that a rule's log and benchmark share, with the wildcards of ``output``.

    >>> job_name("finetune_lora", "results/lora/{experiment}/seed-{seed}/history.csv")
    'finetune_lora/{experiment}/seed-{seed}'
    """
    wildcards = dict.fromkeys(re.findall(r"\{(\w+)", output))
    parts = ["seed-{seed}" if name == "seed" else f"{{{name}}}" for name in wildcards]
    return "/".join([rule, *parts])
