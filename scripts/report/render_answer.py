"""Make the start page of report.html: the answer in words, the accuracy figure, the summary.

Inputs: summary.csv, comparisons.csv or score_comparisons.csv or both, and the figure as SVG.
Output: HTML without a head, which reports/workflow.rst takes in.
"""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path

import pandas as pd

from seedwise.files import write_text
from seedwise.report.answer import MEANING, Answer, answers, main_comparisons
from seedwise.report.presentation import read_table
from seedwise.report.printed_tables import summary_table
from seedwise.step import step

PAGE = """\
<h1>{title}</h1>
{paragraphs}
<p><small>{meaning}</small></p>
<img alt="Test accuracy" src="data:image/svg+xml;base64,{figure}">
<div class="wide">
{table}
</div>
"""


def render(title: str, parts: Sequence[Answer], figure: bytes, summary: pd.DataFrame) -> str:
    """Return the page; the figure, an SVG file, stands in it."""
    return PAGE.format(
        title=escape(title),
        paragraphs="\n".join(
            f"<p><strong>{escape(part.headline)}</strong> {escape(part.details)}</p>"
            for part in parts
        ),
        meaning=escape(MEANING),
        figure=b64encode(figure).decode(),
        table=summary.to_html(index=False, border=0, justify="unset"),
    )


def main(
    *,
    summary: Path,
    comparisons: Sequence[Path],
    accuracy: Path,
    title: str,
    page: Path,
    selection: str = "accuracy",
) -> None:
    """Write the page."""
    table = read_table(summary)
    compared = main_comparisons({path.stem: read_table(path) for path in comparisons})
    parts = answers(table, compared, selection)
    write_text(page, render(title, parts, accuracy.read_bytes(), summary_table(table)))


if __name__ == "__main__":
    with step(snakemake):
        main(
            summary=Path(snakemake.input.summary),
            comparisons=[Path(path) for path in snakemake.input.comparisons],
            accuracy=Path(snakemake.input.accuracy),
            title=snakemake.params.title,
            page=Path(snakemake.output.page),
            selection=snakemake.params.selection,
        )
