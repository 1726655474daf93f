"""Reads growth curves: the slope between two measurements, from the files of `benchmarks/`."""

import json
from itertools import pairwise
from math import log10
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"

# What the slope is taken of: the file, the fields that choose the rows, and what was expected.
CURVES: tuple[tuple[str, dict[str, str], str], ...] = (
    ("growth", {"operation": "shape", "label": "all pairs"}, "O(n²)"),
    ("next_task", {"label": "sort"}, "O(n log n)"),
    ("list_dict", {"operation": "average", "label": "list"}, "O(n)"),
    ("heap", {"operation": "remove", "label": "heapq"}, "O(n)"),
    ("heap", {"operation": "push and pop", "label": "ours"}, "O(log n)"),
    ("growth", {"operation": "place", "label": "bisect"}, "O(log n)"),
    ("list_dict", {"operation": "not there", "label": "dict"}, "O(1)"),
    ("list_dict", {"operation": "average", "label": "dict"}, "O(1)"),
)


def slope(n1: float, time1: float, n2: float, time2: float) -> float:
    """Return the exponent k of a curve that grows as n to the power of k between two points."""
    return log10(time2 / time1) / log10(n2 / n1)


def points(name: str, where: dict[str, str]) -> list[tuple[int, float]]:
    """Return the measured points of one curve, by rising n."""
    rows: list[dict[str, Any]] = json.loads((RESULTS / f"{name}.json").read_text())["rows"]
    return sorted((row["n"], row["value"]) for row in rows if where.items() <= row.items())


def slopes() -> None:
    """Print how steep each curve is: from its first point to its last, and at its end."""
    print("| file and row | expected | from n | to n | time grows | slope | of the last part |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name, where, expected in CURVES:
        first, *_, before, last = points(name, where)
        what = ", ".join([f"`{name}`", *where.values()])
        times = float(f"{last[1] / first[1]:.2g}")
        grows = f"{times:,.0f} ×" if times >= 10 else f"{times:.1f} ×"
        cells = (what, expected, f"{first[0]:,}", f"{last[0]:,}", grows)
        steep = (shown(slope(*first, *last)), shown(slope(*before, *last)))
        print(f"| {' | '.join(cells + steep)} |")


def shown(number: float) -> str:
    """Return a slope with two digits, and no minus before a zero."""
    return f"{round(number, 2) + 0.0:.2f}"


def affordable(seconds: float = 0.01) -> None:
    """Print how many tasks each question of the picture may be asked about within a time."""
    print(f"| question | n within {seconds * 1000:.0f} ms |")
    print("| --- | ---: |")
    for label in ("all pairs", "sort", "max", "bisect", "dict look-up"):
        curve = points("growth", {"operation": "shape", "label": label})
        print(f"| {label} | {reached(curve, seconds)} |")


def reached(curve: list[tuple[int, float]], seconds: float) -> str:
    """Return at which n a curve reaches a time: on the straight line between two points."""
    for (n1, time1), (n2, time2) in pairwise(curve):
        if time1 <= seconds < time2:
            n = n1 * (seconds / time1) ** (1 / slope(n1, time1, n2, time2))
            return f"about {float(f'{n:.1g}'):,.0f}"
    return f"more than {curve[-1][0]:,}"
