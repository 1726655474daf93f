"""Resident memory of `final` for five minutes, while some clients leave in the middle of a page."""

from __future__ import annotations

import json
import random
import socket
import tempfile
import time
from pathlib import Path

from benchmarks.cases import Case, Row
from benchmarks.client import AUTHORIZATION, Client, body_of, encode
from benchmarks.processes import FINAL, FINAL_NEEDS, resident_bytes, serving
from benchmarks.tasks import SEED

TITLE = "Resident memory of final, with 3 % of its clients leaving midway"
UNIT = "MiB"
IN_WORKER = False
REFERENCES: dict[str, dict[str, object]] = {}

SECONDS = 300
LOOK_SECONDS = 10

# From this look on, the memory should not grow.
SETTLED_SECONDS = 60

# The tasks that stay. A page of all of them has 10 MB.
TASKS = 1_000
DESCRIPTION = "x" * 10_000
LEAVING = 0.03
AUTH = [AUTHORIZATION]
PAGE = encode("GET", f"/tasks?limit={TASKS}", headers=AUTH)
CREATE = encode("POST", "/tasks", b'{"title":"Wash the car","priority":5}', AUTH)

# What each client also asks for.
READS = [
    encode("GET", path, headers=AUTH)
    for path in ("/health", "/tasks?limit=10", "/tasks/next", "/tasks/resolve", "/metrics")
]


def cases(quick: bool) -> list[Case]:
    """Return one server, which stores what it is sent."""
    return [Case("final, durable", TASKS, FINAL, FINAL_NEEDS)]


def measure(case: Case, quick: bool) -> list[Row]:
    """Let one client follow another, and look at the memory now and then."""
    seconds = 3 if quick else SECONDS
    look_seconds = 1 if quick else LOOK_SECONDS
    chance = random.Random(SEED)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        command = ["-m", "taskflow", "--port", "0", "--data", str(Path(folder, "tasks.db"))]
        with serving(command, FINAL) as server:
            _fill(server.port)
            clients = 0
            start = time.monotonic()
            for look in range(look_seconds, seconds + 1, look_seconds):
                while time.monotonic() < start + look:
                    if chance.random() < LEAVING:
                        _leave_midway(server.port)
                    else:
                        _behave(server.port)
                    clients += 1
                resident = resident_bytes(server.pid) / 2**20
                rows.append({"n": look, "value": resident, "clients": clients})
    settled = min(SETTLED_SECONDS, seconds)
    reference = next(row["value"] for row in rows if row["n"] >= settled)
    for row in rows:
        row["grown"] = row["value"] - reference
    return rows


def _fill(port: int) -> None:
    body = json.dumps({"title": "A long task", "description": DESCRIPTION}).encode()
    request = encode("POST", "/tasks", body, AUTH)
    with Client(port) as client:
        for _ in range(TASKS):
            client.exchange(request)


def _behave(port: int) -> None:
    """Create a task, read this and that, and delete the task again."""
    with Client(port) as client:
        task_id = body_of(client.exchange(CREATE))["id"]
        client.pipeline(READS)
        client.exchange(encode("DELETE", f"/tasks/{task_id}", headers=AUTH))


def _leave_midway(port: int) -> None:
    """Ask for a page of 10 MB, and leave after the first bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(PAGE)
        connection.recv(1_000)
