"""How long things that run beside the requests live."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def in_background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run the work as a task until the block ends; then cancel it, and wait until it is gone."""
    task = asyncio.create_task(work)
    await asyncio.sleep(0)  # or work that is cancelled before it began would skip its `finally`
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
