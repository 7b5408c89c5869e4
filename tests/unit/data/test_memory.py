"""What a large data set costs in memory."""

import subprocess
import sys

from support import ROOT

ROWS = 20_000
PROGRAM = """\
import resource, sys
from pathlib import Path
import prepare_dataset
folder = Path(sys.argv[1])
parts = ("train", "valid", "test", "unlabelled")
settings = {
    "source": {"path": str(folder / "texts.csv")}, "format": "table", "labels": ["a", "b"],
    "text": "text", "label": "label", "splits": {"train": 0.7, "valid": 0.1, "test": 0.2},
}
outputs = {part: folder / f"{part}.jsonl" for part in parts} | {"audit": folder / "audit.json"}
prepare_dataset.main(name="d", settings=settings, outputs=outputs)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def peak_mib(folder, rows, words):
    """Return the memory of preparing so many different texts of so many words."""
    folder.mkdir()
    with (folder / "texts.csv").open("w", encoding="utf-8") as stream:
        stream.write("label,text\n")
        stream.writelines(f"{'ab'[n % 2]},{f'w{n} ' * words}\n" for n in range(rows))
    places = [str(ROOT / "scripts"), str(ROOT / "scripts/data")]
    program = f"import sys; sys.path[:0] = {places}\n{PROGRAM}"
    # A process's memory begins at that of the one that started it.
    shell = ["sh", "-c", 'exec "$0" "$@"', sys.executable, "-c", program, str(folder)]
    done = subprocess.run(shell, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    kept = (folder / "train.jsonl").stat().st_size
    assert kept > 0.6 * rows * words * 3
    return float(done.stdout)


def test_memory_does_not_grow_with_the_length_of_texts_and_little_with_their_number(tmp_path):
    few = peak_mib(tmp_path / "few", ROWS // 10, words=100)
    many = peak_mib(tmp_path / "many", ROWS, words=100)
    long = peak_mib(tmp_path / "long", ROWS, words=1000)
    texts = (tmp_path / "long/texts.csv").stat().st_size / 2**20
    assert texts > 100
    assert abs(long - many) < 10
    assert (many - few) * 2**20 / (ROWS - ROWS // 10) < 1000  # bytes a text; 400 were measured
