import draw_workflow
from support import ROOT

GRAPH = """digraph snakemake_dag {
    graph[bgcolor=white, margin=0];
    0[label = "all", color = "0.6 0.6 0.85", style="rounded"];
    1[label = "prepare", color = "0.6 0.6 0.85", style="rounded"];
    2[label = "train", color = "0.6 0.6 0.85", style="rounded"];
    2 -> 0
    1 -> 2
}
"""


def test_every_rule_stands_in_the_box_of_its_stage():
    drawn = draw_workflow.draw(GRAPH, {"prepare": "data", "train": "training"})
    for stage, node in (("data", '1 [label="prepare"];'), ("training", '2 [label="train"];')):
        box = drawn.split(f"subgraph cluster_{stage} ")[1].split("}")[0]
        assert node in box and box.count("label=") == 2
    assert "cluster_ " not in drawn and '0 [label="all"];' in drawn
    assert drawn.count("->") == 2


def test_stages_are_read_from_the_rules():
    stages = draw_workflow.stages(ROOT / "rules")
    assert (stages["prepare_dataset"], stages["render_pdf"]) == ("data", "report")
