"""What a training leaves, compared bit for bit."""

from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from seedwise.checkpoints import load_checkpoint


def contents(path: Path) -> Any:
    """Return a file's bytes, or the weights' where it is a model, which names its folder too."""
    if path.suffix == ".pt":
        weights = load_checkpoint(path)["model"]
        return {name: weight.numpy().tobytes() for name, weight in weights.items()}
    if path.suffix == ".safetensors":
        return {name: weight.numpy().tobytes() for name, weight in load_file(path).items()}
    return path.read_bytes()


def same_results(files: tuple[str, ...], folder: Path, undisturbed: Path) -> None:
    """Fail where one of the files differs between two folders."""
    for file in files:
        assert contents(folder / file) == contents(undisturbed / file), file
