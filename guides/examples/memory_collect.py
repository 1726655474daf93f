"""Counts for guide 7: what the collector looks at when it is called after each request."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import FileIO

from deps_release import row, table

from taskflow.app import build_app
from taskflow.config import EXAMPLE_TOKENS, Tokens
from taskflow.logs import LogWriter
from taskflow.parser import RequestParser
from taskflow.store import Store

SIZES = (1_000, 10_000, 100_000)
HEAD = b"GET /tasks/next HTTP/1.1\r\nHost: localhost\r\nAuthorization: secret-user-123\r\n\r\n"


@asynccontextmanager
async def serving(*, collect: bool = False) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Yield a function that serves so many requests, as a connection would, without a socket."""
    log = LogWriter(FileIO(os.devnull, "w"))
    with log.running():
        async with build_app(Tokens(*EXAMPLE_TOKENS), log) as app:

            async def serve(count: int) -> None:
                for _ in range(count):
                    parser = RequestParser()
                    parser.feed(HEAD)
                    request = parser.next_request()
                    assert request is not None
                    response = await app(request)
                    request.on_sent(request, response.status, sum(map(len, response.pieces)))
                    if collect:
                        gc.collect()

            yield serve


class Watch:
    """Counts the objects that collections look at, and the collections of everything."""

    def __init__(self) -> None:
        self.looked_at = 0
        self.full = 0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """Note a collection that begins; `gc.callbacks` calls this."""
        if phase == "start":
            generations = range(info["generation"] + 1)
            self.looked_at += sum(len(gc.get_objects(generation=one)) for one in generations)
            self.full += info["generation"] == 2


async def watch(count: int, *, collect: bool) -> Watch:
    """Serve so many requests, and count."""
    async with serving(collect=collect) as serve:
        await serve(10)
        gc.collect()
        watching = Watch()
        gc.callbacks.append(watching)
        await serve(count)
        gc.callbacks.remove(watching)
        return watching


def collections() -> None:
    """Print what a request costs the collector, with a store of tasks beside it."""
    table(
        "tasks in the store", "by itself: objects looked at for a request", "when called after each"
    )
    for size in SIZES:
        store = Store()
        for number in range(size):
            store.create({"title": f"task {number}"})
        alone = asyncio.run(watch(1_000, collect=False))
        each = asyncio.run(watch(10, collect=True))
        assert alone.full == 0
        assert alone.looked_at < 10 * 1_000
        assert each.full == 10
        assert each.looked_at > 2 * size * 10
        row(f"{len(store):,}", "under 10", f"over {2 * size:,}")
