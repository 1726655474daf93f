"""Rows a second of the streams, beside the bare loop of an encoder over the same rows.

The client takes everything as fast as it comes, in a process of its own. What the stream costs the
memory of the server, and other clients, is measured in a second stream, with /health asked
meanwhile, so that the first is not disturbed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen
from typing import Any

from benchmarks.cases import Case, Row
from benchmarks.client import AUTHORIZATION, Client, body_of, encode
from benchmarks.http import SERVER_CPU, WRK_CPU
from benchmarks.probe import percentile, probe
from benchmarks.processes import (
    ROOT,
    CannotMeasure,
    Served,
    environment,
    pin,
    processor_seconds,
    resident_bytes,
    run,
    serving,
)
from benchmarks.tasks import task_lines

TITLE = "Rows streamed to one client"
UNIT = "rows/s"
IN_WORKER = False
REFERENCES = {"to_loop": {"label": "bare loop"}}

MADE_UP = 300_000  # rows
STORED = 100_000  # tasks
TIMES = 3  # streams in a row, so that the processor's time can be told
PATHS = {
    "ndjson": "/demo/stream/ndjson?count={}",
    "csv": "/demo/stream/csv?count={}",
    "tasks": "/tasks/stream.ndjson",
}


def cases(quick: bool) -> list[Case]:
    """Each kind of rows, the loop and the server one after the other."""
    sizes = {"ndjson": MADE_UP, "csv": MADE_UP, "tasks": STORED}
    return [
        case
        for kind, size in sizes.items()
        for n in [5_000 if quick else size]
        for case in (
            Case("bare loop", n, argument=kind),
            Case("step 10", n, 10, "psutil websockets", kind),
        )
    ]


def measure(case: Case, quick: bool) -> list[Row]:
    """Run the loop, or take the stream."""
    if case.step:
        with serving(["-m", "taskflow", "--port", "0"], case.step, SERVER_CPU) as server:
            if case.argument == "tasks":
                import_tasks(server.port, case.n)
            path = PATHS[case.argument].format(case.n)
            row = _throughput(server, path, case.n) | _beside(server, path)
    else:
        command = [sys.executable, "-m", "benchmarks.loops", case.argument, str(case.n)]
        took = json.loads(run(command, cpu=SERVER_CPU))
        row = {"value": case.n / took["seconds"], "cpu_us": took["cpu"] / case.n * 1e6}
    return [{"operation": case.argument, **row}]


def import_tasks(port: int, count: int) -> None:
    """Fill the store of step 9 or later."""
    body = b"".join(task_lines(count))
    with Client(port) as client:
        headers = [AUTHORIZATION, f"Content-Length: {len(body)}"]
        head = encode("POST", "/tasks/import", headers=headers)
        created = body_of(client.exchange(head + body))["created"]
    if created != count:
        raise CannotMeasure(f"of {count} tasks only {created} were imported")


def _throughput(server: Served, path: str, count: int) -> Row:
    before = processor_seconds(server.pid)
    with draining(server.port, path, TIMES) as client:
        took = finished(client)
    after = processor_seconds(server.pid)
    row = {"value": TIMES * count / sum(took["seconds"])}
    if before is not None and after is not None:
        row["cpu_us"] = (after - before) / (TIMES * count) * 1e6
    return row


def _beside(server: Served, path: str) -> Row:
    """Stream again, and watch the server's memory and how others fare meanwhile."""
    resident = [resident_bytes(server.pid)]
    with draining(server.port, path, TIMES) as client:

        def look() -> bool:
            resident.append(resident_bytes(server.pid))
            return client.poll() is not None

        answers = probe(server.port, until=look)
        finished(client)
    return {
        "grown_mib": (max(resident) - resident[0]) / 2**20,
        "health_p99_ms": percentile([answer.seconds for answer in answers], 0.99) * 1e3,
    }


@contextmanager
def draining(port: int, path: str, times: int) -> Iterator[Popen[str]]:
    """Take a stream, again and again, in another process on the other core."""
    command = [sys.executable, "-m", "benchmarks.drain", str(port), path, str(times)]
    with Popen(command, stdout=PIPE, text=True, env=environment(0), cwd=ROOT) as client:
        pin(client.pid, WRK_CPU)
        try:
            yield client
        finally:
            client.kill()


def finished(client: Popen[str]) -> dict[str, Any]:
    """Wait for its end; return what it saw. Raises CannotMeasure if the stream was cut."""
    output, _ = client.communicate(timeout=300)
    if client.returncode:
        raise CannotMeasure("the client that drains has failed")
    seen: dict[str, Any] = json.loads(output)
    if not seen["tail"].endswith("\r\n0\r\n\r\n"):
        raise CannotMeasure(f"the stream ended with {seen['tail'][-100:]!r}")
    return seen
