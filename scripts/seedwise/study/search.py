"""The candidates of an experiment's hyper-parameter search; standard library only."""

import hashlib
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

from seedwise.files import sha256_of_json

Search = dict[str, Any]

FIXED = {
    "device",
    "precision",
    "threads",
    "processes",
    "eval_batch_size",
    "checkpoint_minutes",
    "checkpoint_updates",
    "search",
}
"""Keys beside hyper-parameters that say how a training runs, not what it finds."""

_DIGITS = 3  # significant ones of a number drawn from a range
_DRAWS = 1000  # for each candidate of a budget, until all are different


def name(values: Search) -> str:
    """Return the name of the candidate with these values, whatever others there are."""
    return sha256_of_json(values)[:8]


def with_values(settings: Search, values: Search) -> Search:
    """Return a run's settings with a candidate's ``values`` for its hyper-parameters.

    Where an engine tries a list of values by itself, it gets the one of the candidate.
    """
    if not values:
        return settings
    section = "finetune" if "finetune" in settings else settings["engine"]
    own = settings[section]
    chosen = {key: _listed(value, own.get(key)) for key, value in values.items()}
    return settings | {section: own | chosen}


def _listed(value: Any, given: Any) -> Any:
    return [value] if isinstance(given, list) and not isinstance(value, list) else value


def combinations(search: Search) -> int | None:
    """Return how many different candidates there can be; None where a range allows any number."""
    spaces = search["over"].values()
    if any(isinstance(space, dict) for space in spaces):
        return None
    return math.prod(map(len, spaces))


def candidates(search: Search) -> dict[str, Search]:
    """Return the values that each candidate tries, by its `name`.

    All combinations of the listed values; with a ``budget``, so many different ones at random
    (Bergstra & Bengio 2012). Each draw is a hash of the seed and its number, so that a larger
    budget keeps the candidates of a smaller one.
    """
    drawn = _sample(search) if "budget" in search else _grid(search)
    return {name(values): values for values in drawn}


def _grid(search: Search) -> Iterator[Search]:
    for values in itertools.product(*search["over"].values()):
        yield dict(zip(search["over"], values, strict=True))


def _sample(search: Search) -> Iterator[Search]:
    seen: set[str] = set()
    for number in range(_DRAWS * search["budget"]):
        values = {
            key: _value(space, _fraction(search.get("seed", 0), number, key))
            for key, space in search["over"].items()
        }
        if name(values) not in seen:
            seen.add(name(values))
            yield values
        if len(seen) == search["budget"]:
            return


def _fraction(seed: int, number: int, key: str) -> float:
    """Return a number in [0, 1), the same on every machine."""
    digest = hashlib.sha256(f"{seed}\0{number}\0{key}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / (1 << 48)


def _value(space: Any, fraction: float) -> Any:
    """Return the value at a ``fraction`` of a list or of a range."""
    if isinstance(space, list):
        return space[int(fraction * len(space))]
    low, high = space["from"], space["to"]
    if isinstance(low, int) and isinstance(high, int) and space.get("scale") != "log":
        return low + int(fraction * (high - low + 1))
    if space.get("scale") == "log":
        value = math.exp(math.log(low) + fraction * (math.log(high) - math.log(low)))
    else:
        value = low + fraction * (high - low)
    if isinstance(low, int) and isinstance(high, int):
        return round(value)
    return float(f"{value:.{_DIGITS}g}")


def check_search(
    key: str, search: Search, listed: bool, check: Callable[[Search], Iterator[str]]
) -> Iterator[str]:
    """Yield a message for each part of a search that cannot be tried.

    Args:
        key: where the search stands in the configuration.
        search: the search, which the schema allows.
        listed: whether the engine's hyper-parameters are lists of values, each to be tried.
        check: yields a message for each of these hyper-parameters that is not allowed.
    """
    for hyperparameter, space in search["over"].items():
        where = f"{key}.over.{hyperparameter}"
        if hyperparameter in FIXED:
            yield f"{where}: says how a training runs, not what it finds; it is not searched"
            continue
        bounds = [space["from"], space["to"]] if isinstance(space, dict) else space
        for value in bounds:
            tried = [value] if listed else value
            yield from (f"{where}: {message}" for message in check({hyperparameter: tried}))
        if isinstance(space, dict):
            if space["from"] >= space["to"]:
                yield f"{where}: `from` ({space['from']}) must be less than `to` ({space['to']})"
            if space.get("scale") == "log" and space["from"] <= 0:
                yield f"{where}: a logarithmic scale starts above 0, not at {space['from']}"
            if "budget" not in search:
                yield f"{key}.budget: missing; a range ({where}) needs the number of candidates"
    most = combinations(search)
    if most is not None and search.get("budget", 1) > most:
        yield f"{key}.budget: {search['budget']}, but there are only {most} combinations"
