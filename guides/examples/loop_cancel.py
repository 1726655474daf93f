"""Shows what `task.cancel()` does, and what becomes of a task that does not let itself be ended."""

import asyncio


async def deliver() -> None:
    """Do something long, and tidy up."""
    try:
        print("deliver: on my way")
        await asyncio.sleep(3600)
        print("deliver: this is never printed")
    finally:
        print("deliver: finally")


async def _ended() -> None:
    task = asyncio.create_task(deliver())
    await asyncio.sleep(0)
    print("main: cancel() returns", task.cancel(), "and done() is", task.done())
    try:
        await task
    except asyncio.CancelledError:
        print("main: `await task` raises CancelledError; cancelled() is", task.cancelled())


def ended() -> None:
    """Cancel a task that waits."""
    asyncio.run(_ended())


async def _unborn() -> None:
    task = asyncio.create_task(deliver())
    task.cancel()
    await asyncio.wait([task])
    print("cancelled:", task.cancelled())


def unborn() -> None:
    """Cancel a task in the turn in which it is made."""
    asyncio.run(_unborn())


async def stubborn() -> str:
    """Wait for something, and take a cancellation for one more error to be survived."""
    for _ in range(2):
        try:
            await asyncio.sleep(0.05)
        except BaseException as error:  # the wrong turn
            print(f"stubborn: {type(error).__name__}? I try again")
    return "stubborn has done all of it"


async def _swallowed() -> None:
    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    print("main: cancel() returns", task.cancel())
    print("main:", await task, "and cancelled() is", task.cancelled())
    try:
        async with asyncio.timeout(0.01):
            print("main:", await stubborn(), "and it took longer than its timeout")
    except TimeoutError:
        print("main: timeout")


def swallowed() -> None:
    """Cancel a task that swallows it, and call it with a timeout."""
    asyncio.run(_swallowed())


if __name__ == "__main__":
    ended()
