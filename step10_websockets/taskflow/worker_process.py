"""The worker process: a program that computes, and knows the server only by its standard input.

    python -m taskflow.worker_process

It reads each job as one line of JSON, followed by the lines of input that the job announces, and
writes one line for each job: `{"output": …}` or `{"error": "…"}`. When its input ends, its parent
has gone, and it ends at once, even in the middle of a computation, because a thread waits for that.

Its memory is bounded. The thread reads at most MAX_AHEAD lines ahead, and a report forgets each
line that it has counted, except for the ids of completed tasks, which take 150 MB per million.
"""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterable
from queue import Queue
from threading import Thread
from time import perf_counter
from typing import Any

from taskflow.clock import utc_now

# Lines that may wait until they are used. Of the largest tasks, that is 10 MB.
MAX_AHEAD = 100

STATUSES = ("pending", "in-progress", "completed")
BANDS = ("high", "medium", "low")


def cpu_sum(iterations: int) -> dict[str, Any]:
    """Return a sum that takes a while: work for the processor alone. O(iterations)."""
    started = perf_counter()
    result = sum(number * number % 7 for number in range(iterations))
    return {"result": result, "durationMs": round((perf_counter() - started) * 1000, 3)}


def report(lines: Iterable[bytes], iterations: int) -> dict[str, Any]:
    """Return the report on tasks, given as their JSON, the completed ones first.

    O(tasks + edges + iterations) in time, O(completed tasks) in memory.
    """
    started = perf_counter()
    completed: set[str] = set()
    counts: Counter[str] = Counter()
    for task in map(json.loads, lines):
        counts.update(("tasks", task["status"], _band(task["priority"])))
        counts["edges"] += len(task["dependencies"])
        if task["status"] == "completed":
            completed.add(task["id"])
        elif not completed.issuperset(task["dependencies"]):
            counts["blocked"] += 1
    return {
        "summary": {
            "totalTasks": counts["tasks"],
            "blockedTasks": counts["blocked"],
            "unblockedTasks": counts["tasks"] - counts["blocked"],
            "totalDependencies": counts["edges"],
        },
        "byStatus": {status: counts[status] for status in STATUSES},
        "byPriority": {band: counts[band] for band in BANDS},
        "syntheticCpuScore": cpu_sum(iterations)["result"],
        "generatedAt": utc_now(),
        "durationMs": round((perf_counter() - started) * 1000, 3),
    }


def _band(priority: int) -> str:
    return "high" if priority >= 8 else "medium" if priority >= 4 else "low"


def _read(lines: Queue[bytes]) -> None:
    for line in sys.stdin.buffer:
        # Waits while too many lines wait, so that the parent has to wait too.
        lines.put(line)
    # sys.exit would end only this thread.
    os._exit(0)


def main() -> None:
    """Do jobs until the input ends."""
    # Ctrl-C is for the parent, which ends its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lines: Queue[bytes] = Queue(MAX_AHEAD)
    Thread(target=_read, args=(lines,), daemon=True).start()
    while True:
        job = json.loads(lines.get())
        tasks = (lines.get() for _ in range(job["lines"]))
        try:
            if job["kind"] == "report":
                reply: dict[str, Any] = {"output": report(tasks, job["iterations"])}
            else:
                reply = {"output": cpu_sum(job["iterations"])}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        # The next job begins after the lines that a job which failed has not read.
        for _ in tasks:
            pass
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
