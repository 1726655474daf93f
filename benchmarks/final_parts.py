"""Processor time: `final` without each of the optimisations that only it has.

An optimisation that costs clarity stays in `final` only if the rounds with and without it do not
overlap. Each case takes one of them away before the app is built, by a few lines of Python.

The saving is often a hundredth of what a request costs with its system calls, and would be lost in
their noise. So there are none: the connections are real, and each has a transport that keeps what
it is given. `final_http` measures the whole, over sockets.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from importlib import import_module
from io import FileIO
from pathlib import Path
from typing import Any

from benchmarks.cases import Case, Row
from benchmarks.processes import FINAL, FINAL_NEEDS, TOKEN
from benchmarks.wrk import BODY, CONNECTIONS

TITLE = "Processor time of final, without one of its optimisations and without sockets"
UNIT = "µs a request"
IN_WORKER = True
WHOLE = "final"
REFERENCES = {"to_whole": {"label": WHOLE}}

# Turns of the event loop in one burst. In each turn, every connection sends one request.
TURNS = 25

# The quickest burst counts: the others were disturbed by the rest of the machine.
BURSTS = 24

# What a case does before the app is built.
PARTS = {
    WHOLE: "",
    "header lines parsed each time": """\
from taskflow.parser import RepeatedHeaders
parse = RepeatedHeaders.parse

def parse_each_time(self, *place):
    self.lines = b""
    return parse(self, *place)

RepeatedHeaders.parse = parse_each_time
""",
    "small responses sent like large ones": """\
from taskflow import connection
connection.SMALL_BYTES = -1
""",
    "states found in their Enum": """\
import inspect
import re
from taskflow import connection
source = inspect.getsource(connection)
source = re.sub(r"(_state (?:=|is|is not)) (?=[A-Z])", r"\\1 State.", source)
source = source.replace("connection_state import", "connection_state import State,")
exec(compile(source, connection.__file__, "exec"), vars(connection))
""",
    "ids by uuid4": """\
from uuid import uuid4
from taskflow import middleware, tasks
middleware.new_id = tasks.new_id = lambda: str(uuid4())
""",
    "digits of ids one by one": """\
from os import urandom
from taskflow import clock
clock._DIGITS = iter(lambda: urandom(15).hex(), None)
""",
    "tasks by the encoder": """\
from taskflow import codec, tasks

def encoded(task):
    return codec.encode({
        "id": task.id,
        "title": task.title,
        "description": task.description,
        "status": task.status,
        "priority": task.priority,
        "dependencies": task.dependencies,
        "createdAt": task.created_at,
        "updatedAt": task.updated_at,
    })

tasks._encode = encoded
""",
    "access lines by the encoder": """\
from taskflow import codec, logs
logs.json_line = lambda entry: codec.encode_line({
    "time": entry.timestamp,
    "level": "info",
    "id": entry.id,
    "method": entry.method,
    "path": entry.path,
    "status": entry.status,
    "bytes": entry.sent,
    "durationMs": round(entry.seconds * 1000, 2),
    "client": entry.client,
}) + "\\n"
""",
    "messages of events at once": """\
from taskflow import events
event = events.Event

def whole_event(**fields):
    made = event(**fields)
    made.message
    return made

events.Event = whole_event
""",
}


def cases(quick: bool) -> list[Case]:
    """Return the whole program, and then each of the others."""
    labels = [WHOLE] if quick else list(PARTS)
    return [Case(label, CONNECTIONS, FINAL, FINAL_NEEDS) for label in labels]


def measure(case: Case, quick: bool) -> list[Row]:
    """Create a task and read it over and over, and then create tasks."""
    exec(PARTS[case.label], {})
    bursts = 2 if quick else BURSTS
    with asyncio.Runner(loop_factory=import_module("uvloop").new_event_loop) as runner:
        return runner.run(_measure(case.n, bursts))


class Sink:
    """A transport that always takes what it is given, and keeps the last of it."""

    def __init__(self) -> None:
        self.count = 0
        self.last = b""

    def write(self, data: bytes) -> None:
        """Take a response, which comes in one piece."""
        self.count += 1
        self.last = data

    def is_closing(self) -> bool:
        """Return that it is open."""
        return False

    def get_extra_info(self, name: str) -> tuple[str, int]:
        """Return the address of the client."""
        return "127.0.0.1", 1

    def resume_reading(self) -> None:
        """Do nothing: it is never paused."""


async def _measure(connections: int, bursts: int) -> list[Row]:
    load_settings = import_module("taskflow.command_line").load_settings
    settings = load_settings(["--data", ":memory:"], os.environ, Path("no such file"))
    build_app = import_module("taskflow.app").build_app
    rows: list[Row] = []
    with FileIO(os.devnull, "w") as sink:
        log = import_module("taskflow.logs").LogWriter(sink)
        with log.running():
            async with build_app(settings, log) as application:
                clients = _connect(application.handler, connections)
                create = _request("POST", "/tasks", BODY)
                await _turn(clients, create)
                task = json.loads(clients[0][1].last.partition(b"\r\n\r\n")[2])
                read = _request("GET", f"/tasks/{task['id']}")
                for operation, request in ("GET", read), ("POST", create):
                    seconds = [await _burst(clients, request) for _ in range(bursts)]
                    rows.append({"operation": operation, "value": min(seconds) * 1e6})
    return rows


def _connect(handler: Any, count: int) -> list[tuple[Any, Sink]]:
    """Return so many connections, and the transport of each."""
    outbox = import_module("taskflow.outbox").Outbox(asyncio.get_running_loop())
    timeouts = import_module("taskflow.deadlines").Timeouts()
    connection = import_module("taskflow.connection").Connection
    clients = []
    for _ in range(count):
        client = connection(handler, timeouts, outbox, lambda _: None, lambda _: None)
        sink = Sink()
        client.connection_made(sink)
        clients.append((client, sink))
    return clients


def _request(method: str, path: str, body: bytes = b"") -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1:3000",
        f"Authorization: Bearer {TOKEN}",
    ]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _burst(clients: list[tuple[Any, Sink]], request: bytes) -> float:
    """Return the processor time of a request, in a burst of turns."""
    begin = time.process_time()
    for _ in range(TURNS):
        await _turn(clients, request)
    return (time.process_time() - begin) / TURNS / len(clients)


async def _turn(clients: list[tuple[Any, Sink]], request: bytes) -> None:
    """Let each client send a request, and wait for all responses."""
    _, last = clients[-1]
    wanted = last.count + 1
    for client, _ in clients:
        client.data_received(request)
    while last.count < wanted:  # noqa: ASYNC110  # Each sleep lets the loop make one turn.
        await asyncio.sleep(0)
