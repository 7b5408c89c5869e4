"""Make a page of HTML of a table, for report.html, which cannot show CSV files.

Inputs: a table (CSV) and a stylesheet. Output: a page that needs nothing else.
"""

from html import escape
from pathlib import Path

import pandas as pd

from seedwise.files import write_text
from seedwise.report.presentation import is_numeric, read_table
from seedwise.report.printed_tables import TABLES
from seedwise.step import step

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}{alignment}</style>
</head>
<body>
<h1>{title}</h1>
<div class="wide">
{table}
</div>
</body>
</html>
"""


def render(table: pd.DataFrame, title: str, style: str) -> str:
    """Return the page; columns of numbers stand flush right."""
    alignment = "".join(
        f"th:nth-child({i}), td:nth-child({i}) {{ text-align: right; }}\n"
        for i, column in enumerate(table, start=1)
        if is_numeric(table[column])
    )
    html = table.to_html(index=False, border=0, justify="unset")
    return PAGE.format(title=escape(title), style=style, alignment=alignment, table=html)


def main(*, table: Path, name: str, style: Path, page: Path) -> None:
    """Write the page of the table ``name``, one of `seedwise.report.printed_tables.TABLES`."""
    shown = TABLES[name](read_table(table))
    write_text(page, render(shown, name.capitalize(), style.read_text(encoding="utf-8")))


if __name__ == "__main__":
    with step(snakemake):
        main(
            table=Path(snakemake.input.table),
            name=snakemake.wildcards.table,
            style=Path(snakemake.input.style),
            page=Path(snakemake.output.page),
        )
