"""Draw splits that are balanced, the same on every machine, and share no text."""

import hashlib
import unicodedata
from collections import Counter, defaultdict

from seedwise.data.examples import Example
from seedwise.errors import UserError


def comparable(text: str) -> str:
    """Return what two texts have in common if they count as the same.

    NFKC-normalised, with each run of white space as one space.
    """
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _order(seed: int, text: str) -> bytes:
    """Return a text's place in the lottery.

    A hash draws the same everywhere, whatever the library versions and the order of the file,
    and a text added later moves no other.
    """
    return hashlib.sha256(f"{seed}\0{text}".encode()).digest()


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


def candidates(pool: list[Example], taken: set[str]) -> tuple[list[Example], Counter[str]]:
    """Return the texts that may be drawn, and how many may not, by reason.

    Args:
        pool: The labelled texts.
        taken: `comparable` texts of the splits that are given.
    """
    labels: dict[str, set[str | None]] = defaultdict(set)
    for example in pool:
        labels[comparable(example.text)].add(example.label)
    drawable, aside = [], Counter[str]()
    seen: set[str] = set()
    for example in pool:
        key = comparable(example.text)
        if not key:
            aside["empty text"] += 1
        elif key in taken:
            aside["also in a given split"] += 1
        elif len(labels[key]) > 1:
            aside["same text with another label"] += 1
        elif key in seen:
            aside["copy of another text"] += 1
        else:
            seen.add(key)
            drawable.append(example)
    return drawable, aside


def draw(
    drawable: list[Example],
    sizes: dict[str, int],
    labels: list[str],
    seed: int,
    *,
    balanced: bool = True,
    key: str = "splits",
) -> dict[str, list[Example]]:
    """Draw splits at random, stratified by label, each text once, the labels mixed.

    Args:
        drawable: The texts, all different.
        sizes: Texts per split.
        labels: The classes, in order.
        seed: The `split_seed`.
        balanced: Equal classes; otherwise as in ``drawable``.
        key: The dotted configuration key, for messages.

    Raises:
        UserError: There are too few texts of a class.
    """
    by_label: dict[str, list[Example]] = {label: [] for label in labels}
    lots = {example.id: _order(seed, comparable(example.text)) for example in drawable}
    for example in sorted(drawable, key=lambda e: lots[e.id]):
        by_label[str(example.label)].append(example)
    counts = {label: len(examples) for label, examples in by_label.items()}
    wanted = {split: shares(n, counts, balanced=balanced) for split, n in sizes.items()}
    for label in labels:
        needed = sum(share[label] for share in wanted.values())
        if needed > counts[label]:
            there = ", ".join(f"{count:,} {name}" for name, count in counts.items())
            raise UserError(
                f"{key}: need {needed:,} different texts of label {label!r}, but there are "
                f"only {there}"
            )
    drawn: dict[str, list[Example]] = {}
    for split, share in wanted.items():
        chosen: list[Example] = []
        for label, count in share.items():
            chosen += by_label[label][:count]
            del by_label[label][:count]
        drawn[split] = sorted(chosen, key=lambda e: lots[e.id])
    return drawn
