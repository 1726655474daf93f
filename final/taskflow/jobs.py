"""The child: a program that computes, and knows nothing of the server but its standard input.

    python -m taskflow.jobs

It reads one job a line as JSON, followed by as many lines of input as the job says, and answers
each job with one line: `{"output": …}` or `{"error": "…"}`. When its input ends, its parent is
gone, and it ends at once, even in the middle of a computation: a thread waits for that.
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

from taskflow.codec import utc_now

STATUSES = {"pending": 0, "in-progress": 0, "completed": 0}
BANDS = {"high": 0, "medium": 0, "low": 0}


def cpu_sum(iterations: int) -> dict[str, Any]:
    """Return a sum that takes a while: work for the processor, and nothing else. O(iterations)."""
    started = perf_counter()
    result = sum(number * number % 7 for number in range(iterations))
    return {"result": result, "durationMs": round((perf_counter() - started) * 1000, 3)}


def report(lines: Iterable[bytes], iterations: int) -> dict[str, Any]:
    """Return the report over tasks, which come as their JSON. O(tasks + edges + iterations)."""
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
    os._exit(0)  # not sys.exit, which would end this thread alone


def main() -> None:
    """Answer jobs until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    lines: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_read, args=(lines,), daemon=True).start()
    while True:
        job = json.loads(lines.get())
        given = [lines.get() for _ in range(job["lines"])]
        try:
            if job["kind"] == "report":
                answer: dict[str, Any] = {"output": report(given, job["iterations"])}
            else:
                answer = {"output": cpu_sum(job["iterations"])}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
