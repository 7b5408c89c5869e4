"""How far a training is: one line in its job's log, the same for both engines, and read back."""

import logging
import math
import re
import time
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

SECONDS = 5.0
"""Between two lines of a log."""

_TAIL_BYTES = 1 << 16
_LINE = re.compile(
    r"progress: (?:epoch (?P<epoch>\d+)/(?P<epochs>\d+), )?"
    r"update (?P<update>\d+)/(?P<updates>\d+), loss (?P<loss>[\d.naif]+)"
    r"(?:, accuracy (?P<accuracy>[\d.]+) %)?, (?P<left>[\d:]+) left"
)


@dataclass(frozen=True)
class Progress:
    """What one line says.

    Attributes:
        epoch: The epoch, from 1; None where a training has none.
        epochs: All epochs.
        update: The update.
        updates: All updates.
        loss: In nats, the mean since the epoch began or since the line before.
        accuracy: In [0, 1]; None where there is none.
        seconds_left: At the speed so far.
    """

    epoch: int | None
    epochs: int | None
    update: int
    updates: int
    loss: float
    accuracy: float | None
    seconds_left: float

    def __str__(self) -> str:
        epoch = f"epoch {self.epoch}/{self.epochs}, " if self.epoch else ""
        accuracy = "" if self.accuracy is None else f", accuracy {100 * self.accuracy:.1f} %"
        state = f"{epoch}update {self.update}/{self.updates}, loss {self.loss:.3f}{accuracy}"
        return f"progress: {state}, {duration(self.seconds_left)} left"


def duration(seconds: float) -> str:
    """Return seconds as ``1:05`` or ``2:01:05``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def parse(line: str) -> Progress | None:
    """Return what a line of a log says of progress; None if it says nothing."""
    match = _LINE.search(line)
    if match is None:
        return None
    epoch, epochs, accuracy = (match[name] for name in ("epoch", "epochs", "accuracy"))
    seconds = 0
    for part in match["left"].split(":"):
        seconds = 60 * seconds + int(part)
    return Progress(
        epoch=int(epoch) if epoch else None,
        epochs=int(epochs) if epochs else None,
        update=int(match["update"]),
        updates=int(match["updates"]),
        loss=float(match["loss"]),
        accuracy=float(accuracy) / 100 if accuracy else None,
        seconds_left=seconds,
    )


def last_progress(log: Path) -> Progress | None:
    """Return the last progress in a log, without reading all of it."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = stream.read().decode("utf-8", errors="replace").splitlines()
    return next(filter(None, map(parse, reversed(lines))), None)


class Reporter:
    """Logs progress every few seconds, and at the last update."""

    def __init__(self, updates: int, epochs: int | None = None) -> None:
        self.updates, self.epochs = updates, epochs
        self._first: tuple[int, float] | None = None
        self._last = -math.inf

    def due(self, update: int) -> bool:
        """Tell whether it is time for a line; the first update seen only starts the clock."""
        now = time.monotonic()
        if self._first is None:
            self._first, self._last = (update, now), now
        return update == self.updates or now - self._last >= SECONDS

    def report(self, update: int, loss: float, accuracy: float | None = None) -> None:
        """Log a line."""
        now = self._last = time.monotonic()
        self._first = self._first or (update, now)
        done = update - self._first[0]
        left = (self.updates - update) * (now - self._first[1]) / done if done else 0.0
        epoch = math.ceil(update * self.epochs / self.updates) if self.epochs else None
        state = Progress(epoch, self.epochs, update, self.updates, loss, accuracy, left)
        logger.info("%s", state)
