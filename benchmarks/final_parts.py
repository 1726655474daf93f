"""Processor time: `final` without each of the optimisations that only it has.

An optimisation that costs clarity stays in `final` only if the rounds with and without it do not
overlap. Each case takes one of them away before the server starts, by a few lines of Python.
"""

from __future__ import annotations

import json

from benchmarks import wrk
from benchmarks.cases import Case, Row
from benchmarks.client import AUTHORIZATION, Client
from benchmarks.final_http import WITHOUT, processor_seconds
from benchmarks.http import SERVER_CPU, WRK_CPU
from benchmarks.processes import FINAL, FINAL_NEEDS, program, serving

TITLE = "Processor time of final, without one of its optimisations"
UNIT = "µs a request"
IN_WORKER = False
WHOLE = "final"
REFERENCES = {"to_whole": {"label": WHOLE}}

SECONDS = 3.0
WARM_UP_SECONDS = 1.0

# What a case does before the server starts.
PARTS = {
    WHOLE: "",
    **{label: source.rpartition("sys.exit")[0] for label, source in WITHOUT.items()},
    "final, header lines parsed each time": """\
from taskflow import parser
parser.RepeatedHeaders.parse = lambda self, *place: parser._parse_headers(*place)
""",
    "final, ids by uuid4": """\
from uuid import uuid4
from taskflow import middleware, tasks
middleware.new_id = tasks.new_id = lambda: str(uuid4())
""",
    "final, tasks by the encoder": """\
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
    "final, access lines by the encoder": """\
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
    "final, messages of events at once": """\
from taskflow import events
event = events.Event

def whole_event(**fields):
    made = event(**fields)
    made.message
    return made

events.Event = whole_event
""",
}
START = "import sys\nfrom taskflow import __main__ as program\nsys.exit(program.main())\n"


def cases(quick: bool) -> list[Case]:
    """Return the whole program, and then each of the others."""
    program("wrk")
    labels = [WHOLE] if quick else list(PARTS)
    return [Case(label, wrk.CONNECTIONS, FINAL, FINAL_NEEDS) for label in labels]


def measure(case: Case, quick: bool) -> list[Row]:
    """Read one task over and over, and then create tasks, in servers of their own."""
    return [_load(case, operation, quick) for operation in ("GET", "POST")]


def _load(case: Case, operation: str, quick: bool) -> Row:
    command = ["-c", PARTS[case.label] + START, "--port", "0", "--data", ":memory:"]
    is_post = operation == "POST"
    seconds = 1.0 if quick else SECONDS
    with serving(command, FINAL, SERVER_CPU) as server:
        with Client(server.port) as client:
            task_id = client.create(json.loads(wrk.BODY), headers=[AUTHORIZATION])[0]["id"]
        path = "/tasks" if is_post else f"/tasks/{task_id}"
        url = f"http://127.0.0.1:{server.port}{path}"
        wrk.load(url, WARM_UP_SECONDS, is_post, WRK_CPU, [AUTHORIZATION])
        before = processor_seconds(server.pid)
        _, count = wrk.load(url, seconds, is_post, WRK_CPU, [AUTHORIZATION])
        used = processor_seconds(server.pid) - before
    return {"operation": operation, "value": used / count * 1e6}
