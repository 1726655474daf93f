"""`python -m benchmarks.loops KIND ROWS`: the bare loops that streams of rows are measured beside.

Nothing but the standard library's encoder, called for one row after the other: no server, no
socket, and nothing kept. The seconds go to stdout as JSON, as they pass and of the processor.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.tasks import task_lines

COLUMNS = ("id", "title", "priority")


def made_up(count: int) -> Iterator[tuple[int, str, int]]:
    """Yield the rows that `/demo/stream` makes up."""
    return ((number, f"Task {number}", number % 10) for number in range(1, count + 1))


def loop_json(rows: Iterable[Any]) -> None:
    """Encode each as JSON."""
    for row in rows:
        json.dumps(row)


def loop_csv(rows: Iterable[Sequence[object]]) -> None:
    """Encode each as CSV."""
    with Path(os.devnull).open("w", encoding="utf-8", newline="") as nowhere:
        writer = csv.writer(nowhere)
        for row in rows:
            writer.writerow(row)


def ready(kind: str, count: int) -> tuple[Callable[[Iterable[Any]], None], Iterable[Any]]:
    """Return a loop and its rows. The made-up ones are made on the way, as the server does."""
    match kind:
        case "ndjson":
            return loop_json, (dict(zip(COLUMNS, row, strict=True)) for row in made_up(count))
        case "csv":
            return loop_csv, made_up(count)
        case _:
            return loop_json, [json.loads(line) for line in task_lines(count)]


def main(kind: str, count: str) -> None:
    """Run one loop, and print its seconds."""
    loop, rows = ready(kind, int(count))
    begin, cpu = time.perf_counter(), time.process_time()
    loop(rows)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    print(json.dumps({"seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    main(*sys.argv[1:])
