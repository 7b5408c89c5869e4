"""What follows from a rule's name."""

import re


def job_name(rule: str, output: str) -> str:
    """Return the name that a rule's log and benchmark share, with the wildcards of ``output``.

    >>> job_name("finetune_lora", "results/lora/{experiment}/seed-{seed}/history.csv")
    'finetune_lora/{experiment}/seed-{seed}'
    """
    # One that stands right behind another brings its own separator, or is empty.
    wildcards = {name: "" if behind else "/" for behind, name in _WILDCARD.findall(output)}
    parts = {name: "seed-{seed}" if name == "seed" else f"{{{name}}}" for name in wildcards}
    return rule + "".join(wildcards[name] + part for name, part in parts.items())


_WILDCARD = re.compile(r"(\}?)\{(\w+)")
