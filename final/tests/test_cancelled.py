"""Cancellation at every point: a client that leaves while its request waits leaves nothing behind.

Each endpoint is called again and again, and cancelled at its first suspension, at its second, and
so on until it finishes. After that the tasks are those before the request or those after it, on the
disk too, and no file, process, asyncio task or request is left.
"""

import asyncio
import gc
import json
import logging
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Coroutine, Generator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import coroutine
from typing import Any

import psutil
import pytest
from described import DOCUMENT
from in_process import SETTINGS, Client, new_client
from over_socket import until
from over_websocket import HANDSHAKE

from taskflow import workers
from taskflow.database import Database
from taskflow.http import Request, Response
from taskflow.sending import send_pieces, send_stream

FIRST = "a00f3a1e-1111-4111-8111-111111111111"
SECOND = "b00f3a1e-2222-4222-8222-222222222222"

# The second task of each pair comes first, and waits for the other.
PAIRS = [(f"{number:08x}-0000-4000-8000-000000000000", number) for number in range(1, 120)]
LINES = b"".join(
    json.dumps({"title": f"pair {number}", "id": task_id, "dependencies": waits}).encode() + b"\n"
    for task_id, number in PAIRS
    for waits in [[PAIRS[number % len(PAIRS)][0]] if number % 2 else []]
)

BODIES = {
    "POST /tasks": b'{"title":"third","priority":7}',
    "PUT /tasks/{id}": b'{"priority":7}',
    "PATCH /tasks/{id}": b'{"status":"completed"}',
    "POST /tasks/import": LINES,
}
QUERIES = {
    "/tasks/system/memory": "?top=3",
    "/tasks/memory/leak": "?count=1&sizeKb=1",
    "/tasks/memory/safe": "?count=1&sizeKb=1",
    "/demo/stream/csv": "?count=1500",
    "/demo/stream/ndjson": "?count=1500",
}
ENDPOINTS = sorted(
    f"{method.upper()} {path}"
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if method in {"get", "post", "put", "patch", "delete"}
)


@coroutine
def cancelled_at(suspension: int, work: Coroutine[Any, Any, bool]) -> Generator[Any, None, bool]:
    """Do the work, and cancel it when it suspends for the n-th time, as its owner would."""
    thrown: BaseException | None = None
    for number in count():
        try:
            waiting = work.send(None) if thrown is None else work.throw(thrown)
        except StopIteration as end:
            return bool(end.value)
        finally:
            # The error refers to this frame.
            thrown = None
        if number == suspension:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        try:
            yield waiting
        except BaseException as error:
            thrown = error
    raise AssertionError


async def respond(client: Client, endpoint: str) -> bool:
    """Do what a connection does for one request, whose body and client both need their time."""
    method, _, path = endpoint.partition(" ")
    body = BODIES.get(endpoint, b"")
    target = path.replace("{id}", SECOND) + QUERIES.get(path, "?iterations=1")
    pieces = [body[start : start + 4_096] for start in range(0, len(body), 4_096)]

    async def receive() -> bytes:
        await asyncio.sleep(0)
        return pieces.pop(0) if pieces else b""

    async def write(data: bytes) -> None:
        await asyncio.sleep(0)

    request = request_of(client, method, target, len(body))
    if path == "/ws/tasks":
        request.headers.update(HANDSHAKE)
    request.receive = receive
    response = await client.app(request)
    await send(request, response, write)
    return True


def request_of(client: Client, method: str, target: str, length: int) -> Request:
    path, _, query = target.partition("?")
    headers = {"host": "localhost", "authorization": f"Bearer {client.token}"}
    return Request(method, path, query, headers, content_length=length)


async def send(request: Request, response: Response, write: Any) -> None:
    if response.successor is not None:
        return
    if isinstance(response.body, AsyncGenerator):
        await send_stream(request, response, response.body, True, write)
    else:
        await send_pieces(request, response, True, write)


async def tasks_of(client: Client) -> list[Any]:
    """Return all tasks, after a check that exactly the ready ones are in the queue."""
    body = (await client.ask("GET", "/tasks/stream.ndjson")).body
    tasks = [json.loads(line) for line in body.splitlines()]
    status = {task["id"]: task["status"] for task in tasks}
    ready = {
        task["id"]
        for task in tasks
        if task["status"] == "pending"
        and all(status[waits] == "completed" for waits in task["dependencies"])
    }
    assert {task["id"] for task in await client.shown("/tasks/queue")} == ready
    return tasks


def facts(tasks: list[Any]) -> set[tuple[Any, ...]]:
    return {(task["title"], task["priority"], task["status"]) for task in tasks}


@asynccontextmanager
async def with_two_tasks(data: Path) -> AsyncIterator[Client]:
    """Give a client of a new application with two tasks, of which the second waits."""
    async with new_client(replace(SETTINGS, data=str(data))) as client:
        lines = [{"title": "first", "id": FIRST}, {"title": "second", "id": SECOND}]
        lines[1]["dependencies"] = [FIRST]  # type: ignore[assignment]
        body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        response = await client.ask(
            "POST", "/tasks/import", body=body, content_type="application/x-ndjson"
        )
        assert json.loads(response.body)["created"] == 2
        yield client


async def attempt(data: Path, endpoint: str, suspension: int) -> tuple[bool, Any, Any]:
    """Call an endpoint and cancel it; return whether it finished, and the tasks around it."""
    async with with_two_tasks(data) as client:
        before = facts(await tasks_of(client))
        others = asyncio.all_tasks()
        asking = asyncio.create_task(finished(cancelled_at(suspension, respond(client, endpoint))))
        is_finished = await asking
        del asking
        assert [request for request in gc.get_objects() if isinstance(request, Request)] == []
        # A worker may still be at work for a job that was only begun.
        await until(lambda: asyncio.all_tasks() <= others)
        tasks = await tasks_of(client)
    database = Database(data)
    stored = [json.loads(task.json) for task in database.load()]
    database.close()
    assert stored == tasks
    return is_finished, before, facts(tasks)


async def finished(work: Awaitable[bool]) -> bool:
    """Return whether the work has come to its end."""
    try:
        return await work
    except asyncio.CancelledError:
        return False


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_a_request_that_is_cancelled_anywhere_leaves_nothing_behind(
    endpoint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(workers, "WORKERS", 1)
    # A record of an error keeps its traceback, and so the request.
    caplog.set_level(logging.CRITICAL + 1)
    process = psutil.Process()
    gc.disable()
    try:
        # Uncancelled, which also opens the files that the process keeps from its first child on.
        _, before, after = await attempt(tmp_path / "whole.db", endpoint, sys.maxsize)
        files = process.num_fds()
        is_finished = False
        for suspension in count():
            if is_finished:
                break
            data = tmp_path / f"{suspension}.db"
            is_finished, _, tasks = await attempt(data, endpoint, suspension)
            if endpoint == "POST /tasks/import":
                assert before <= tasks <= after
            else:
                assert tasks in (before, after)
            await until(lambda: process.num_fds() == files and not process.children())
    finally:
        gc.enable()
