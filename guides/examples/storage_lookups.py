"""How often a step compares ids, and encodes tasks, to respond to the same requests.

This works beside step 1 and step 2: it asks the handlers of the step that is on the path.
"""

import asyncio
import importlib
import json
from contextlib import suppress
from typing import Any

from taskflow import tasks
from taskflow.codec import decode_object, encode
from taskflow.errors import TaskNotFound
from taskflow.http import Handler, Request, Response
from taskflow.routes import TaskRoutes

SIZES = (10, 100, 1_000, 10_000)


class CountedId(str):
    """An id that counts how often it is compared with another."""

    __slots__ = ("compared",)

    compared: int

    def __eq__(self, other: object) -> bool:
        """Compare as any text does, and count it."""
        self.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def handlers() -> dict[str, Handler]:
    """Return the handlers of the step: those of step 1 need nothing, later ones a store."""
    try:
        parts = [importlib.import_module("taskflow.store").Store()]
    except ModuleNotFoundError:
        parts = []
    routes: Any = TaskRoutes
    result: dict[str, Handler] = routes(*parts).routes()
    return result


def creation(title: str) -> Request:
    """Return a request that creates a task."""
    body = encode({"title": title})

    async def receive() -> bytes:
        return body

    return Request("POST", content_length=len(body), receive=receive)


def whole(response: Response) -> bytes:
    """Return the body of a response as one string of bytes."""
    return b"".join(response.pieces)


async def created(handler: Handler, count: int) -> list[str]:
    """Create tasks; return their ids."""
    ids = []
    for number in range(count):
        response = await handler(creation(f"task {number}"))
        ids.append(str(decode_object(whole(response))["id"]))
    return ids


async def compared(handler: Handler, task_id: str) -> int:
    """Return how many comparisons of ids a read takes."""
    counted = CountedId(task_id)
    counted.compared = 0
    with suppress(TaskNotFound):
        await handler(Request("GET", params={"id": counted}))
    return counted.compared


async def _comparisons() -> None:
    print("| tasks | the first | the middle one | the last | one that is not there |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for n in SIZES:
        routes = handlers()
        ids = await created(routes["POST /tasks"], n)
        wanted = (ids[0], ids[n // 2 - 1], ids[-1], "nonsense")
        counts = [await compared(routes["GET /tasks/{id}"], task_id) for task_id in wanted]
        print(f"| {n:,} | {' | '.join(f'{count:,}' for count in counts)} |")


def comparisons() -> None:
    """Print how many comparisons of ids a look-up takes in the step on the path."""
    asyncio.run(_comparisons())


async def _encodings(count: int, times: int) -> None:
    encoded = 0
    encode_task = tasks._encode

    def counting(task: tasks.Task) -> bytes:
        nonlocal encoded
        encoded += 1
        return encode_task(task)

    def report(what: str) -> None:
        print(f"after {what + ':':23} {sent:5,} tasks sent, {encoded:,} encoded")

    tasks._encode = counting
    routes = handlers()
    ids = await created(routes["POST /tasks"], count)
    # Each response to a POST shows the task that it has created.
    sent = count
    report(f"creating {count} tasks")
    for _ in range(times):
        sent += len(json.loads(whole(await routes["GET /tasks"](Request("GET")))))
    report(f"listing all {times} times")
    for task_id in ids * times:
        await routes["GET /tasks/{id}"](Request("GET", params={"id": task_id}))
        sent += 1
    report(f"reading each {times} times")


def encodings(count: int = 100, times: int = 10) -> None:
    """Print how often tasks are sent, and how often encoded, in the step on the path."""
    asyncio.run(_encodings(count, times))
