"""Does a change cost more when there are more tasks? PUT and DELETE in step 4, over HTTP."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from statistics import median

from benchmarks.cases import Case, Row
from benchmarks.client import Client, encode
from benchmarks.processes import serving
from benchmarks.tasks import SEED

TITLE = "One request to change a task, with n tasks in the store"
UNIT = "s"
IN_WORKER = False
SIZES = (1_000, 10_000, 100_000)
REFERENCES = {"to_1000": {"n": SIZES[0]}}

BATCH = 100  # tasks that are made at once before measuring
CHANGES = 400  # of each kind that are measured


def cases(quick: bool) -> list[Case]:
    """Step 4 at every size."""
    return [Case("step 4", n, step=4) for n in ([200] if quick else SIZES)]


def measure(case: Case, quick: bool) -> list[Row]:
    """Fill the store, then change and delete random tasks one at a time."""
    numbers = random.Random(SEED)
    with (
        serving(["-m", "taskflow", "--port", "0"], case.step) as server,
        Client(server.port) as client,
    ):
        ids = fill(client, case.n, numbers)
        chosen = numbers.sample(ids, 50 if quick else CHANGES)
        puts = [
            encode("PUT", f"/tasks/{task_id}", json.dumps({"priority": priority}).encode())
            for priority, task_id in enumerate(chosen, 100)
        ]
        gets = [encode("GET", f"/tasks/{task_id}") for task_id in chosen]
        deletes = [encode("DELETE", f"/tasks/{task_id}") for task_id in chosen]
        return [
            {"operation": "GET", "value": _each(client, gets)},
            {"operation": "PUT", "value": _each(client, puts)},
            {"operation": "DELETE", "value": _each(client, deletes)},
        ]


def fill(client: Client, n: int, numbers: random.Random) -> list[str]:
    """Make n tasks and return their ids; every other hundred waits for two of the hundred before.

    So the heap and the graph are as large as the store, and a change has something to do in both.
    """
    ids: list[str] = []
    for batch in range(n // BATCH):
        before = ids[-BATCH:] if batch % 2 else []
        fields: list[dict[str, object]] = [
            {
                "title": f"Task {number}",
                "priority": numbers.randrange(100),
                "dependencies": numbers.sample(before, 2) if before else [],
            }
            for number in range(BATCH)
        ]
        ids += [task["id"] for task in client.create(*fields)]
    return ids


def _each(client: Client, requests: Sequence[bytes]) -> float:
    """The median: now and then a request pays for the collector, or for sweeping."""
    times = []
    for request in requests:
        begin = time.perf_counter()
        client.exchange(request)
        times.append(time.perf_counter() - begin)
    return median(times)
