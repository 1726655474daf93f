"""The outbox: what waits, until when, and that nothing stays in it or changes places."""

import asyncio
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from over_socket import serving, until

from taskflow.http import Request, Response
from taskflow.outbox import MAX_TOGETHER, Outbox
from taskflow.server import SMALL

CLIENTS = 4


class Loop:
    """An event loop whose turns a test makes."""

    def __init__(self) -> None:
        self.ready: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.ready.append(callback)

    def turn(self) -> None:
        """Run what was ready before."""
        ready, self.ready = self.ready, []
        for callback in ready:
            callback()


class Client(asyncio.Transport):
    """A transport that notes what all of them are given, and in which order."""

    def __init__(self, notes: list[tuple["Client", bytes]]) -> None:
        super().__init__()
        self._notes = notes
        self.gone = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.gone
        self._notes.append((self, bytes(data)))

    def is_closing(self) -> bool:
        return self.gone


def test_answers_wait_for_those_that_are_still_to_come() -> None:
    notes: list[tuple[Client, bytes]] = []
    outbox, one, two = Outbox(Loop().call_soon), Client(notes), Client(notes)
    outbox.expect(one)
    outbox.expect(two)

    outbox.send(one, b"1")
    outbox.settle(one)
    assert notes == []

    outbox.send(two, b"2")
    outbox.settle(two)
    assert notes == [(one, b"1"), (two, b"2")]


def test_who_is_alone_waits_for_nobody() -> None:
    notes: list[tuple[Client, bytes]] = []
    loop, client = Loop(), Client(notes)
    outbox = Outbox(loop.call_soon)
    outbox.expect(client)
    outbox.send(client, b"1")
    outbox.settle(client)
    assert notes == [(client, b"1")]
    loop.turn()
    assert notes == [(client, b"1")]


def test_who_takes_long_holds_up_the_others_to_the_end_of_the_turn_at_most() -> None:
    notes: list[tuple[Client, bytes]] = []
    loop, slow, quick = Loop(), Client(notes), Client(notes)
    outbox = Outbox(loop.call_soon)
    outbox.expect(slow)
    outbox.expect(quick)
    outbox.send(quick, b"1")
    outbox.settle(quick)
    assert notes == []
    loop.turn()
    assert notes == [(quick, b"1")]


def test_a_client_that_is_gone_is_passed_over() -> None:
    notes: list[tuple[Client, bytes]] = []
    outbox, gone, there = Outbox(Loop().call_soon), Client(notes), Client(notes)
    outbox.send(gone, b"1")
    outbox.send(there, b"2")
    gone.gone = True
    outbox.flush()
    assert notes == [(there, b"2")]


class Traffic(RuleBasedStateMachine):
    """Whatever comes and goes: what is sent is written once, in order, and by the next turn."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[tuple[Client, bytes]] = []
        self.clients = [Client(self.notes) for _ in range(CLIENTS)]
        self.served: set[Client] = set()
        self.sent: list[tuple[Client, bytes]] = []
        self.loop = Loop()
        self.outbox = Outbox(self.loop.call_soon)

    @rule(number=st.integers(0, CLIENTS - 1))
    def begin(self, number: int) -> None:
        self.outbox.expect(self.clients[number])
        self.served.add(self.clients[number])

    @rule(number=st.integers(0, CLIENTS - 1))
    def answer(self, number: int) -> None:
        client = self.clients[number]
        answer = str(len(self.sent)).encode()
        self.sent.append((client, answer))
        self.outbox.send(client, answer)
        self._settle(client)

    @rule(number=st.integers(0, CLIENTS - 1), times=st.integers(1, 2))
    def give_up(self, number: int, times: int) -> None:
        for _ in range(times):  # who says so twice does no harm
            self._settle(self.clients[number])

    @rule(count=st.integers(1, MAX_TOGETHER + 1))
    def crowd(self, count: int) -> None:
        for _ in range(count):
            self.answer(0)

    def _settle(self, client: Client) -> None:
        self.served.discard(client)
        self.outbox.settle(client)
        if not self.served:
            assert self.notes == self.sent

    @rule()
    def turn(self) -> None:
        self.loop.turn()
        assert self.notes == self.sent

    @invariant()
    def few_wait_and_the_others_were_written_in_order(self) -> None:
        assert self.notes == self.sent[: len(self.notes)]
        assert len(self.sent) - len(self.notes) < MAX_TOGETHER


TestTraffic = Traffic.TestCase


# In the server.


class Notes:
    """An app that notes when it answers, which it does to `/` when it is told to."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.notes: list[str] = []
        self.ready = asyncio.Event()

    async def __call__(self, request: Request) -> Response:
        if request.path == "/":
            await self.ready.wait()  # so that all are answered in one turn
        self.notes.append("answered")
        asyncio.get_running_loop().call_soon(self.notes.append, "next turn")
        return Response(200, b"x" * self.size)


async def order_of_events(size: int, unsent: int = 0) -> list[str]:
    """Return in which order three clients' requests were answered and their answers written."""
    app = Notes(size)
    async with serving(app) as served:
        wires = [await served.connect() for _ in range(3)]
        for connection in served.server.connections:
            noted = Noted(connection.transport, app.notes, unsent)
            connection.transport = noted  # type: ignore[assignment]
        for wire in wires:
            await wire.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: sum(one._task is not None for one in served.server.connections) == 3)
        app.ready.set()
        assert [len((await wire.answer()).body) for wire in wires] == [size] * 3
    return [note for note in app.notes if note != "next turn"]


class Noted:
    """A transport whose writes are noted."""

    def __init__(self, transport: asyncio.Transport, notes: list[str], unsent: int = 0) -> None:
        self._transport = transport
        self._notes = notes
        self._unsent = unsent

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)

    def get_write_buffer_size(self) -> int:
        return self._unsent

    def write(self, data: bytes) -> None:
        self._notes.append("written")
        self._transport.write(data)


async def test_small_answers_of_one_turn_are_written_together() -> None:
    assert await order_of_events(SMALL) == ["answered"] * 3 + ["written"] * 3


async def test_a_large_answer_is_written_at_once() -> None:
    assert await order_of_events(SMALL + 1) == ["answered", "written"] * 3


async def test_an_answer_to_who_has_not_taken_the_last_is_written_at_once() -> None:
    """So the connection sees at once if that is too much, and its deadline is that of a write."""
    assert await order_of_events(1, unsent=1) == ["answered", "written"] * 3


async def test_nobody_waits_for_those_that_are_answered_or_have_left() -> None:
    app = Notes(1)
    async with serving(app) as served:
        left = await served.connect()
        await left.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: served.connection._task)
        left.reset()
        await until(lambda: not served.server.connections)

        wire = await served.connect()
        own = served.connection
        own.transport = Noted(own.transport, app.notes)  # type: ignore[assignment]
        for _ in range(2):
            await wire.send(b"GET /now HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await wire.answer()).body == b"x"
    assert app.notes == ["answered", "written", "next turn"] * 2


async def test_who_ends_right_behind_its_request_gets_the_answer() -> None:
    """The end comes between the answer and the end of its turn, and closes the connection."""
    app = Notes(1)
    async with serving(app) as served:
        slow = await served.connect()
        await slow.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: served.connection._task)
        wire = await served.connect()
        await wire.send(b"GET /now HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: app.notes)
        [ended] = [one for one in served.server.connections if one._task is None]
        ended.eof_received()

        assert (await wire.answer()).body == b"x"
        assert await wire.rest() == b""
        app.ready.set()
        assert (await slow.answer()).body == b"x"
