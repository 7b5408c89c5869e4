"""Numbers and values as people read them: rounded, with units."""

import re
from pathlib import Path
from typing import Any

import pandas as pd

from seedwise.study.selection import MAIN

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"


def read_table(path: Path) -> pd.DataFrame:
    """Read a table of a study; a name that looks like a number stays a name."""
    names = ("experiment", "experiment_a", "experiment_b", "dataset")
    return pd.read_csv(path, dtype=dict.fromkeys(names, str))


def number(value: float, decimals: int = 0) -> str:
    """Return a number with separated thousands and a true minus sign; a dash for NaN."""
    if value is None or pd.isna(value):
        return DASH
    text = f"{value:,.{decimals}f}".replace("-", MINUS)
    return text.lstrip(MINUS) if float(f"{value:.{decimals}f}") == 0 else text


def percent(value: float, decimals: int = 1) -> str:
    """Return a fraction as percent."""
    return DASH if pd.isna(value) else f"{number(100 * value, decimals)} %"


def main_measures(measures: pd.Series) -> str:
    """Return the names of those main measures, of labels and of scores, that stand in a column."""
    return " or ".join(name for measure, name in MAIN.items() if (measures == measure).any())


def is_share(measure: str) -> bool:
    """Tell whether a measure is a share, which is printed in percent; correlations are not."""
    return measure in ("accuracy", "macro_f1")


def in_units(value: float, measure: str = "accuracy") -> str:
    """Return a measure's value without a unit: per cents of a share, else three decimals."""
    return number(100 * value, 1) if is_share(measure) else number(value, 3)


def reached(value: float, measure: str = "accuracy") -> str:
    """Return what was reached by a measure: ``81.7 %``, or ``0.817`` of a correlation."""
    return percent(value) if is_share(measure) else number(value, 3)


def mean_and_std(mean: float, std: float, measure: str = "accuracy") -> str:
    """Return ``81.7 % ± 1.4`` for the fractions 0.817 and 0.014; no spread where there is none."""
    text = reached(mean, measure)
    return text if pd.isna(std) else f"{text} ± {in_units(std, measure)}"


def interval(low: float, high: float, unit: str = " %", measure: str = "accuracy") -> str:
    """Return an interval of fractions in percent; a dash where there is none."""
    if pd.isna(low):
        return DASH
    unit = unit if is_share(measure) else ""
    return f"{in_units(low, measure)} to {in_units(high, measure)}{unit}"


def p_value(value: float) -> str:
    """Return a p-value with two significant digits, or a bound for tiny ones."""
    return "< 0.0001" if value < 1e-4 else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def seconds(value: float) -> str:
    """Return a duration in the unit that suits it."""
    if pd.isna(value):
        return DASH
    if value < 100:
        return f"{number(value, 1)} s"
    return f"{number(value / 60, 1)} min" if value < 6000 else f"{number(value / 3600, 1)} h"


def memory(mib: float) -> str:
    """Return mebibytes, or gibibytes from one on."""
    if pd.isna(mib):
        return DASH
    return f"{number(mib)} MiB" if mib < 1024 else f"{number(mib / 1024, 1)} GiB"


def plain_pairs(value: Any, name: str = "", decimals: int | None = None) -> list[tuple[str, str]]:
    """Return any JSON value as pairs of a dotted name and a text, in its own order.

    Args:
        value: The value.
        name: The name of the value itself.
        decimals: How to round numbers with a fraction; as they stand by default.
    """
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        value = dict(enumerate(value))
    if isinstance(value, dict):
        return [
            pair
            for key, inner in value.items()
            for pair in plain_pairs(inner, f"{name}.{key}" if name else str(key), decimals)
        ]
    if isinstance(value, list):
        return [(name, ", ".join(map(str, value)) or DASH)]
    if isinstance(value, bool):
        return [(name, "yes" if value else "no")]
    if isinstance(value, int):
        return [(name, number(value))]
    if isinstance(value, float) and decimals is not None:
        return [(name, number(value, decimals))]
    return [(name, DASH if value is None else str(value))]


def is_numeric(column: pd.Series) -> bool:
    """Tell whether a column of texts reads as numbers, which stand flush right."""
    return all(re.match(rf"[{MINUS}<\d{DASH}]", text) for text in column)
