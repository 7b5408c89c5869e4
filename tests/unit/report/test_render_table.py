import pandas as pd

import render_table


def test_page_shows_the_table_and_escapes_it(tmp_path):
    table = pd.DataFrame({"Name": ["<b>", "c"], "Share": ["81.7 %", "−2.0 %"]})
    page = render_table.render(table, "A & B", "td { color: red; }\n")
    assert "<title>A &amp; B</title>" in page
    assert "&lt;b&gt;" in page
    assert "td:nth-child(2) { text-align: right; }" in page
    assert "nth-child(1)" not in page
    assert pd.read_html(page_path(tmp_path, page))[0]["Name"].tolist() == ["<b>", "c"]


def page_path(folder, page):
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    return path


def test_main_writes_the_presented_costs(tmp_path):
    table, style, page = (tmp_path / name for name in ("costs.csv", "style.css", "costs.html"))
    table.write_text(
        "rule,run,wall_seconds,cpu_seconds,peak_mib,tokens_per_second\nfit,a,90,80,2048,\n"
    )
    style.write_text("")
    render_table.main(table=table, name="costs", style=style, page=page)
    assert "<td>2.0 GiB</td>" in page.read_text(encoding="utf-8")
