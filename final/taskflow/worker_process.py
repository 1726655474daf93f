"""The worker process: a program that computes, and knows the server only by its standard input.

    python -m taskflow.worker_process

It reads each job as one line of JSON, followed by the lines of input that the job announces, and
writes one line for each job: `{"output": …}` or `{"error": "…"}`. When its input ends, its parent
has gone, and it ends at once, even in the middle of a computation, because a thread waits for that.
"""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterable
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Any

from taskflow.clock import utc_now

STATUSES = {"pending": 0, "in-progress": 0, "completed": 0}
BANDS = {"high": 0, "medium": 0, "low": 0}


def cpu_sum(iterations: int) -> dict[str, Any]:
    """Return a sum that takes a while: work for the processor alone. O(iterations)."""
    started = perf_counter()
    result = sum(number * number % 7 for number in range(iterations))
    return {"result": result, "durationMs": round((perf_counter() - started) * 1000, 3)}


def report(lines: Iterable[bytes], iterations: int) -> dict[str, Any]:
    """Return the report on tasks, given as their JSON. O(tasks + edges + iterations)."""
    started = perf_counter()
    tasks = [json.loads(line) for line in lines]
    finished = {task["id"] for task in tasks if task["status"] == "completed"}
    blocked = sum(
        task["id"] not in finished and not finished.issuperset(task["dependencies"])
        for task in tasks
    )
    return {
        "summary": {
            "totalTasks": len(tasks),
            "blockedTasks": blocked,
            "unblockedTasks": len(tasks) - blocked,
            "totalDependencies": sum(len(task["dependencies"]) for task in tasks),
        },
        "byStatus": STATUSES | Counter(task["status"] for task in tasks),
        "byPriority": BANDS | Counter(_band(task["priority"]) for task in tasks),
        "syntheticCpuScore": cpu_sum(iterations)["result"],
        "generatedAt": utc_now(),
        "durationMs": round((perf_counter() - started) * 1000, 3),
    }


def _band(priority: int) -> str:
    return "high" if priority >= 8 else "medium" if priority >= 4 else "low"


def _read(lines: SimpleQueue[bytes]) -> None:
    for line in sys.stdin.buffer:
        lines.put(line)
    # sys.exit would end only this thread.
    os._exit(0)


def main() -> None:
    """Do jobs until the input ends."""
    # Ctrl-C is for the parent, which ends its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lines: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_read, args=(lines,), daemon=True).start()
    while True:
        job = json.loads(lines.get())
        tasks = [lines.get() for _ in range(job["lines"])]
        try:
            if job["kind"] == "report":
                reply: dict[str, Any] = {"output": report(tasks, job["iterations"])}
            else:
                reply = {"output": cpu_sum(job["iterations"])}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
