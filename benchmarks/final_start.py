"""From the start of `final` to the line that says it is ready: empty, and with tasks to load."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from urllib.request import Request, urlopen

from benchmarks.cases import Case, Row
from benchmarks.processes import FINAL, FINAL_NEEDS, TOKEN, CannotMeasure, serving
from benchmarks.tasks import task_lines

TITLE = "From start to ready, final"
UNIT = "s"
IN_WORKER = False
REFERENCES: dict[str, dict[str, object]] = {}

STARTS = 11
IN_MEMORY = "in memory"


def cases(quick: bool) -> list[Case]:
    """Without a file, with a new one, and with one that has tasks in it."""
    return [
        Case(IN_MEMORY, 0, FINAL, FINAL_NEEDS),
        Case("durable", 0, FINAL, FINAL_NEEDS),
        Case("durable", 1_000 if quick else 100_000, FINAL, FINAL_NEEDS),
    ]


def measure(case: Case, quick: bool) -> list[Row]:
    """Start it several times; the first time, which writes the bytecode, does not count."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        filled = Path(folder, "tasks.db")
        if case.n:
            _fill(filled, case.n)
        for number in range((2 if quick else STARTS) + 1):
            file = filled if case.n else Path(folder, f"{number}.db")
            begin = time.perf_counter()
            with serving(_command(":memory:" if case.label == IN_MEMORY else str(file)), FINAL):
                times.append(time.perf_counter() - begin)
    return [{"value": median(times[1:])}]


def _command(data: str) -> list[str]:
    return ["-m", "taskflow", "--port", "0", "--data", data]


def _fill(file: Path, n: int) -> None:
    """Import n tasks, half of which wait for two others."""
    with serving(_command(str(file)), FINAL) as server:
        request = Request(
            f"http://127.0.0.1:{server.port}/tasks/import",
            data=b"".join(task_lines(n)),
            headers={"Content-Type": "application/x-ndjson", "Authorization": TOKEN},
        )
        with urlopen(request, timeout=120) as answer:
            if f'"created":{n},'.encode() not in answer.read():
                raise CannotMeasure("not all tasks were imported")
