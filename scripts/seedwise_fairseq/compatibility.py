"""Lets the official fairseq 0.12.2 run on Python 3.11 to 3.13 and torch 2.6 or newer, unchanged."""

import argparse
import dataclasses
import functools
import importlib.machinery
import sys
import types
import typing
from typing import Any


def _identity_hash(self: object) -> int:
    return id(self)


@functools.cache
def install() -> None:
    """Restore the behaviours that fairseq 0.12.2 was written for. Call before `import fairseq`.

    Python 3.11 refuses every unhashable dataclass default, Python 3.10 only lists, dicts and
    sets; fairseq and hydra 1.0 use dataclass instances as defaults, and dataclasses with `eq`
    are unhashable. Such a default's class gets an identity hash here (fairseq#5012).

    Python 3.12 dropped `FileFinder.find_module`, by which hydra 1.0 looks for its plugins, and
    Python 3.13 `typing.io`, from which antlr 4.8 imports two names of `typing`.

    numpy 2 dropped `numpy.compat`, of which fairseq uses `long` for blocks of one text each.

    torch 2.6 made `torch.load` read weights only. fairseq's checkpoints need one class more,
    `argparse.Namespace`, which holds plain values; everything else stays refused (fairseq#5603).
    """
    original = dataclasses._get_field

    def get_field(cls: type, name: str, annotation: Any, *args: Any) -> Any:
        default = getattr(cls, name, dataclasses.MISSING)
        if isinstance(default, dataclasses.Field):
            default = default.default
        default_class = type(default)
        if dataclasses.is_dataclass(default) and default_class.__hash__ is None:
            default_class.__hash__ = _identity_hash
        return original(cls, name, annotation, *args)

    dataclasses._get_field = get_field

    if sys.version_info >= (3, 12):
        finder: Any = importlib.machinery.FileFinder
        finder.find_module = lambda self, name: self.find_spec(name).loader
    if sys.version_info >= (3, 13):
        sys.modules["typing.io"] = typing  # type: ignore[assignment]

    import numpy as np
    import torch

    np.compat = types.SimpleNamespace(long=int)

    torch.serialization.add_safe_globals([argparse.Namespace])
