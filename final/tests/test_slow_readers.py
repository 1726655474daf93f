"""The memory of a server whose clients read slowly, or leave midway, in a process of its own."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest
from as_process import ADMIN, DEADLINE, Running, running

# 40 MB of tasks.
TASKS = 4_000
DESCRIPTION = "x" * 10_000

# Bytes. If each of eight readers had a copy of the tasks, there would be 320 MB more.
MOST = 60_000_000

BUFFER = 64 * 1024  # bytes that the kernel holds for a client


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a server with many large tasks."""
    with running(tmp_path_factory.mktemp("slow"), "--data", ":memory:") as server:
        line = json.dumps({"title": "large", "description": DESCRIPTION}).encode()
        with asking(server, "/tasks/import", b"\n".join([line] * TASKS)) as client:
            assert b'"created":%d,' % TASKS in received(client, b"}")
        yield server


def asking(server: Running, target: str, body: bytes = b"") -> socket.socket:
    """Return a client that has sent a request and reads nothing by itself."""
    client = socket.socket()
    client.settimeout(DEADLINE)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    client.connect(("127.0.0.1", server.port))
    lines = [
        f"{'POST' if body else 'GET'} {target} HTTP/1.1",
        "Host: localhost",
        f"Authorization: {ADMIN}",
        f"Content-Length: {len(body)}",
    ]
    client.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    return client


def received(client: socket.socket, end: bytes) -> bytes:
    """Return what a client gets until some bytes have come."""
    data = b""
    while end not in data:
        piece = client.recv(BUFFER)
        assert piece, data
        data += piece
    return data


def memory(server: Running) -> int:
    """Return the bytes that a server occupies."""
    return int(psutil.Process(server.process.pid).memory_info().rss)


@pytest.mark.parametrize(
    "target",
    [
        "/tasks?limit=10000",
        "/tasks/queue?limit=10000",
        "/tasks/resolve",
        "/tasks/export.csv",
        "/tasks/stream.ndjson",
    ],
)
def test_slow_readers_share_the_tasks(server: Running, target: str) -> None:
    before = memory(server)
    most = 0
    with ExitStack() as readers:
        clients = [readers.enter_context(asking(server, target)) for _ in range(8)]
        for _ in range(20):
            for client in clients:
                assert client.recv(BUFFER)
            most = max(most, memory(server))

    assert most - before < MOST


def test_readers_that_leave_midway_leave_nothing(server: Running) -> None:
    before = memory(server)
    for _ in range(160):
        with asking(server, "/tasks?limit=1000") as client:
            assert client.recv(1_000).startswith(b"HTTP/1.1 200 OK")

    assert memory(server) - before < MOST
