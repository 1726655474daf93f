"""Requests per second: the steps beside a bare protocol, streams, and FastAPI on uvicorn.

The server has one core and `wrk` another, for all alike. Left to the scheduler, the two meet on
one core now and then, and a round is worth little.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from benchmarks import wrk
from benchmarks.cases import Case, Row
from benchmarks.client import Client, encode
from benchmarks.processes import PEERS, Served, processor_seconds, program, serving

TITLE = "Answers from 32 connections"
UNIT = "requests/s"
IN_WORKER = False
REFERENCES = {
    "to_bare": {"label": "bare protocol"},
    "to_fastapi": {"label": "FastAPI"},
}

SECONDS = 5.0
SERVER_CPU, WRK_CPU = 0, 1


def cases(quick: bool) -> list[Case]:
    """Everything that answers."""
    program("wrk")
    steps = [Case(f"step {step}", wrk.CONNECTIONS, step) for step in (1, 2, 3, 4)]
    peers = [
        Case("bare protocol", wrk.CONNECTIONS, argument="bare_protocol.py"),
        Case("streams", wrk.CONNECTIONS, argument="streams_server.py"),
        Case("streams, our parser", wrk.CONNECTIONS, step=4, argument="streams_app.py"),
        Case("FastAPI", wrk.CONNECTIONS, argument="fastapi_app.py", needs="fastapi"),
    ]
    return [*peers, *(steps[-1:] if quick else steps)]


def measure(case: Case, quick: bool) -> list[Row]:
    """Read one task over and over; then create tasks."""
    seconds = 1.0 if quick else SECONDS
    if case.label == "bare protocol":
        return _bare(["GET"] if quick else ["GET", "POST"], seconds)
    command = _command(case)
    rows = []
    with serving(command, case.step, SERVER_CPU) as server:
        with Client(server.port) as client:
            task_id = client.create(json.loads(wrk.BODY))[0]["id"]
        rows.append(_load("GET", server, f"/tasks/{task_id}", seconds))
    if case.step != 1 and not quick:  # the list of step 1 is full after 10,000 tasks
        with serving(command, case.step, SERVER_CPU) as server:
            rows.append(_load("POST", server, "/tasks", seconds))
    return rows


def _command(case: Case) -> list[str]:
    return [str(PEERS / case.argument)] if case.argument else ["-m", "taskflow", "--port", "0"]


def _bare(operations: list[str], seconds: float) -> list[Row]:
    """Measure the bare protocol with the very answers of step 4."""
    rows = []
    answers = _answers_of_step_4()
    for operation in operations:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "answer")
            file.write_bytes(answers[operation])
            with serving([str(PEERS / "bare_protocol.py"), str(file)], cpu=SERVER_CPU) as server:
                rows.append(_load(operation, server, "/tasks", seconds))
    return rows


def _answers_of_step_4() -> dict[str, bytes]:
    with (
        serving(["-m", "taskflow", "--port", "0"], step=4) as server,
        Client(server.port) as client,
    ):
        created = client.exchange(encode("POST", "/tasks", wrk.BODY))
        location = created.partition(b"Location: ")[2].partition(b"\r\n")[0].decode()
        return {"GET": client.exchange(encode("GET", location)), "POST": created}


def _load(operation: str, server: Served, path: str, seconds: float) -> Row:
    """Also note the processor's time for each request, which other load disturbs less."""
    before = processor_seconds(server.pid)
    rate, count = wrk.load(
        f"http://127.0.0.1:{server.port}{path}", seconds, operation == "POST", WRK_CPU
    )
    after = processor_seconds(server.pid)
    row: Row = {"operation": operation, "value": rate}
    if before is not None and after is not None:
        row["cpu_us"] = (after - before) / count * 1e6
    return row
