"""What a training leaves, compared bit for bit."""

from pathlib import Path

from seedwise.fingerprints import fingerprint


def same_results(files: tuple[str, ...], folder: Path, undisturbed: Path) -> None:
    """Fail where one of the files differs between two folders."""
    for file in files:
        assert fingerprint(folder / file) == fingerprint(undisturbed / file), file
