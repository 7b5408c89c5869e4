"""What befalls a training at an update, and what it leaves, compared bit for bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from seedwise.files import sha256_of_files
from seedwise_fairseq import optimizer
from support import processes


def at_update(number: int, fault: Callable[[], object]) -> None:
    """Have ``fault`` called before the ``number``-th update (from 1), whichever the engine."""
    for kind in (torch.optim.AdamW, optimizer._AdamW):

        def fault_and_step(*arguments: Any, step: Any = kind.step, **named: Any) -> Any:
            fault()
            return step(*arguments, **named)

        kind.step = processes.at_call(number, kind.step, fault_and_step)  # type: ignore[method-assign]


def same_results(files: tuple[str, ...], folder: Path, undisturbed: Path) -> None:
    """Fail where one of the files differs between two folders."""
    for file in files:
        assert sha256_of_files([folder / file]) == sha256_of_files([undisturbed / file]), file
