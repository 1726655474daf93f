"""The results: a table for the terminal, a file for the guides."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.cases import Row, Subject
from benchmarks.rounds import NAMES
from course.book.results import quantity

RESULTS = Path(__file__).parent / "results"
BESIDE = (
    "heapdict",
    "pqdict",
    "networkx",
    "fastapi",
    "pydantic",
    "uvicorn",
    "uvloop",
    "httptools",
    "websockets",
    "aiohttp",
    "flask",
    "gunicorn",
)


def tables(subject: Subject, rows: Sequence[Row]) -> str:
    """The rows for a reader: one table for each operation."""
    groups = dict.fromkeys((row.get("operation"), row.get("shape")) for row in rows)
    parts = [subject.TITLE]
    for group in groups:
        chosen = [row for row in rows if (row.get("operation"), row.get("shape")) == group]
        heading = ", ".join(name for name in group if name)
        sizes = {row["n"] for row in chosen}
        growth = len(sizes) > 1
        parts += [f"\n{heading}".rstrip(), (by_size if growth else by_label)(subject, chosen)]
    return "\n".join(parts)


def by_size(subject: Subject, rows: Sequence[Row]) -> str:
    """A line for each n, a column for each contestant, and the ratios beside them."""
    labels = list(dict.fromkeys(row["label"] for row in rows))
    fields = [name for name in subject.REFERENCES if any(name in row for row in rows)]
    cells = {(row["n"], row["label"]): row for row in rows}
    lines = [["n", *labels]]
    for n in dict.fromkeys(row["n"] for row in rows):
        line = [f"{n:,}"]
        for label in labels:
            row = cells.get((n, label))
            if row is None:
                line.append("–")
                continue
            ratios = [f"({times(row[name])})" for name in fields if row.get(name, 1) != 1]
            line.append(" ".join([quantity(row["value"], subject.UNIT), *ratios]))
        lines.append(line)
    return aligned(lines) + "".join(f"\n  in brackets: {name.replace('_', ' ')}" for name in fields)


def by_label(subject: Subject, rows: Sequence[Row]) -> str:
    """A line for each contestant, with all that was measured."""
    fields = list(dict.fromkeys(name for row in rows for name in row if name not in NAMES))
    fields = ["value", *sorted(name for name in fields if name not in ("value", "samples"))]
    lines = [["", subject.UNIT, "lowest", "highest", *(n.replace("_", " ") for n in fields[1:])]]
    for row in rows:
        span = [row["value"], min(row["samples"]), max(row["samples"])]
        others = [times(row[name]) if name in row else "–" for name in fields[1:]]
        lines.append([row["label"], *(quantity(value, subject.UNIT) for value in span), *others])
    return aligned(lines)


def times(ratio: float) -> str:
    """How many times something is, with as many digits as one wants to read."""
    return f"{ratio:.3g}" if ratio < 100 else f"{ratio:,.0f}"


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Text in columns: names to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  " + "  ".join([line[0].ljust(widths[0]), *_right(line[1:], widths[1:])]).rstrip()
        for line in lines
    )


def _right(cells: Sequence[str], widths: Iterable[int]) -> list[str]:
    return [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]


def write(name: str, subject: Subject, rows: Sequence[Row], rounds: int) -> Path:
    """Write the file that the guides read, with one line for each row."""
    head: dict[str, Any] = {
        "name": name,
        "title": subject.TITLE,
        "unit": subject.UNIT,
        "rounds": rounds,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
    }
    lines = [f'  "{key}": {json.dumps(value, ensure_ascii=False)},' for key, value in head.items()]
    body = ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in rows)
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    text = "\n".join(["{", *lines, f'  "rows": [\n{body}\n  ]', "}", ""])
    path.write_text(text, encoding="utf-8")
    return path


def machine() -> dict[str, str | int]:
    """Where it was measured."""
    return {
        "CPU": _processor(),
        "cores": os.cpu_count() or 1,
        "system": platform.system(),
        "Python": platform.python_version(),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """What it was measured beside, or with."""
    found = {}
    for name in BESIDE:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
