import re

from jinja2 import Template

from seedwise.report.printed_tables import TABLES
from support import ROOT

CAPTION = (ROOT / "reports/captions/table.rst").read_text(encoding="utf-8")


def test_every_table_has_a_caption_of_its_own():
    class Job:
        def __init__(self, table):
            self.wildcards = type("Wildcards", (), {"table": table})

    said = {name: Template(CAPTION).render(snakemake=Job(name)) for name in TABLES}
    assert all(f"tables/{name}.csv" in text for name, text in said.items())
    bare = {re.sub(r"tables/\w+\.csv", "", text) for text in said.values()}
    assert len(bare) == len(TABLES)
