"""What becomes of an async generator whose reader leaves; and who runs while it is read."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, suppress

PIECES = 600


async def pieces() -> AsyncGenerator[bytes, None]:
    """Yield pieces, holding something meanwhile: a file, a cursor, a list of all tasks."""
    print("  the generator opens")
    try:
        while True:
            yield b"piece"
    finally:
        print("  the generator closes")


async def send_closing(client: asyncio.Future[None]) -> None:
    """Send an answer, and close the generator whatever happens."""
    async with aclosing(pieces()) as answer:
        async for _ in answer:
            await client  # until it takes more


async def send(client: asyncio.Future[None]) -> None:
    """Send an answer, and leave the generator to whoever cleans up."""
    answer = pieces()
    async for _ in answer:
        await client


Sender = Callable[[asyncio.Future[None]], Coroutine[None, None, None]]


async def _leave(sender: Sender, *, keep: bool) -> None:
    client: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(sender(client))
    await asyncio.sleep(0)
    task.cancel()  # the client has left
    kept = None
    try:
        await task
    except asyncio.CancelledError as error:
        kept = error if keep else None  # as a log does, or a debugger
    print("  the task is over")
    del task
    await asyncio.sleep(0.01)
    if kept is not None:
        print("  the traceback is let go")
        kept.__traceback__ = None
        del kept
        gc.collect()
        await asyncio.sleep(0.01)


def leave() -> None:
    """Print who closes the generator, and when."""
    for title, sender, keep in (
        ("with aclosing", send_closing, False),
        ("without", send, False),
        ("without, and somebody keeps the traceback", send, True),
    ):
        print(f"{title}:")
        asyncio.run(_leave(sender, keep=keep))


async def count_turns(*, gives_way: bool) -> int:
    """Return how often another task ran while an answer was sent to a fast client."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def answer() -> AsyncGenerator[bytes, None]:
        for _ in range(PIECES):
            yield b"piece"

    async def write(piece: bytes) -> None:
        """Send a piece to a client that takes everything at once."""

    task = asyncio.create_task(other())
    async for piece in answer():
        await write(piece)
        if gives_way:
            await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return turns


def turns() -> None:
    """Print how often another task runs, with and without `sleep(0)`."""
    for gives_way in (False, True):
        turns = asyncio.run(count_turns(gives_way=gives_way))
        print("write, then sleep(0):" if gives_way else "write alone:         ", end=" ")
        print(f"{PIECES} pieces, {turns} turns of another task")


if __name__ == "__main__":
    leave()
