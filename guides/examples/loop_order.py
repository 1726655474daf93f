"""Shows the turns of asyncio's own loop: in which order it calls, and what `await` gives it."""

import asyncio
import selectors
import socket
from collections.abc import Coroutine
from typing import Any


class CountingSelector(selectors.DefaultSelector):
    """A selector that counts how often it is asked. asyncio asks once a turn."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = 0
        self.found: dict[int, int] = {}  # the last turn in which there was something, by socket

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for sockets."""
        self.turn += 1
        ready = super().select(timeout)
        self.found |= {key.fd: self.turn for key, _ in ready}
        return ready


selector = CountingSelector()


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run it on asyncio's loop, with our selector in it."""
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(coroutine)


class Rows:
    """Prints what happens, each with the turn, counted from the first one."""

    def __init__(self) -> None:
        self._first = selector.turn
        print("| turn | what is called |")
        print("| ---: | --- |")

    def note(self, what: str) -> None:
        """Print a row."""
        print(f"| {selector.turn - self._first + 1} | {what} |")


def order() -> None:
    """Print the order in which callbacks of all kinds are called."""
    run(_order())


async def _order() -> None:
    loop, rows = asyncio.get_running_loop(), Rows()
    note = rows.note
    future = loop.create_future()
    future.add_done_callback(lambda _: note("the done callback of the future"))

    async def child() -> None:
        note("the task `child` begins, and sets the result of the future")
        future.set_result(None)
        loop.call_soon(note, "`call_soon`, asked for in `child`")

    note("the task `main` begins, and asks for all that follows")
    loop.call_later(0, note, "`call_later` with 0 seconds")
    loop.call_soon(note, "`call_soon`, asked for in `main`")
    task = asyncio.create_task(child())
    await asyncio.sleep(0)
    note("`main`, after `sleep(0)`")
    await task
    note("`main`, after `await task`")


def yielded() -> None:
    """Drive a coroutine by hand, and print what its awaits give to whoever drives it."""
    run(_yielded())


async def visit(answer: asyncio.Future[int]) -> int:
    """Wait in two ways."""
    await asyncio.sleep(0)
    return await answer


async def _yielded() -> None:
    answer = asyncio.get_running_loop().create_future()
    coroutine = visit(answer)
    print("first send: ", coroutine.send(None))
    print("second send:", "the future" if coroutine.send(None) is answer else "something else")
    answer.set_result(42)
    try:
        coroutine.send(None)
    except StopIteration as end:
        print("third send:  StopIteration, with the value", end.value)


def distance() -> None:
    """Print how many turns lie between the arrival of bytes and the code that uses them."""
    run(_distance())


class Noting(asyncio.StreamReaderProtocol):
    """The protocol under a stream. It notes in which turn it is called."""

    turn = 0

    def data_received(self, data: bytes) -> None:
        """Pass on what has come."""
        self.turn = selector.turn
        super().data_received(data)


async def _distance() -> None:
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    with ours:
        reader = asyncio.StreamReader()
        transport, protocol = await loop.create_connection(lambda: Noting(reader), sock=theirs)
        loop.call_soon(ours.send, b"hello")
        await reader.read(100)
        found = selector.found[theirs.fileno()]
        print("select finds the bytes in turn       n")
        print(f"data_received is called in turn      n + {protocol.turn - found}")
        print(f"await reader.read() goes on in turn  n + {selector.turn - found}")
        transport.close()


if __name__ == "__main__":
    order()
