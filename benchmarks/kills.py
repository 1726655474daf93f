"""What is lost when `final` is killed (SIGKILL) while many clients write, again and again.

Each writer has tasks of its own and knows, after every answer, how they have to look. The one
write that was on its way at the kill may have happened or not; but wholly, or not at all: a
deletion changes the task that waited for it in the same breath.

    what is stored  is either  what was acknowledged  or  that and the write on its way
"""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.cases import Case, Row
from benchmarks.client import AUTHORIZATION, Client, body_of, encode
from benchmarks.processes import FINAL, FINAL_NEEDS, CannotMeasure, serving
from benchmarks.tasks import SEED

TITLE = "Acknowledged writes after kill -9"
UNIT = "writes"
IN_WORKER = False
REFERENCES: dict[str, dict[str, object]] = {}

KILLS = 50
WRITERS = 32
SECONDS = (0.02, 0.4)  # from the start of writing to the kill
KEPT = 8  # tasks that a writer keeps before it deletes its oldest

Tasks = dict[str, dict[str, Any]]  # of one writer: by title, which no two tasks share


def cases(quick: bool) -> list[Case]:
    """Some kills of the same server with the same file."""
    return [Case("final", 3 if quick else KILLS, FINAL, FINAL_NEEDS)]


def measure(case: Case, quick: bool) -> list[Row]:
    """Kill, start again, compare; and so on, with all that was stored before."""
    numbers = random.Random(SEED)
    writers = [Writer(f"writer {number}") for number in range(4 if quick else WRITERS)]
    lost = half = 0
    with tempfile.TemporaryDirectory() as folder:
        command = ["-m", "taskflow", "--port", "0", "--data", str(Path(folder, "tasks.db"))]
        for _ in range(case.n):
            with serving(command, FINAL) as server:
                _write_until_killed(server.port, server.pid, writers, numbers)
            with serving(command, FINAL) as server:
                stored = _stored(server.port)
            for writer in writers:
                gone, torn = writer.compare(stored)
                lost, half = lost + gone, half + torn
    acknowledged = sum(writer.acknowledged for writer in writers)
    if acknowledged < case.n:
        raise CannotMeasure(f"{acknowledged} writes were acknowledged, which proves nothing")
    in_flight = sum(writer.in_flight for writer in writers)
    return [{"value": acknowledged, "lost": lost, "half": half, "in_flight": in_flight}]


def _write_until_killed(port: int, pid: int, writers: list[Writer], numbers: random.Random) -> None:
    with ThreadPoolExecutor(len(writers)) as threads:
        writing = [threads.submit(writer.write, port) for writer in writers]
        time.sleep(numbers.uniform(*SECONDS))
        os.kill(pid, signal.SIGKILL)
    for one in writing:
        one.result()


def _stored(port: int) -> list[dict[str, Any]]:
    """Return all tasks, with the titles of those that they wait for."""
    with Client(port) as client:
        tasks: list[dict[str, Any]] = client.ask("GET", "/tasks?limit=10000")
    return tasks


class Writer:
    """A client that writes, and remembers what was acknowledged."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.acknowledged = 0
        self.in_flight = 0  # writes that were on their way at a kill
        self._count = 0
        self._order: deque[str] = deque()  # titles, the oldest first
        self._ids: dict[str, str] = {}
        self._before: Tasks = {}  # what was acknowledged
        self._after: Tasks = {}  # what it will be when the write on its way is done

    def write(self, port: int) -> None:
        """Send one write after the other until the server is gone."""
        try:
            with Client(port) as client:
                while True:
                    for request in self._requests():
                        self._sent(client.exchange(request))
        except OSError:
            return
        except CannotMeasure as error:
            if "closed the connection" not in str(error):
                raise

    def _requests(self) -> Iterator[bytes]:
        """Two tasks, one of which waits for the other; a change; and deletions."""
        self._count += 1
        first, second = f"{self.name}, first {self._count}", f"{self.name}, second {self._count}"
        yield self._create(first, [])
        yield self._create(second, [first])
        self._after = self._before | {second: self._before[second] | {"priority": self._count}}
        yield _request("PATCH", f"/tasks/{self._ids[second]}", {"priority": self._count})
        yield self.deleting(first)
        while len(self._order) > KEPT:
            yield self.deleting(self._order[0])

    def _create(self, title: str, waits_for: list[str]) -> bytes:
        self._after = self._before | {title: {"priority": 1, "dependencies": waits_for}}
        ids = [self._ids[other] for other in waits_for]
        return _request("POST", "/tasks", {"title": title, "dependencies": ids})

    def deleting(self, title: str) -> bytes:
        """Return a deletion, which also takes the edge from those that wait for it."""
        self._after = {
            name: task | {"dependencies": [one for one in task["dependencies"] if one != title]}
            for name, task in self._before.items()
            if name != title
        }
        return _request("DELETE", f"/tasks/{self._ids[title]}")

    def _sent(self, answer: bytes) -> None:
        """Note that the write on its way was acknowledged."""
        self.acknowledged += 1
        if b"\r\nLocation: " in answer:
            task = body_of(answer)
            self._ids[task["title"]] = task["id"]
        self._become(self._after)

    def _become(self, tasks: Tasks) -> None:
        self._before = tasks
        self._after = tasks
        self._order = deque(tasks)
        self._ids = {title: self._ids[title] for title in tasks}

    def compare(self, stored: list[dict[str, Any]]) -> tuple[int, int]:
        """Return how much of what was acknowledged is lost, and how much is half there.

        What is stored is then where this writer goes on.
        """
        titles = {task_id: title for title, task_id in self._ids.items()}
        titles |= {task["id"]: task["title"] for task in stored}
        mine = [task for task in stored if task["title"].startswith(f"{self.name},")]
        self._ids = {task["title"]: task["id"] for task in mine}
        found: Tasks = {
            task["title"]: {
                "priority": task["priority"],
                "dependencies": [titles.get(one, one) for one in task["dependencies"]],
            }
            for task in mine
        }
        self.in_flight += self._before != self._after
        before, after = self._before, self._after
        self._become(found)
        if found in (before, after):
            return 0, 0
        wrong = [
            title
            for title in before.keys() | after.keys() | found.keys()
            if found.get(title) not in (before.get(title), after.get(title))
        ]
        return len(wrong), 0 if wrong else 1


def _request(method: str, path: str, body: dict[str, object] | None = None) -> bytes:
    data = b"" if body is None else json.dumps(body).encode()
    return encode(method, path, data, [AUTHORIZATION])
