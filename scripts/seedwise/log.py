"""Logging for the scripts: all of it to the rule's log file, warnings to standard error too."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seedwise.errors import UserError

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


@contextmanager
def log_to(path: str | Path) -> Iterator[None]:
    """Log to ``path``; turn a `UserError` into its message, without traceback, and exit code 1."""
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    # Python's warnings concern developers; the log file has them.
    terminal.addFilter(lambda record: record.name != "py.warnings")
    handlers = [logging.FileHandler(path, mode="w", encoding="utf-8"), terminal]
    logging.basicConfig(level=logging.INFO, format=FORMAT, handlers=handlers, force=True)
    logging.captureWarnings(True)
    try:
        yield
    except UserError as error:
        logging.getLogger("seedwise").error("%s", error)
        sys.exit(1)
    except Exception:
        logging.getLogger("seedwise").exception("unexpected error")
        sys.exit(1)
