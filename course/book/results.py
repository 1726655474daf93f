"""``bench_table()``, ``number()`` and ``say()``: measured numbers, from committed files.

A benchmark writes ``benchmarks/results/NAME.json``::

    {"name": "heap", "title": "Push and pop", "unit": "s", "rounds": 3, "date": "2026-01-01",
     "machine": {"python": "3.11.2", "cores": 2},
     "rows": [{"label": "heapq", "n": 1000, "value": 0.123}, …]}

A guide shows what stands there; measuring again is the benchmark's work, and takes minutes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from course.book.guide import BookError, Guide

RESULTS = "benchmarks/results"
Row = dict[str, Any]


def load(root: Path, name: str) -> dict[str, Any]:
    """The results of one benchmark."""
    path = root / RESULTS / f"{name}.json"
    if not path.is_file():
        raise BookError(f"there is no {RESULTS}/{name}.json: run the benchmark first")
    try:
        results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        results["title"], results["unit"], results["rows"]
    except (ValueError, KeyError, TypeError) as error:
        raise BookError(f"{RESULTS}/{name}.json is not a result: {error!r}") from None
    return results


def select(results: dict[str, Any], where: dict[str, object]) -> list[Row]:
    """The rows that have all the given fields."""
    return [row for row in results["rows"] if where.items() <= row.items()]


def number(guide: Guide, name: str, *, value: str = "value", **where: object) -> float:
    """One measured number, to be put into a sentence with ``say()``."""
    rows = select(load(guide.root, name), where)
    if len(rows) != 1:
        raise BookError(f"{len(rows)} rows of {name} have {where}, and one must")
    return float(rows[0][value])


def say(guide: Guide, text: str) -> str:
    """A paragraph: the way to a sentence with numbers in it that are looked up."""
    return text


def bench_table(  # noqa: PLR0913 - keywords, each an author's choice
    guide: Guide,
    name: str,
    *,
    rows: str = "n",
    columns: str = "label",
    value: str = "value",
    only: Sequence[object] | None = None,
    where: dict[str, object] | None = None,
) -> str:
    """A table of measured numbers, with where and how they were measured below it.

    ``rows`` and ``columns`` name the fields whose values head the lines and the columns; ``only``
    chooses columns and their order; ``where`` chooses rows of the file.
    """
    results = load(guide.root, name)
    chosen = select(results, where or {})
    heads = list(only) if only else _distinct(chosen, columns)
    cells = {(row.get(rows), row.get(columns)): row[value] for row in chosen if value in row}
    if not cells:
        raise BookError(f"nothing in {name} matches")
    lines = [
        _line([rows, *(str(head) for head in heads)]),
        _line(["---:" if _numeric(chosen, rows) else "---", *("---:" for _ in heads)]),
    ]
    for side in _distinct(chosen, rows):
        shown = [quantity(cells.get((side, head)), results["unit"]) for head in heads]
        lines.append(_line([f"{side:,}" if isinstance(side, int) else str(side), *shown]))
    return f"{_caption(results)}\n\n" + "\n".join(lines) + f"\n\n{_source(guide, name, results)}"


def quantity(value: float | None, unit: str) -> str:
    """A number with three significant digits; seconds in the unit that suits them."""
    if value is None:
        return "–"
    if unit in ("s", "seconds"):
        for factor, name in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
            if value * factor >= 1:
                return f"{_digits(value * factor)} {name}"
        return f"{_digits(value * 1e9)} ns"
    return _digits(value)


def _digits(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def _distinct(rows: list[Row], field: str) -> list[Any]:
    """The values of a field, in the order of the file."""
    return list(dict.fromkeys(row[field] for row in rows if field in row))


def _numeric(rows: list[Row], field: str) -> bool:
    return all(isinstance(row.get(field), int | float) for row in rows)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _caption(results: dict[str, Any]) -> str:
    unit = results["unit"]
    return f"**{results['title']}**" + ("" if unit in ("s", "seconds") else f" ({unit})")


def _source(guide: Guide, name: str, results: dict[str, Any]) -> str:
    machine = ", ".join(f"{key} {value}" for key, value in results.get("machine", {}).items())
    how = f"Median of {results.get('rounds', 1)} rounds, {results.get('date', 'undated')}"
    link = guide.link(f"{RESULTS}/{name}.json")
    return f"*{how}; {machine}. [The raw numbers]({link}).*"
