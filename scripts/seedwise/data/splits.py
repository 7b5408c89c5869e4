"""Draw splits that share no text, are the same on every machine and stay as data grow."""

import hashlib
import math
from collections import Counter

from seedwise.data.examples import Example
from seedwise.data.texts import comparable
from seedwise.errors import UserError
from seedwise.study.datasets import SPLITS, ZONES, Settings, is_share, leave_train, split_zones
from seedwise.study.labels import SCORE

# Where a split begins when it takes fewer texts than its zone has. Test and valid begin at the
# ends and train in the middle, so wider zones change as little as they can.
ANCHORS = {"test": 0.0, "train": 0.5, "valid": 1.0}


def position(seed: int, text: str) -> float:
    """Return where in [0, 1) a text stands, by a hash of it and the `split_seed`.

    Texts that are the same (`comparable`) stand at the same place, whatever the library
    versions, the order of the file and the other texts in it.
    """
    digest = hashlib.sha256(f"{seed}\0{comparable(text)}".encode()).digest()
    # 53 bits, as many as a float holds.
    return (int.from_bytes(digest[:8]) >> 11) / 2**53


def shares(size: int, counts: dict[str, int], *, balanced: bool) -> dict[str, int]:
    """Return how many texts of each class make a split of ``size``.

    Args:
        size: Texts in the split.
        counts: Texts there are of each class, in class order.
        balanced: Equal shares; otherwise shares as in ``counts``. What does not divide goes
            to the classes that come nearest to one more (the first of equals).
    """
    total = sum(counts.values())
    exact = {
        label: size / len(counts) if balanced else size * count / max(total, 1)
        for label, count in counts.items()
    }
    whole = {label: int(share) for label, share in exact.items()}
    for label in sorted(exact, key=lambda label: whole[label] - exact[label]):
        if sum(whole.values()) == size:
            break
        whole[label] += 1
    return whole


def candidates(pool: list[Example], taken: set[bytes]) -> tuple[list[Example], Counter[str]]:
    """Return the texts that may be drawn, and how many may not, by reason.

    Args:
        pool: The labelled texts.
        taken: Keys of the texts in the splits that are given.
    """
    first: dict[bytes, str | float | None] = {}
    several = {
        example.key
        for example in pool
        if first.setdefault(example.key, example.label) != example.label
    }
    drawable, aside = [], Counter[str]()
    seen: set[bytes] = set()
    for example in pool:
        key = example.key
        if not key:
            aside["empty text"] += 1
        elif key in taken:
            aside["also in a given split"] += 1
        elif key in several:
            what = "score" if example.stratum == SCORE else "label"
            aside[f"same text with another {what}"] += 1
        elif key in seen:
            aside["copy of another text"] += 1
        else:
            seen.add(key)
            drawable.append(example)
    return drawable, aside


def _within(
    drawable: list[Example], places: dict[str, float], zone: tuple[float, float], split: str
) -> list[Example]:
    """Return the texts of a zone, those nearest to the split's anchor first."""
    low, high = zone
    inside = [example for example in drawable if low <= places[example.id] < high]
    return sorted(inside, key=lambda e: abs(places[e.id] - ANCHORS[split]))


def _by_label(texts: list[Example], wanted: dict[str, int]) -> tuple[list[Example], Counter[str]]:
    """Return the first so many texts of each label, and how many are missing."""
    missing = Counter(wanted)
    taken = []
    for example in texts:
        if missing[str(example.stratum)] > 0:
            missing[str(example.stratum)] -= 1
            taken.append(example)
    return taken, +missing


def _fitting_zones(
    drawable: list[Example],
    places: dict[str, float],
    wanted: dict[str, dict[str, int]],
    settings: Settings,
) -> dict[str, float] | None:
    """Return the narrowest `zones`, in hundredths, that hold what is wanted; None if none do."""
    zones: dict[str, float] = {}
    for split in (split for split in ZONES if split in wanted):
        texts, _ = _by_label(_within(drawable, places, (0.0, 1.0), split), wanted[split])
        farthest = abs(places[texts[-1].id] - ANCHORS[split])
        zones[split] = (math.floor(farthest * 100) + 1) / 100
    fitting = settings | {"zones": zones}
    train = _within(drawable, places, split_zones(fitting)["train"], "train")
    _, missing = _by_label(train, wanted.get("train", {}))
    return zones if leave_train(fitting) and not missing else None


def draw(
    drawable: list[Example], settings: Settings, labels: list[str], key: str
) -> dict[str, list[Example]]:
    """Draw splits, each from its own zone of `position`, the labels mixed.

    A share takes all texts of its zone. A number of texts is stratified by label and takes those
    nearest to the split's end of its zone (train's: to the middle). So neither texts added later
    nor another number for another split bring a text from one split into another.

    Args:
        drawable: The texts, all different.
        settings: The data set's; its `splits` are drawn. Numbers have equal classes if it is
            `balanced` (as it is unless it says otherwise), else classes as in ``drawable``.
        labels: The classes, in order.
        key: The data set's dotted key, for messages.

    Raises:
        UserError: There are too few texts of a class, in all or in a zone.
    """
    seed, balanced = settings.get("split_seed", 0), settings.get("balanced", True)
    places = {example.id: position(seed, example.text) for example in drawable}
    found = Counter(example.stratum for example in drawable)
    counts = {label: found[label] for label in labels}
    sizes = {split: settings["splits"][split] for split in SPLITS if split in settings["splits"]}
    wanted = {
        split: shares(int(size), counts, balanced=balanced)
        for split, size in sizes.items()
        if not is_share(size)
    }
    for label in labels:
        needed = sum(share[label] for share in wanted.values())
        if needed > counts[label]:
            raise UserError(
                f"{key}.splits: need {needed:,} different texts{_of(label)}, but there are only "
                f"{_listed(counts)}"
            )
    drawn: dict[str, list[Example]] = {}
    for split, zone in split_zones(settings).items():
        if split not in sizes:
            continue
        inside = _within(drawable, places, zone, split)
        chosen, missing = _by_label(inside, wanted[split]) if split in wanted else (inside, None)
        if missing:
            label = next(label for label in labels if missing[label])
            held = Counter(example.stratum for example in inside)
            zones = _fitting_zones(drawable, places, wanted, settings)
            advice = f"`zones: {_flow(zones)}`" if zones else "fewer texts"
            raise UserError(
                f"{key}.splits.{split}: need {wanted[split][label]:,} different "
                f"texts{_of(label)}, but in its zone, {zone[1] - zone[0]:.2g} of all texts, are "
                f"only {_listed({name: held[name] for name in labels})}; ask for {advice}, or for "
                f"a share (`{split}: {max(sizes[split] / len(drawable), 0.01):.2g}`)"
            )
        drawn[split] = sorted(chosen, key=lambda e: places[e.id])
    return {split: drawn[split] for split in sizes}


def _of(label: str) -> str:
    return "" if label == SCORE else f" of label {label!r}"


def _listed(counts: dict[str, int]) -> str:
    if list(counts) == [SCORE]:
        return f"{counts[SCORE]:,}"
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _flow(zones: dict[str, float]) -> str:
    return "{" + ", ".join(f"{split}: {width:g}" for split, width in zones.items()) + "}"
