"""Step 6: deadlines: a client that is too slow is told so, or left, and harms nobody else.

Our own server is started with short ones. Another's has those of the contract, which take
minutes to wait for: with `--url` these tests run only with `--slow`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from .api import Api
from .changes import Expectations
from .client import Connection
from .conftest import USED, Launch, finish, start

SLACK = 5.0
"""Seconds that a server may be late. Never waited out when all is well."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server waits, in seconds, and a way to its clients."""

    api: Api
    head: float = 10.0
    body: float = 10.0
    idle: float = 75.0

    def connect(self, sent: bytes = b"") -> Connection:
        """A client that waits longer than the server does."""
        connection = self.api.connect(patience=self.idle + SLACK)
        if sent:
            connection.send(sent)
        return connection

    def check_timed_out(self, connection: Connection) -> None:
        __tracebackhide__ = True
        self.api.refused(connection.answer(), "REQUEST_TIMEOUT")
        connection.ended()


SHORT = {"head": 0.2, "body": 0.4, "idle": 0.8}


@pytest.fixture(scope="module")
def short_server(
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
    expected: Expectations,
    tokens: dict[str, str],
) -> Iterator[tuple[str, int] | None]:
    """The address of a server with short deadlines; `None` if we may not start one."""
    if pytestconfig.getoption("--url"):
        yield None
        return
    flags = tuple(word for name in SHORT for word in (f"--{name}-timeout", str(SHORT[name])))
    process = start(tmp_path_factory.mktemp("short"), flags, expected, tokens)
    yield process.address
    finish(process, expected)


@pytest.fixture
def patience(
    request: pytest.FixtureRequest, api: Api, short_server: tuple[str, int] | None
) -> Iterator[Patience]:
    if short_server is None:
        if not request.config.getoption("--slow"):
            pytest.skip("needs minutes with the deadlines of another's server: --slow")
        yield Patience(api)
        return
    short = Api(short_server, api.expected, api.token)
    request.node.stash[USED].append(short)
    yield Patience(short, **SHORT)
    for connection in short.connections:
        connection.close()


# A head


def test_a_head_that_is_not_complete_in_time_is_refused(patience: Patience) -> None:
    """Wherever it stops, also that of a later request. An idle connection has more time."""
    request = patience.api.request("GET", "/health")
    idle = patience.connect()
    slow = [
        patience.connect(beginning)
        for beginning in (
            b"G",
            b"GET /health HTTP/1.1",
            b"GET / HTTP/1.1\r\nA: b\r\n",
            request[:-1],
        )
    ]
    pipelined, apart = patience.connect(request + request[:20]), patience.connect(request)
    pipelined.answer().expect(200)
    apart.answer().expect(200)
    apart.send(request[:20])
    for connection in (*slow, pipelined, apart):
        patience.check_timed_out(connection)
    idle.send(request)
    idle.answer().expect(200)


def test_what_comes_byte_by_byte_has_no_more_time(patience: Patience) -> None:
    """A head's runs from its first byte; a body must bring 1 KiB in each of its windows."""
    head, _ = create(patience.api, "slow", 500)
    slow = [patience.connect(b"GET /"), patience.connect(head)]
    every = patience.head / 20
    while waiting := [connection for connection in slow if connection.silent(every)]:
        for connection in waiting:
            connection.send(b"a")
    for connection in slow:
        patience.api.refused(connection.answer(), "REQUEST_TIMEOUT")


# A body


def create(api: Api, title: str, size: int, *fields: str) -> tuple[bytes, bytes]:
    """The head and the body of a request that creates a task."""
    body = json.dumps({"title": title}).encode().ljust(size)
    return api.head("POST", "/tasks", f"Content-Length: {size}", *fields), body


def test_a_body_that_stops_is_refused(patience: Patience) -> None:
    """Whether none of it came, or all but the end, or we asked for it with 100."""
    head, body = create(patience.api, "stopped", 500)
    expects, _ = create(patience.api, "stopped", 500, "Expect: 100-continue")
    asked = patience.connect(expects)
    assert asked.interim() == 100
    for connection in (asked, patience.connect(head), patience.connect(head + body[:-1])):
        patience.check_timed_out(connection)
    assert "stopped" not in [task["title"] for task in patience.api.tasks()]


def test_a_body_that_brings_enough_in_each_window_has_time(patience: Patience) -> None:
    """1 KiB is enough; it may take longer in all than one window."""
    size, pieces = 14_336, 14
    head, body = create(patience.api, "slow but steady", size)
    connection = patience.connect(head)
    for at in range(0, size, size // pieces):
        assert connection.silent(patience.body / 8), "expected the server to wait for the rest"
        connection.send(body[at : at + size // pieces])
    assert connection.answer("POST").expect(201).json()["title"] == "slow but steady"


# Between requests


def test_an_idle_connection_is_closed_without_an_answer(patience: Patience) -> None:
    """Whether it is new, was served, or sent an empty line. One that is used stays open."""
    request = patience.api.request("GET", "/health")
    idle = [patience.connect(), patience.connect(request), patience.connect(b"\r\n")]
    idle[1].answer().expect(200)
    used = patience.connect()
    for _ in range(3):
        assert used.silent(patience.idle * 0.45), "expected a connection in use to stay open"
        used.send(request)
        used.answer().expect(200)
    for connection in idle:
        connection.ended()


# Slow clients and fast ones


def test_50_slow_clients_harm_no_fast_one(patience: Patience) -> None:
    head, body = create(patience.api, "slow", 500)
    slow = [patience.connect(b"GET /hea") for _ in range(25)]
    slow += [patience.connect(head + body[:9]) for _ in range(25)]
    task = patience.api.create(title="fast")
    for _ in range(20):
        assert patience.api.read(task) == task
    for connection in slow:
        patience.check_timed_out(connection)
    patience.api.ask("GET", "/health").expect(200)


def test_a_client_that_takes_nothing_is_dropped(launch: Launch) -> None:
    """The contract asks for this from step 9 on; our servers have it before."""
    api, _ = launch("--write-timeout", "0.4", "--idle-timeout", "30")
    task = api.create(description="x" * 10_000)
    deaf = api.connect(buffers=65_536)
    deaf.send_until_blocked(api.request("GET", f"/tasks/{task['id']}"), 10_000_000, patience=0.1)
    assert deaf.dropped(within=SLACK), "expected the server to drop the connection"
    assert api.read(task) == task
