"""Logging for the scripts: all of it to the rule's log file, warnings to standard error too."""

import errno
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seedwise.errors import UserError

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"

_FULL = os.strerror(errno.ENOSPC)
_REMEDIES = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room",
    errno.EROFS: "make the folder writable",
    errno.EACCES: "make it readable and its folder writable",
    errno.EPERM: "make it readable and its folder writable",
    errno.EIO: "check the disk",
}
"""What to do about faults of the machine; any other `OSError` is a fault of ours."""


def machine_fault(error: BaseException | None) -> str | None:
    """Say in one line what of the machine made a step fail, and how to go on; None if nothing.

    Looks behind ``error`` too: libraries wrap a full disk in exceptions of their own.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in _REMEDIES:
            place = error.filename2 or error.filename
            fault = f"{place}: {error.strerror}" if place else error.strerror
            return f"{fault}; {_REMEDIES[error.errno]}, then call again"
        if _FULL in str(error):
            return f"{_FULL}; {_REMEDIES[errno.ENOSPC]}, then call again"
        error = error.__cause__ or error.__context__
    return None


@contextmanager
def log_to(path: str | Path) -> Iterator[None]:
    """Log to ``path``; end with exit code 1 and one message where the user can mend the error.

    That is a `UserError`, or a fault of the machine such as a full disk. Anything else is logged
    with its traceback. Ctrl-C ends with exit code 130.
    """
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    # Python's warnings concern developers; the log file has them.
    terminal.addFilter(lambda record: record.name != "py.warnings")
    handlers = [logging.FileHandler(path, mode="w", encoding="utf-8"), terminal]
    logging.basicConfig(level=logging.INFO, format=FORMAT, handlers=handlers, force=True)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk may have no room for the log either
    try:
        yield
    except UserError as error:
        logging.getLogger("seedwise").error("%s", error)
        sys.exit(1)
    except KeyboardInterrupt:
        logging.getLogger("seedwise").warning("stopped; the next call does this step again")
        sys.exit(130)
    except Exception as error:
        if fault := machine_fault(error):
            logging.getLogger("seedwise").error("%s", fault)
        else:
            logging.getLogger("seedwise").exception("unexpected error")
        sys.exit(1)
