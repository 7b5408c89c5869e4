import subprocess
import sys

import pytest

import render_html
from seedwise.errors import UserError
from seedwise.report.printed_tables import TABLES
from support import browser, synthetic_workflow


def test_failure_is_one_message(tmp_path):
    with pytest.raises(UserError, match="said last: no such study"):
        render_html.run([sys.executable, "-c", "print('a\\nno such study'); exit(1)"])


@pytest.fixture(scope="module")
def workflow(tmp_path_factory):
    """A workflow of the rules that follow the runs, run to its end."""
    folder = tmp_path_factory.mktemp("workflow")
    config = synthetic_workflow.write_workflow(folder)

    def snakemake(*arguments):
        command = [sys.executable, "-m", "snakemake", "--configfile", config, "--cores", "2"]
        return subprocess.run(
            [*command, *arguments], cwd=folder, capture_output=True, text=True, timeout=300
        )

    done = snakemake()
    assert done.returncode == 0, done.stderr
    return folder, snakemake


def test_html_holds_figures_tables_and_captions(workflow):
    folder, _ = workflow
    html = (folder / "results" / "synthetic" / "report.html").read_text(encoding="utf-8")
    for name in (
        "training-fairseq.svg",
        "training-transformers.svg",
        "accuracy.svg",
        "confusion-reviews.svg",
        "calibration-reviews.svg",
    ):
        assert f'"results/synthetic/figures/{name}"' in html
    for name in TABLES.keys() - {"score_comparisons", "ranks", "search", "learning_curve", "forms"}:
        assert f'"results/synthetic/tables/{name}.html"' in html
    assert '"results/synthetic/report.pdf"' in html
    assert "paired over the same test texts and seeds" in html.replace("\\n", " ")
    assert "@media (max-width: 640px)" in html


def test_start_page_answers_first(workflow, tmp_path):
    folder, _ = workflow
    report = folder / "results" / "synthetic" / "report.html"
    *_, first, _ = browser.measure(report, 1280, tmp_path)
    page = first[first.index("A synthetic study") :]
    assert "On reviews, fairseq-pretrained has the highest test accuracy, 81.7 % ± 1.4" in page
    assert "is called shown if" in page and "63.3 % ± 1.2" in page
    html = report.read_text(encoding="utf-8")
    assert "data:image/svg+xml;base64" in html[html.index("A synthetic study") :]


def test_second_run_has_nothing_to_do(workflow):
    _, snakemake = workflow
    done = snakemake("--dry-run")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_nested_report_leaves_locks_and_results_alone(workflow, monkeypatch):
    folder, _ = workflow
    locks = folder / ".snakemake" / "locks"
    locks.mkdir(exist_ok=True)
    lock = locks / "0.output.lock"
    lock.write_text("results/synthetic/report.html\n")
    results = folder / "results" / "synthetic"
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    html = folder / "again.html"
    monkeypatch.chdir(folder)
    render_html.main(
        snakefile=folder / "Snakefile",
        config=results / "config.yaml",
        style=folder / "reports" / "report.css",
        target="study",
        html=html,
    )
    assert html.stat().st_size > 1_000_000
    assert lock.exists()
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*")} == before
