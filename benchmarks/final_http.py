"""Requests per second: `final`, with all its guards and its access log, beside its peers.

As in `http`, the server has one core and `wrk` another. Each server wants a token; ours and that
of Node.js log every request as JSON, the others log none.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from benchmarks import wrk
from benchmarks.cases import Case, Row
from benchmarks.client import AUTHORIZATION, Client
from benchmarks.http import SERVER_CPU, WRK_CPU
from benchmarks.processes import FINAL, FINAL_NEEDS, PEERS, CannotMeasure, Served, program, serving

TITLE = "Answers of final and its peers, from 32 connections"
UNIT = "requests/s"
IN_WORKER = False
REFERENCES = {
    "to_node": {"label": "Node.js"},
    "to_fastapi": {"label": "FastAPI"},
}

SECONDS = 5.0
WARM_UP_SECONDS = 1.0  # as long as a compiler that learns while the program runs may need
NODE = "node_server.js"
DURABLE = "final, durable"
ASYNCIO = "final, asyncio's loop"
ONE_BY_ONE = "final, answers sent one by one"
# What these two do before they start, to be without one thing that makes `final` fast.
WITHOUT = {
    ASYNCIO: """\
import asyncio, sys
from taskflow import __main__ as program
program.new_event_loop = lambda tls: asyncio.new_event_loop()
sys.exit(program.main())
""",
    ONE_BY_ONE: """\
import sys
from taskflow import __main__ as program
from taskflow.outbox import Outbox
Outbox.put = lambda self, transport, data: transport.write(data)
sys.exit(program.main())
""",
}

# Final twice, and those that it has to be compared with.
ASKED = (
    Case("final", wrk.CONNECTIONS, FINAL, FINAL_NEEDS),
    Case(DURABLE, wrk.CONNECTIONS, FINAL, FINAL_NEEDS),
    Case("Node.js", wrk.CONNECTIONS, needs="psutil", argument=NODE),
    Case("FastAPI", wrk.CONNECTIONS, needs="psutil fastapi", argument="fastapi_final.py"),
)
OTHERS = (
    *(Case(label, wrk.CONNECTIONS, FINAL, FINAL_NEEDS) for label in WITHOUT),
    Case("aiohttp", wrk.CONNECTIONS, needs="psutil aiohttp uvloop", argument="aiohttp_app.py"),
    Case("Flask", wrk.CONNECTIONS, needs="psutil flask gunicorn", argument="flask_app.py"),
)


def cases(quick: bool) -> list[Case]:
    """All of them; those that nobody asked for only if there is time."""
    program("wrk")
    program("node")
    return [*ASKED] if quick else [*ASKED, *OTHERS]


def measure(case: Case, quick: bool) -> list[Row]:
    """Read one task over and over; then create tasks, in a server that has none yet."""
    rows = []
    for operation in ("POST",) if case.label == DURABLE else ("GET", "POST"):
        with contestant(case) as server:
            rows.append(_load(operation, server, quick))
            if case.step or case.argument == NODE:
                _check_log(server)
    return rows


@contextmanager
def contestant(case: Case) -> Iterator[Served]:
    """Start the server of a case, on the first core."""
    if case.argument:
        runs = program("node") if case.argument == NODE else sys.executable
        with serving([str(PEERS / case.argument)], cpu=SERVER_CPU, runs=runs) as server:
            yield server
        return
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder, "tasks.db")) if case.label == DURABLE else ":memory:"
        starts = ["-c", WITHOUT[case.label]] if case.label in WITHOUT else ["-m", "taskflow"]
        command = [*starts, "--port", "0", "--data", data]
        with serving(command, FINAL, SERVER_CPU) as server:
            yield server


def _load(operation: str, server: Served, quick: bool) -> Row:
    """Warm the server up, and then measure; also note its processor's time for each request."""
    with Client(server.port) as client:
        task_id = client.create(json.loads(wrk.BODY), headers=[AUTHORIZATION])[0]["id"]
    path = f"/tasks/{task_id}" if operation == "GET" else "/tasks"
    url, post = f"http://127.0.0.1:{server.port}{path}", operation == "POST"
    wrk.load(url, WARM_UP_SECONDS, post, WRK_CPU, [AUTHORIZATION])
    before = processor_seconds(server.pid)
    seconds = 1.0 if quick else SECONDS
    rate, count = wrk.load(url, seconds, post, WRK_CPU, [AUTHORIZATION])
    used = processor_seconds(server.pid) - before
    return {"operation": operation, "value": rate, "cpu_us": used / count * 1e6}


def processor_seconds(pid: int) -> float:
    """The processor's time of a process and its children: gunicorn works in one."""
    psutil = import_module("psutil")  # final needs it, so it is there
    process = psutil.Process(pid)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return float(sum(time.user + time.system for time in times))


def _check_log(server: Served) -> None:
    """See to it that a server which has to log has done so: one that does not is faster."""
    if not os.fstat(server.log.fileno()).st_size:
        raise CannotMeasure("the server has logged nothing")
