"""Lets the official fairseq 0.12.2 run on Python 3.11 to 3.14 and torch 2.6 or newer, unchanged."""

import argparse
import dataclasses
import functools
import importlib.machinery
import sys
import types
import typing
import warnings
from typing import Any


def _identity_hash(self: object) -> int:
    return id(self)


class _Optional:
    """An optional type (`typing.Optional[str]`) that says so as before Python 3.14."""

    __origin__ = typing.Union

    def __init__(self, optional: Any) -> None:
        self.__args__ = optional.__args__

    def __str__(self) -> str:
        return f"typing.Optional[{self.__args__[0]}]"


def _is_optional(annotation: Any) -> bool:
    return typing.get_origin(annotation) is typing.Union and type(None) in annotation.__args__


@functools.cache
def install() -> None:
    """Restore the behaviours that fairseq 0.12.2 was written for. Call before `import fairseq`.

    Python 3.11 refuses every unhashable dataclass default, Python 3.10 only lists, dicts and
    sets; fairseq and hydra 1.0 use dataclass instances as defaults, and dataclasses with `eq`
    are unhashable. Such a default's class gets an identity hash here (fairseq#5012).

    Python 3.12 dropped `FileFinder.find_module`, by which hydra 1.0 looks for its plugins, and
    Python 3.13 `typing.io`, from which antlr 4.8 imports two names of `typing`. Since 3.12 it warns
    aloud of escapes in strings that fairseq has.

    Python 3.14 writes `typing.Optional[str]` as ``str | None``; fairseq reads the types of its
    options from how they are written.

    numpy 2 dropped `numpy.compat`, of which fairseq uses `long` for blocks of one text each.

    torch 2.6 made `torch.load` read weights only. fairseq's checkpoints need one class more,
    `argparse.Namespace`, which holds plain values; everything else stays refused (fairseq#5603).
    """
    original, newest = dataclasses._get_field, sys.version_info >= (3, 14)

    def get_field(cls: type, name: str, annotation: Any, *args: Any) -> Any:
        default = getattr(cls, name, dataclasses.MISSING)
        if isinstance(default, dataclasses.Field):
            default = default.default
        default_class = type(default)
        if dataclasses.is_dataclass(default) and default_class.__hash__ is None:
            default_class.__hash__ = _identity_hash
        found = original(cls, name, annotation, *args)
        if newest and cls.__module__.startswith("fairseq") and _is_optional(annotation):
            found.type = _Optional(annotation)
        return found

    dataclasses._get_field = get_field

    if sys.version_info >= (3, 12):
        finder: Any = importlib.machinery.FileFinder
        finder.find_module = lambda self, name: self.find_spec(name).loader
        warnings.filterwarnings("ignore", category=SyntaxWarning)
    if sys.version_info >= (3, 13):
        sys.modules["typing.io"] = typing  # type: ignore[assignment]

    import numpy as np
    import torch

    np.compat = types.SimpleNamespace(long=int)

    torch.serialization.add_safe_globals([argparse.Namespace])
