"""Rounds, medians and ratios.

Contestants take turns, A B C A B C A B C, so that a machine which becomes slower meanwhile is
as bad for one as for another. The median of the rounds is the result.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from statistics import median

from benchmarks import processes
from benchmarks.cases import Case, Row, Subject

# What tells the rows of a round apart; all other fields are measured.
NAMES = ("label", "n", "operation", "shape")


def subject_of(name: str) -> Subject:
    """The module of a subject."""
    return import_module(f"benchmarks.{name}")


def measure(name: str, rounds: int, quick: bool) -> tuple[list[Row], list[str]]:
    """Measure a subject; return its rows, and a note for each case that was left out."""
    subject = subject_of(name)
    cases = subject.cases(quick)
    needed = {module for case in cases for module in case.needs.split()}
    missing = sorted(module for module in needed if not find_spec(module))
    cases = [case for case in cases if not set(missing).intersection(case.needs.split())]
    taken: list[list[Row]] = []
    for number in range(1, rounds + 1):
        rows: list[Row] = []
        for case in cases:
            _tell(f"{name}, round {number} of {rounds}: {case.label}, n = {case.n:,}")
            measured = _in_worker(name, case, quick) if subject.IN_WORKER else None
            found = subject.measure(case, quick) if measured is None else measured
            rows += [{"label": case.label, "n": case.n, **row} for row in found]
        add_ratios(rows, subject.REFERENCES)
        taken.append(rows)
    _tell("")
    return medians(taken), [f"without {module}, which is not installed" for module in missing]


def _in_worker(name: str, case: Case, quick: bool) -> list[Row]:
    arguments = [name, json.dumps(asdict(case)), json.dumps(quick)]
    output = processes.run([sys.executable, "-m", "benchmarks.worker", *arguments], case.step)
    rows: list[Row] = json.loads(output)
    return rows


def _names(row: Row) -> tuple[tuple[str, object], ...]:
    return tuple((name, row[name]) for name in NAMES if name in row)


def add_ratios(rows: Sequence[Row], references: Mapping[str, Mapping[str, object]]) -> None:
    """Give each row its value as a multiple of the value in the rows it is compared with.

    The same for the processor's time, where that was measured too.
    """
    others = {_names(row): dict(row) for row in rows}
    for row in rows:
        for field, change in references.items():
            other = others.get(_names({**row, **change}), {})
            if other.get("value"):
                row[field] = row["value"] / other["value"]
            if other.get("cpu_us") and "cpu_us" in row:
                row[f"cpu_{field}"] = row["cpu_us"] / other["cpu_us"]


def medians(rounds: Sequence[Sequence[Row]]) -> list[Row]:
    """One row for each that the rounds have, with the medians of what was measured in it."""
    result = []
    for first in rounds[0]:
        same = [row for rows in rounds for row in rows if _names(row) == _names(first)]
        row = dict(_names(first))
        for field in first.keys() - set(NAMES):
            row[field] = _rounded(median(other[field] for other in same))
        row["samples"] = [_rounded(other["value"]) for other in same]
        result.append({"label": row.pop("label"), "n": row.pop("n"), **row})
    return result


def _rounded(number: float) -> float:
    """Five significant digits: more would be noise."""
    return float(f"{number:.5g}")


def _tell(text: str) -> None:
    """Say what is going on, on a line that is written over and over."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)
