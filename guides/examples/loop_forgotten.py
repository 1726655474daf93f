"""Shows a task that nobody holds: the cycle collector takes it in the middle of its work."""

import asyncio
import gc
from typing import Any


async def deliver() -> None:
    """Wait for an answer that nobody else knows of."""
    answer = asyncio.get_running_loop().create_future()
    await answer
    print("deliver: done")  # never


def say(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Print what asyncio would write to its log."""
    print("asyncio:", context["message"])


async def main() -> None:
    """Fire and forget."""
    asyncio.get_running_loop().set_exception_handler(say)
    asyncio.create_task(deliver())  # noqa: RUF006 - the wrong turn
    await asyncio.sleep(0)
    print("tasks:", len(asyncio.all_tasks()))
    gc.collect()
    print("tasks:", len(asyncio.all_tasks()))


if __name__ == "__main__":
    asyncio.run(main())
