"""What the files of the rules say of resources, read as text."""

import re

from support import ROOT


def declared_limits():
    """Return memory, minutes and threads of each rule's first try, as its file says."""
    limits, inherited = {}, {}
    for path in (ROOT / "rules").glob("*.smk"):
        text = path.read_text()
        inherited |= {
            name: base for base, name in re.findall(r"use rule (\w+) as (\w+) with", text)
        }
        for name, body in re.findall(r"rule (\w+):\n(.*?)(?=\n\n\n|\Z)", text, re.S):
            if memory := re.search(r"mem_mb=sized\((\d+)", body):
                hours, minutes = re.search(r"runtime=sized\((?:(\d+) \* )?(\d+)", body).groups("1")
                threads = re.search(r"threads: (\d+)", body)
                limits[name] = (
                    int(memory[1]),
                    int(hours) * int(minutes),
                    threads[1] if threads else "1",  # trainings have as many as the study says
                )
    return limits | {name: limits[base] for name, base in inherited.items() if base in limits}
