"""Pauses of the cycle collector while tasks are created: `final`, beside larger thresholds.

All requests wait for a collection. What is counted is the time of the processor, so the rest of the
machine makes no difference.
"""

from __future__ import annotations

import gc
import time
from importlib import import_module

from benchmarks.cases import Case, Row
from benchmarks.processes import FINAL, FINAL_NEEDS

TITLE = "The longest pause of the cycle collector, while tasks are created"
UNIT = "ms"
IN_WORKER = True
CALM = "final"
REFERENCES = {"to_final": {"label": CALM}}

TASKS = 350_000
QUICK_TASKS = 30_000
GENERATIONS = ("young", "middle", "old")

# What the others do instead of calm_collector.
THRESHOLDS = {
    "10,000 objects, 10, 10": (10_000, 10, 10),
    "as Python has it: 700, 10, 10": (700, 10, 10),
}


def cases(quick: bool) -> list[Case]:
    """Return final, and then the other thresholds."""
    tasks = QUICK_TASKS if quick else TASKS
    return [Case(label, tasks, FINAL, FINAL_NEEDS) for label in (CALM, *THRESHOLDS)]


def measure(case: Case, quick: bool) -> list[Row]:
    """Create tasks; return the longest pause in each generation, and the number of pauses."""
    if case.label == CALM:
        import_module("taskflow.process").calm_collector()
    else:
        gc.freeze()
        gc.set_threshold(*THRESHOLDS[case.label])
    # The worker that calls this has turned it off.
    gc.enable()
    pauses: dict[int, list[float]] = {}
    began = 0.0

    def watch(phase: str, info: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = time.thread_time()
        else:
            pauses.setdefault(info["generation"], []).append(time.thread_time() - began)

    store = import_module("taskflow.store").Store()
    gc.callbacks.append(watch)
    for number in range(case.n):
        store.create({"title": f"task {number}", "description": "Inside and outside"})
    gc.callbacks.remove(watch)
    return [
        {
            "operation": GENERATIONS[generation],
            "value": max(seconds) * 1e3,
            "collections": len(seconds),
            "total_ms": sum(seconds) * 1e3,
        }
        for generation, seconds in sorted(pauses.items())
    ]
