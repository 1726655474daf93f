"""From the start of `python -m taskflow` to the line that says it is ready."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from benchmarks.cases import Case, Row
from benchmarks.processes import environment, serving

TITLE = "From start to ready"
UNIT = "s"
IN_WORKER = False
REFERENCES = {"to_python": {"label": "python -c pass"}}

STARTS = 11


def cases(quick: bool) -> list[Case]:
    """Each step, and Python itself."""
    steps = (4,) if quick else (1, 2, 3, 4)
    bare = Case("python -c pass", 1)
    return [bare, *(Case(f"step {step}", 1, step) for step in steps)]


def measure(case: Case, quick: bool) -> list[Row]:
    """Start it several times; the first time, which writes the bytecode, does not count."""
    times = [_start(case.step) for _ in range((2 if quick else STARTS) + 1)]
    return [{"value": median(times[1:])}]


def _start(step: int) -> float:
    begin = time.perf_counter()
    if not step:
        subprocess.run([sys.executable, "-c", "pass"], check=True, env=environment(0))
        return time.perf_counter() - begin
    with serving(["-m", "taskflow", "--port", "0"], step):
        return time.perf_counter() - begin
