"""Measured medians of final with their ranges, which show where two rows really differ."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"

WHOLE = "final"
ALTERNATIVES = ("final, asyncio's loop", "final, answers sent one by one")

Row = dict[str, Any]


def rows_of(name: str) -> dict[tuple[str, str], Row]:
    """Return the rows of a result file, by label and operation."""
    results = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return {(row["label"], row["operation"]): row for row in results["rows"]}


def overlap(one: Row, other: Row) -> bool:
    """Return whether the rounds of two rows overlap, so that the rows show no difference."""
    ones, others = one["samples"], other["samples"]
    return bool(max(ones) >= min(others) and max(others) >= min(ones))


def cell(row: Row, whole: Row, number: Callable[[float], str]) -> str:
    """Return the median and the range of a row, in bold if it differs from the whole program."""
    low, high = min(row["samples"]), max(row["samples"])
    median = number(row["value"])
    if row is not whole and not overlap(row, whole):
        median = f"**{median}**"
    return f"{median} ({number(low)} to {number(high)})"


def table(name: str, labels: list[str], number: Callable[[float], str]) -> None:
    """Print a row for each label, the whole program first."""
    rows = rows_of(name)
    print("| label | GET | POST |\n| --- | ---: | ---: |")
    for label in labels:
        cells = [
            cell(rows[label, operation], rows[WHOLE, operation], number)
            for operation in ("GET", "POST")
        ]
        print(f"| {label} | {' | '.join(cells)} |")


def parts() -> None:
    """Print the processor time of a request without each optimisation, in microseconds."""
    labels = list(dict.fromkeys(label for label, _ in rows_of("final_parts")))
    table("final_parts", labels, "{:.1f}".format)


def loops() -> None:
    """Print the requests per second without uvloop and without the outbox, and what they show."""
    table("final_http", [WHOLE, *ALTERNATIVES], "{:,.0f}".format)
    rows = rows_of("final_http")
    shown = [
        f"`{operation}` with *{label}*"
        for label in ALTERNATIVES
        for operation in ("GET", "POST")
        if not overlap(rows[label, operation], rows[WHOLE, operation])
    ]
    if shown:
        print(f"\nOnly these ranges do not overlap with those of `final`: {', '.join(shown)}.")
    else:
        print("\nAll ranges overlap with those of `final`, so these rounds show no difference.")
