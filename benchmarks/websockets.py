"""Events to many WebSockets: how many deliveries a second, and what one slow client does to others.

One process listens on all sockets and counts; this one makes the events. *burst*: all at once, in
pipelined requests. *paced*: one at a time, so that the time until each client has it can be told;
two servers take turns, one of which also has a client that reads nothing, and ends it on the way.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from subprocess import PIPE, Popen

from benchmarks.cases import Case, Row
from benchmarks.client import AUTHORIZATION, Client, encode
from benchmarks.http import SERVER_CPU, WRK_CPU
from benchmarks.listeners import HANDSHAKE
from benchmarks.probe import percentile
from benchmarks.processes import (
    ROOT,
    CannotMeasure,
    Served,
    environment,
    pin,
    processor_seconds,
    serving,
)

TITLE = "Events to WebSockets, by the processor's time of the server"
UNIT = "deliveries/s"
IN_WORKER = False
REFERENCES = {"to_all_read": {"label": "all read"}}

CLIENTS, EVENTS = 500, 200
TURN = 10  # events to one server, before it is the other's turn
TICK = 0.01  # seconds of the processor that can be told apart
PERIOD = 0.02  # seconds from one event to the next
BURST_LENGTH = 20  # characters of a description
PACED_BYTES = 400_000  # of all paced events: enough for a bound to be passed in their course
LONGEST = 9_000  # characters of a description
SEGMENT = 536  # bytes: with small segments, the kernel holds little of what nobody reads


@dataclass(frozen=True, slots=True)
class Listening:
    """A server, its clients, and the connection on which events are made."""

    label: str
    server: Served
    clients: Popen[str]
    writer: Client


def cases(quick: bool) -> list[Case]:
    """All at once, and one at a time."""
    count = 50 if quick else CLIENTS
    return [Case("all read", count, 10, "psutil websockets", way) for way in ("burst", "paced")]


def measure(case: Case, quick: bool) -> list[Row]:
    """Make the events, and see when they arrive."""
    way = burst if case.argument == "burst" else paced
    rows = way(case, 20 if quick else EVENTS)
    return [{"operation": case.argument, **row} for row in rows]


def burst(case: Case, events: int) -> list[Row]:
    """All events in pipelined requests."""
    with listening(case, events, stuck=False) as one:
        before = processor_seconds(one.server.pid)
        asked = time.monotonic()
        one.writer.pipeline([_post(BURST_LENGTH)] * events)
        arrived = _arrivals(one)
        after = processor_seconds(one.server.pid)
    seconds = max(map(max, arrived)) - asked
    spent = 0.0 if before is None or after is None else after - before
    deliveries = case.n * events
    return [{"value": deliveries / (spent or seconds), "by_the_clock": deliveries / seconds}]


def paced(case: Case, events: int) -> list[Row]:
    """One event at a time, to the two servers in turns; a row for each of them."""
    with ExitStack() as stack:
        servers = [stack.enter_context(listening(case, events, stuck)) for stuck in (False, True)]
        asked: list[list[float]] = [[] for _ in servers]
        before = [processor_seconds(one.server.pid) for one in servers]
        for _ in range(events // TURN):
            for place, one in enumerate(servers):
                asked[place] += _turn(one.writer, _post(_length(events)))
        latencies = [
            [
                came - made
                for client in _arrivals(one)
                for came, made in zip(client, times, strict=True)
            ]
            for one, times in zip(servers, asked, strict=True)
        ]
        after = [processor_seconds(one.server.pid) for one in servers]
        _check_that_the_slow_one_is_gone(servers, case.n)
    rows = []
    for one, taken, begin, end in zip(servers, latencies, before, after, strict=True):
        row = {"label": one.label, "p50_ms": percentile(taken, 0.5) * 1e3}
        row["p99_ms"] = percentile(taken, 0.99) * 1e3
        row["p99_to_all_read"] = percentile(taken, 0.99) / percentile(latencies[0], 0.99)
        if begin is None or end is None:
            raise CannotMeasure("this system does not tell the processor's time of a process")
        rows.append(row | {"value": len(taken) / max(end - begin, TICK)})
    return rows


def _turn(writer: Client, request: bytes) -> list[float]:
    """Make TURN events, a PERIOD apart; return when."""
    times = []
    for _ in range(TURN):
        times.append(time.monotonic())
        writer.exchange(request)
        time.sleep(max(0.0, times[-1] + PERIOD - time.monotonic()))
    return times


@contextmanager
def listening(case: Case, events: int, stuck: bool) -> Iterator[Listening]:
    """Start a server and its clients; with `stuck`, there is one more, which reads nothing."""
    with (
        serving(["-m", "taskflow", "--port", "0"], case.step, SERVER_CPU) as server,
        Client(server.port) as writer,
        ExitStack() as stack,
    ):
        if stuck:
            stack.enter_context(_slow_client(server.port, writer, events))
        command = [sys.executable, "-m", "benchmarks.listeners"]
        command += [str(server.port), str(case.n), str(events)]
        clients = stack.enter_context(
            Popen(command, stdout=PIPE, text=True, env=environment(0), cwd=ROOT)
        )
        stack.callback(clients.kill)
        pin(clients.pid, WRK_CPU)
        assert clients.stdout is not None
        if clients.stdout.readline() != "ready\n":
            raise CannotMeasure("the clients do not become ready")
        yield Listening("one does not" if stuck else "all read", server, clients, writer)


@contextmanager
def _slow_client(port: int, writer: Client, events: int) -> Iterator[None]:
    """Connect, and read nothing. When the others come, the server already holds much for it.

    So the events find it slow, and in their midst it is over the bound, and is closed.
    """
    with _never_reading(port, writer):
        bound = 0
        while _clients(writer):
            writer.exchange(_post(LONGEST))
            bound += 1
    with _never_reading(port, writer):
        kept_free = events * _length(events) // LONGEST // 2
        for _ in range(bound - kept_free):
            writer.exchange(_post(LONGEST))
        if _clients(writer) != 1:
            raise CannotMeasure("the slow client was closed before the others came")
        yield


@contextmanager
def _never_reading(port: int, writer: Client) -> Iterator[None]:
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", port))
        connection.sendall(HANDSHAKE)
        while _clients(writer) != 1:
            time.sleep(0.01)
        yield


def _clients(writer: Client) -> int:
    return int(writer.ask("GET", "/tasks/system/ws")["clients"])


def _length(events: int) -> int:
    """How long the descriptions of the paced events are."""
    return min(LONGEST, PACED_BYTES // events)


def _check_that_the_slow_one_is_gone(servers: Sequence[Listening], clients: int) -> None:
    left = [one.writer.ask("GET", "/tasks/system/ws") for one in servers]
    if [now["clients"] for now in left] != [0, 0] or left[1]["dropped"] < 1:
        raise CannotMeasure(f"who reads all the same is left: {left}")


def _arrivals(one: Listening) -> list[list[float]]:
    """Wait until every client has every event; return when each came to each."""
    output, _ = one.clients.communicate(timeout=120)
    if one.clients.returncode:
        raise CannotMeasure("the clients have failed")
    times: list[list[float]] = json.loads(output)
    return times


def _post(length: int) -> bytes:
    """Return a request that makes a task, with a description of this length."""
    fields = {"title": "Wash the car", "description": "x" * length, "priority": 5}
    return encode("POST", "/tasks", json.dumps(fields).encode(), [AUTHORIZATION])
