"""How long /health takes while the server has something else to do.

One client asks every five milliseconds. Nothing is kept on one core here: a server whose workers
compute has all cores busy, and the client has to share one, as it would in life.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Event, Thread

from benchmarks.cases import Case, Row
from benchmarks.client import Client
from benchmarks.probe import Answer, percentile, probe
from benchmarks.processes import CannotMeasure, serving
from benchmarks.streaming import MADE_UP, STORED, draining, import_tasks

TITLE = "The p99 of /health, by what else the server does"
UNIT = "s"
IN_WORKER = False
REFERENCES = {"to_idle": {"label": "nothing"}}

SECONDS = 4.0
ITERATIONS = 100_000_000  # of a job that keeps a worker busy for long enough
ON_LOOP = 2_000_000  # of a sum that the event loop itself works out

Span = tuple[float, float]  # begin and end, by the clock of the system
ALWAYS: Span = (0.0, math.inf)


def cases(quick: bool) -> list[Case]:
    """What else there is to do."""
    labels = {
        "nothing": "nothing",
        "all workers compute": "compute",
        "a report is handed over": "reports",
        "a stream is sent": "stream",
        "a sum on the loop": "loop",
    }
    return [Case(label, 1, 10, "psutil websockets", work) for label, work in labels.items()]


def measure(case: Case, quick: bool) -> list[Row]:
    """Ask for SECONDS; of the answers, those count that fell into the work."""
    with serving(["-m", "taskflow", "--port", "0"], case.step) as server:
        if case.argument == "reports":
            import_tasks(server.port, 2_000 if quick else STORED)
        rows = 20_000 if quick else MADE_UP
        with WORK[case.argument](server.port, rows) as spans:
            end = time.monotonic() + (0.5 if quick else SECONDS)
            answers = probe(server.port, until=lambda: time.monotonic() > end)
    counted = [answer.seconds for answer in _within(answers, spans)]
    if not counted:
        raise CannotMeasure(f"{case.label}: no answer fell into it")
    return [
        {
            "value": percentile(counted, 0.99),
            "p50_ms": percentile(counted, 0.50) * 1e3,
            "longest_ms": max(counted) * 1e3,
            "answers": len(counted),
        }
    ]


def _within(answers: Sequence[Answer], spans: Sequence[Span]) -> list[Answer]:
    return [
        answer
        for answer in answers
        if any(begin <= answer.at + answer.seconds and answer.at <= end for begin, end in spans)
    ]


@contextmanager
def nothing(port: int, rows: int) -> Iterator[list[Span]]:
    """The server has nobody else."""
    yield [ALWAYS]


@contextmanager
def compute(port: int, rows: int) -> Iterator[list[Span]]:
    """Every worker has a job that lasts."""
    with Client(port) as client:
        workers = client.ask("GET", "/tasks/reports/stats")["workers"]
        for _ in range(workers):
            client.ask("GET", f"/demo/cpu/worker/start?iterations={ITERATIONS}")
        yield [ALWAYS]
        if client.ask("GET", "/tasks/reports/stats")["running"] != workers:
            raise CannotMeasure("the workers were done too early")


@contextmanager
def reports(port: int, rows: int) -> Iterator[list[Span]]:
    """One report after the other, each over all tasks.

    What counts is the handing over: from the start of the job until the child begins to compute,
    which it says when that was.
    """
    spans: list[Span] = []

    def work(client: Client) -> None:
        path = client.ask("POST", "/tasks/reports/start")["statusPath"]
        while (job := client.ask("GET", path))["finishedAt"] is None:
            time.sleep(0.02)
        begin, end = (datetime.fromisoformat(job[key]) for key in ("startedAt", "finishedAt"))
        computing = job["output"]["durationMs"] / 1e3
        spans.append((begin.timestamp(), end.timestamp() - computing))

    with _again_and_again(port, work):
        yield spans


@contextmanager
def stream(port: int, rows: int) -> Iterator[list[Span]]:
    """One stream after the other, to a client that takes it as fast as it comes."""
    with draining(port, f"/demo/stream/ndjson?count={rows}", times=1_000) as client:
        time.sleep(0.5)  # for the client to start
        yield [ALWAYS]
        if client.poll() is not None:
            raise CannotMeasure("the client that drains has ended")


@contextmanager
def on_loop(port: int, rows: int) -> Iterator[list[Span]]:
    """One sum after the other, on the event loop: the wrong turn."""
    path = f"/demo/cpu/blocking?iterations={ON_LOOP}"
    with _again_and_again(port, lambda client: client.ask("GET", path)):
        yield [ALWAYS]


@contextmanager
def _again_and_again(port: int, work: Callable[[Client], object]) -> Iterator[None]:
    """Work on a connection of its own, over and over; when the block ends, to the end of it."""
    enough = Event()

    def run() -> None:
        with Client(port) as client:
            while not enough.is_set():
                work(client)

    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


WORK = {
    "nothing": nothing,
    "compute": compute,
    "reports": reports,
    "stream": stream,
    "loop": on_loop,
}
