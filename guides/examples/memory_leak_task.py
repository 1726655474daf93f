"""Leak 4: a finished task that is kept, its exception, and all that the exception holds.

python3 guides/examples/memory_leak_task.py
"""

import asyncio
import sys
import traceback

running: set[asyncio.Task[None]] = set()  # or the loop's weak reference would be the only one


async def deliver(number: int) -> None:
    """Send something large to somebody who is not there."""
    body = bytes(1_000_000)
    raise ConnectionError(f"nobody is there for the {len(body):,} bytes of {number}")


async def start(count: int, *, careful: bool) -> None:
    """Start tasks, and wait until all are done."""
    for number in range(count):
        task = asyncio.create_task(deliver(number))
        running.add(task)
        if careful:
            task.add_done_callback(running.discard)
    await asyncio.gather(*running, return_exceptions=True)


def held(task: asyncio.Task[None]) -> str:
    """Return the largest local variable that the traceback of a failed task keeps alive."""
    error = task.exception()
    assert error is not None
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    sizes = [
        (sys.getsizeof(value), f"{frame.f_code.co_name}: {name}")
        for frame in frames
        for name, value in frame.f_locals.items()
    ]
    size, name = max(sizes)
    return f"{name}, {size / 1e6:.0f} MB"


async def main() -> None:
    """Do it without care, look, and do it with care."""
    await start(20, careful=False)
    print(f"tasks kept: {len(running)}, done: {sum(task.done() for task in running)}")
    print(f"each holds an exception, whose traceback holds {held(next(iter(running)))}")
    running.clear()
    await start(20, careful=True)
    print(f"with add_done_callback(running.discard), tasks kept: {len(running)}")


if __name__ == "__main__":
    asyncio.run(main())
