"""Background work: asyncio tasks that run beside the requests, for as long as a block."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def in_background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run the work until the block ends. Then cancel it, and wait until it has finished."""
    running = asyncio.create_task(work)
    # Work that is cancelled before it has begun would skip its `finally`.
    await asyncio.sleep(0)
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
