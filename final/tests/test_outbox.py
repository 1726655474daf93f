"""The outbox: the bytes of one turn of the event loop leave in a row at its end."""

import asyncio
from typing import cast

from taskflow.outbox import Outbox


class Sink:
    """A transport that writes down, in a log that several share, what is written to it."""

    def __init__(self, name: str, log: list[tuple[str, bytes]]) -> None:
        self.name = name
        self.log = log
        self.closing = False

    def write(self, data: bytes) -> None:
        self.log.append((self.name, data))

    def is_closing(self) -> bool:
        return self.closing


def sinks(*names: str) -> tuple[list[tuple[str, bytes]], list[asyncio.Transport]]:
    """Return a log, and a transport for each name."""
    log: list[tuple[str, bytes]] = []
    return log, [cast(asyncio.Transport, Sink(name, log)) for name in names]


async def test_bytes_leave_in_order_at_the_end_of_the_turn() -> None:
    log, [one, other] = sinks("one", "other")
    outbox = Outbox(asyncio.get_running_loop())

    outbox.put(one, b"1")
    outbox.put(other, b"2")
    outbox.put(one, b"3")
    assert log == []

    await asyncio.sleep(0)
    assert log == [("one", b"1"), ("other", b"2"), ("one", b"3")]

    outbox.put(other, b"4")
    await asyncio.sleep(0)
    assert log[3:] == [("other", b"4")]


async def test_bytes_leave_before_anything_that_is_called_later() -> None:
    """So a connection may close itself in a call that it plans after its last bytes."""
    log, [one, other] = sinks("one", "other")
    loop = asyncio.get_running_loop()
    outbox = Outbox(loop)

    outbox.put(one, b"1")
    loop.call_soon(log.append, ("one", b"the end"))
    outbox.put(other, b"2")

    await asyncio.sleep(0)
    assert log == [("one", b"1"), ("other", b"2"), ("one", b"the end")]


async def test_a_transport_that_is_closing_gets_nothing_more() -> None:
    log, [one, other] = sinks("one", "other")
    outbox = Outbox(asyncio.get_running_loop())

    outbox.put(one, b"1")
    outbox.put(other, b"2")
    cast(Sink, one).closing = True

    await asyncio.sleep(0)
    assert log == [("other", b"2")]
