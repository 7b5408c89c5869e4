from base64 import b64encode

import render_answer
from seedwise.report.answer import Answer
from seedwise.report.printed_tables import summary_table
from support import synthetic_study

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


def test_page_holds_answer_figure_and_summary(tmp_path):
    for name, table in synthetic_study.many_experiments(3).items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "accuracy.svg").write_bytes(SVG)
    render_answer.main(
        summary=tmp_path / "summary.csv",
        comparisons=[tmp_path / "comparisons.csv"],
        accuracy=tmp_path / "accuracy.svg",
        title="A study",
        page=tmp_path / "answer.html",
    )
    page = (tmp_path / "answer.html").read_text(encoding="utf-8")
    parts = ["<h1>A study</h1>", "<strong>On reviews, ", "called shown", "<img ", "<table"]
    assert sorted(parts, key=page.index) == parts
    assert b64encode(SVG).decode() in page
    assert "<td>deterministic</td>" in page


def test_text_is_never_markup():
    summary = summary_table(synthetic_study.many_experiments(3)["summary"])
    page = render_answer.render("<b>", [Answer("<i>", "a < b")], SVG, summary)
    assert "<b>" not in page and "<i>" not in page and "a &lt; b" in page
