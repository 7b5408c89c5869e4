"""What a training leaves, compared bit for bit."""

from pathlib import Path

from seedwise.files import sha256_of_files


def same_results(files: tuple[str, ...], folder: Path, undisturbed: Path) -> None:
    """Fail where one of the files differs between two folders."""
    for file in files:
        assert sha256_of_files([folder / file]) == sha256_of_files([undisturbed / file]), file
