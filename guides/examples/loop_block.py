"""Shows what stops the event loop: how many turns it makes while something is done."""

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from taskflow.background import in_background


class Turns:
    """Counts the turns of the loop, as a task that comes up in each of them."""

    count = 0

    async def run(self) -> None:
        """Count, until cancelled."""
        while True:
            self.count += 1
            await asyncio.sleep(0)


def read_file() -> None:
    """Read some megabytes from the disk."""
    for path in Path(json.__file__).parent.parent.glob("*.py"):
        path.read_bytes()


BLOCKING: dict[str, Callable[[], object]] = {
    "`time.sleep(0.05)`": lambda: time.sleep(0.05),
    "`sum(range(2_000_000))`": lambda: sum(range(2_000_000)),
    "`list(range(1_000_000))`": lambda: list(range(1_000_000)),
    "`json.dumps` of 200,000 numbers": lambda: json.dumps(list(range(200_000))),
    "`path.read_bytes()`, some files": read_file,
    '`socket.getaddrinfo("localhost", 80)`': lambda: socket.getaddrinfo("localhost", 80),
}
GIVING_WAY: dict[str, Callable[[], Awaitable[object]]] = {
    "`await asyncio.sleep(0.05)`": lambda: asyncio.sleep(0.05),
    "`await asyncio.to_thread(time.sleep, 0.05)`": lambda: asyncio.to_thread(time.sleep, 0.05),
    "`await asyncio.to_thread(read_file)`": lambda: asyncio.to_thread(read_file),
    '`await loop.getaddrinfo("localhost", 80)`': lambda: asyncio.get_running_loop().getaddrinfo(
        "localhost", 80
    ),
}


def table() -> None:
    """Print how many turns the loop makes meanwhile, for each of them."""
    print("| in a coroutine | turns of the loop meanwhile |")
    print("| --- | --- |")
    asyncio.run(_table())


async def _table() -> None:
    turns = Turns()
    async with in_background(turns.run()):
        for name, block in BLOCKING.items():
            before = turns.count
            block()
            print(f"| {name} | {turns.count - before} |")
        for name, wait in GIVING_WAY.items():
            before = turns.count
            await wait()
            print(f"| {name} | {'some' if turns.count > before else 'none'} |")


async def watch_lag(late: list[float], pause: float = 0.01) -> None:
    """Note how late the loop is, in seconds, each time that we have slept. Until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(pause)
        late.append(loop.time() - before - pause)


async def _lag(seconds: float) -> None:
    late: list[float] = []
    async with in_background(watch_lag(late)):
        await asyncio.sleep(0.1)  # how a handler should wait
        time.sleep(seconds)  # noqa: ASYNC251 - and how it should not
        await asyncio.sleep(0.1)
    late.sort()
    half = late[len(late) // 2]
    print(f"half of the time it is late by less than {half * 1000:.1f} ms")
    print(f"the worst: {late[-1] * 1000:.1f} ms", end=", ")
    print("as long as the handler slept" if late[-1] > seconds - 0.02 else "less than it slept")


def lag() -> None:
    """Print how late the loop was while a handler slept for 0.3 s."""
    asyncio.run(_lag(0.3))


async def sleepy() -> None:
    """Wait for 0.05 s, and hold everybody up."""
    time.sleep(0.05)  # noqa: ASYNC251 - the wrong turn


async def patient() -> None:
    """Wait for 0.05 s, and let others run."""
    await asyncio.sleep(0.05)


async def _handlers() -> None:
    for handler in (sleepy, patient):
        started = time.perf_counter()
        await asyncio.gather(*(handler() for _ in range(10)))
        took = time.perf_counter() - started
        often = "one after the other" if took >= 0.5 else "together"
        print(f"ten of {handler.__name__:7} take {took:.2f} s: they wait {often}")


def handlers() -> None:
    """Print how long ten handlers take that wait, in the wrong way and in the right one."""
    asyncio.run(_handlers())


if __name__ == "__main__":
    lag()
