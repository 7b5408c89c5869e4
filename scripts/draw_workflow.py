"""Draw the rules in the rooms of their stages: ``snakemake --rulegraph dot | draw_workflow.py``.

Input: the graph of rules on standard input. Output: the same graph for graphviz's `dot`, each stage
a box, without edges that a longer way says already (`tred`), without Snakemake's colours.
"""

import re
import sys
from pathlib import Path

RULES = Path(__file__).resolve().parents[1] / "rules"
RULE = re.compile(r"^(?:rule|checkpoint|use rule \w+ as) (\w+)", re.MULTILINE)


def stages(folder: Path) -> dict[str, str]:
    """Return the stage of each rule: the name of the file in which it stands."""
    return {
        rule: file.stem
        for file in sorted(folder.glob("*.smk"))
        for rule in RULE.findall(file.read_text(encoding="utf-8"))
    }


def draw(graph: str, stage_of: dict[str, str]) -> str:
    """Return the graph with a box for every stage."""
    rules = dict(re.findall(r'(\d+)\[label = "(\w+)"', graph))
    boxes: dict[str, list[str]] = {}
    for number, rule in rules.items():
        boxes.setdefault(stage_of.get(rule, ""), []).append(f'{number} [label="{rule}"];')
    lines = ["digraph {", "node [shape=box style=rounded fontname=sans fontsize=10];"]
    lines += ["rankdir=LR; nodesep=0.08; ranksep=0.3;"]
    for stage, nodes in boxes.items():
        inside = "\n".join(nodes)
        head = f'subgraph cluster_{stage} {{ label="{stage}"; color=gray; fontname="sans bold";'
        lines.append(f"{head}\n{inside}\n}}" if stage else inside)
    lines += [f"{a} -> {b} [color=gray50];" for a, b in re.findall(r"(\d+) -> (\d+)", graph)]
    return "\n".join([*lines, "}", ""])


if __name__ == "__main__":
    sys.stdout.write(draw(sys.stdin.read(), stages(RULES)))
