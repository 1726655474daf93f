"""One WebSocket, without a socket: whatever the frames, and however they were cut."""

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from over_websocket import FakeTransport, code_of, frames_of, messages_of, said, sent
from websockets import CloseCode, Opcode, ServerProtocol, State

from taskflow import websocket as websocket_module
from taskflow.events import Events
from taskflow.hub import Hub
from taskflow.websocket import MAX_MESSAGE, MAX_UNSENT, WebSocket, text_frame

PING = said({"type": "ping"})


class Listening(Hub):
    """A hub that also notes what it was told."""

    def __init__(self) -> None:
        super().__init__(Events())
        self.messages: list[str | bytes] = []

    def received(self, client: WebSocket, message: str | bytes) -> None:
        self.messages.append(message)
        if message == '{"type": "ping"}':
            super().received(client, message)


class Ended(asyncio.Protocol):
    """What stood before the WebSocket, and wants to know of the end too."""

    def __init__(self) -> None:
        self.ends: list[Exception | None] = []

    def connection_lost(self, error: Exception | None) -> None:
        self.ends.append(error)


def connected() -> tuple[WebSocket, FakeTransport, Listening]:
    """Return a WebSocket that has said connection.ready."""
    hub, transport = Listening(), FakeTransport()
    client = WebSocket(ServerProtocol(state=State.OPEN, max_size=MAX_MESSAGE), hub)
    client.connection_made(transport)
    assert [message["type"] for message in messages_of(transport.written)] == ["connection.ready"]
    transport.written.clear()
    return client, transport, hub


# Any frames, cut anywhere.


@dataclass(frozen=True)
class Item:
    """Some frames, and what should become of them."""

    data: bytes
    messages: list[str | bytes] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)


def in_fragments(content: str | bytes, cuts: list[int], controls: list[bytes]) -> Item:
    """Return a message in fragments, with a ping behind each but the last."""
    opcode = Opcode.TEXT if isinstance(content, str) else Opcode.BINARY
    raw = content.encode() if isinstance(content, str) else content
    edges = sorted({min(cut, len(raw)) for cut in cuts})
    parts = [raw[start:end] for start, end in zip([0, *edges], [*edges, len(raw)], strict=True)]
    data, pongs = b"", []
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        data += sent(Opcode.CONT if number else opcode, part, fin=last)
        if not last and number < len(controls):
            data += sent(Opcode.PING, controls[number])
            pongs.append(controls[number])
    return Item(data, [content], pongs)


PAYLOADS = st.binary(max_size=125)
PLACES = st.lists(st.integers(0, 300), max_size=4)
CONTENTS = st.text(max_size=200) | st.binary(max_size=200)
MESSAGES = st.builds(in_fragments, CONTENTS, PLACES, st.lists(PAYLOADS, max_size=3))
LARGEST = st.builds(in_fragments, st.just("x" * MAX_MESSAGE), PLACES, st.just([]))
PINGS = PAYLOADS.map(lambda payload: Item(sent(Opcode.PING, payload), pongs=[payload]))
PONGS = PAYLOADS.map(lambda payload: Item(sent(Opcode.PONG, payload)))
ITEMS = st.lists(MESSAGES | LARGEST | PINGS | PONGS, max_size=6)

FAULTS = {
    "no mask": (b"\x81\x00", 1002),
    "reserved bit": (b"\xc1\x80\0\0\0\0", 1002),
    "reserved opcode": (b"\x83\x80\0\0\0\0", 1002),
    "nothing to continue": (sent(Opcode.CONT, b"a"), 1002),
    "two beginnings": (sent(Opcode.TEXT, b"a", fin=False) + sent(Opcode.TEXT, b"b"), 1002),
    "long ping": (b"\x89\xfe\x00\x7e\0\0\0\0" + bytes(126), 1002),
    "fragmented ping": (b"\x09\x80\0\0\0\0", 1002),
    "half a code": (sent(Opcode.CLOSE, b"\x03"), 1002),
    "bad code": (sent(Opcode.CLOSE, b"\x03\xed"), 1002),
    "bad reason": (sent(Opcode.CLOSE, b"\x03\xe8\xff"), 1007),
    "bad text": (sent(Opcode.TEXT, b"\xff"), 1007),
    "cut character": (sent(Opcode.TEXT, b"\xc3", fin=False) + sent(Opcode.CONT, b""), 1007),
    "too large": (b"\x81\xff" + (MAX_MESSAGE + 1).to_bytes(8) + bytes(4), 1009),
    "too large together": (
        sent(Opcode.TEXT, bytes(MAX_MESSAGE), fin=False) + sent(Opcode.CONT, b"a"),
        1009,
    ),
    "goodbye": (sent(Opcode.CLOSE, b"\x03\xe8"), 1000),
    "goodbye of an application": (sent(Opcode.CLOSE, b"\x0f\xa0see you"), 4000),
}


async def feed(client: WebSocket, transport: FakeTransport, data: bytes, cuts: list[int]) -> None:
    """Give it the bytes in pieces, each when it reads again, as an event loop does."""
    edges = sorted({cut % (len(data) + 1) for cut in cuts})
    for start, end in zip([0, *edges], [*edges, len(data)], strict=True):
        client.data_received(data[start:end])
        while not transport.reading:  # noqa: ASYNC110  as an event loop does
            await asyncio.sleep(0)


CUTS = st.lists(st.integers(min_value=0), max_size=10)


def data_of(items: list[Item]) -> bytes:
    return b"".join(item.data for item in items)


@given(ITEMS, CUTS)
def test_whole_messages_arrive_exactly(items: list[Item], cuts: list[int]) -> None:
    async def check() -> None:
        client, transport, hub = connected()
        await feed(client, transport, data_of(items), cuts)
        assert hub.messages == [message for item in items for message in item.messages]
        pongs = [bytes(frame.data) for frame in frames_of(transport.written)]
        assert pongs == [pong for item in items for pong in item.pongs]
        assert not transport.ended

    asyncio.run(check())


@given(ITEMS, st.sampled_from(sorted(FAULTS)), CUTS)
def test_a_fault_closes_with_its_code(items: list[Item], name: str, cuts: list[int]) -> None:
    """And what was whole in a piece before that of the fault has arrived."""
    fault, code = FAULTS[name]

    async def check() -> None:
        client, transport, hub = connected()
        await feed(client, transport, data_of(items), cuts)
        await feed(client, transport, fault, cuts)
        assert code_of(transport.written) == code
        assert hub.messages == [message for item in items for message in item.messages]
        assert transport.ended
        assert hub.stats()["clients"] == 0
        client.data_received(data_of(items))  # what comes behind is discarded
        client.eof_received()
        assert code_of(transport.written) == code

    asyncio.run(check())


@given(ITEMS, st.sampled_from(sorted(FAULTS)), ITEMS, CUTS)
def test_what_arrives_is_a_beginning_of_what_was_sent(
    items: list[Item], name: str, behind: list[Item], cuts: list[int]
) -> None:
    """Even if the fault came in the same piece: nothing out of order, nothing from behind it."""
    fault, code = FAULTS[name]

    async def check() -> None:
        client, transport, hub = connected()
        await feed(client, transport, data_of(items) + fault + data_of(behind), cuts)
        whole = [message for item in items for message in item.messages]
        assert hub.messages == whole[: len(hub.messages)]
        assert code_of(transport.written) == code

    asyncio.run(check())


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_no_bytes_raise(pieces: list[bytes]) -> None:
    """It stays open, or ends with a code of the contract."""

    async def check() -> None:
        client, transport, _ = connected()
        for piece in pieces:
            client.data_received(piece)
        client.eof_received()
        assert transport.ended
        codes = [frame for frame in frames_of(transport.written) if frame.opcode is Opcode.CLOSE]
        assert len(codes) <= 1
        if codes:
            code = int.from_bytes(codes[0].data[:2])
            assert code in {0, 1002, 1007, 1009} or bytes(codes[0].data) in b"".join(pieces)

    asyncio.run(check())


# A client that sends more than its share.


async def test_other_work_has_its_turn_between_the_messages_of_one_client() -> None:
    """At most 100 small messages are handled in one turn, in order, while no more is read."""
    client, transport, hub = connected()
    tiny = [sent(Opcode.TEXT, b"%d" % number) for number in range(5_000)]
    turns = [0]

    client.data_received(b"".join(tiny))
    while not transport.reading:
        turns.append(len(hub.messages))
        await asyncio.sleep(0)

    assert hub.messages == [str(number) for number in range(5_000)]
    assert max(after - before for before, after in pairwise(turns)) <= 100


async def test_the_rest_of_a_client_that_has_gone_is_not_handled() -> None:
    client, transport, hub = connected()
    client.data_received(PING * 1_000)
    handled = len(hub.messages)
    assert handled < 1_000

    transport.abort()
    client.connection_lost(ConnectionResetError())
    await asyncio.sleep(0)

    assert len(hub.messages) == handled
    assert not transport.reading


async def test_the_rest_before_the_end_of_the_stream_is_not_handled_after_it() -> None:
    client, transport, hub = connected()
    client.data_received(PING * 1_000)
    handled = len(hub.messages)

    client.eof_received()
    await asyncio.sleep(0)

    assert len(hub.messages) == handled
    assert transport.ended


# What we say.


def test_a_frame_is_made_once_for_all() -> None:
    for size in (0, 125, 126, 65_535, 65_536):
        [frame] = frames_of(text_frame(b"a" * size))
        assert (frame.opcode, frame.fin, len(frame.data)) == (Opcode.TEXT, True, size)


async def test_an_answer_comes_at_once() -> None:
    client, transport, _ = connected()
    client.data_received(PING * 3)
    assert [message["type"] for message in messages_of(transport.written)] == ["pong"] * 3


async def test_what_is_closed_takes_nothing() -> None:
    client, transport, _ = connected()
    assert client.send(text_frame(b"{}"))
    client.data_received(sent(Opcode.CLOSE, b"\x03\xe8"))
    before = bytes(transport.written)

    assert not client.send(text_frame(b"{}"))

    assert bytes(transport.written) == before


async def test_a_slow_client_is_closed_when_too_much_waits() -> None:
    """Up to the bound it may wait; the message that is too much tells it to come again."""
    client, transport, hub = connected()
    transport.unsent = MAX_UNSENT
    assert client.send(text_frame(b'"last"'))
    assert code_of(transport.written) is None
    transport.unsent += 1

    assert not client.send(text_frame(b'"too much"'))

    assert code_of(transport.written) == CloseCode.TRY_AGAIN_LATER
    assert transport.ended
    assert hub.stats()["clients"] == 0


@pytest.mark.parametrize("asked", [sent(Opcode.PING, b"a"), PING], ids=["pings", "messages"])
async def test_what_a_slow_client_asks_for_is_bounded_too(asked: bytes) -> None:
    """Answers and pongs alike; and nothing is written behind the close."""
    client, transport, _ = connected()
    transport.unsent = MAX_UNSENT + 1
    await feed(client, transport, asked * 100, [])
    assert code_of(transport.written) == CloseCode.TRY_AGAIN_LATER
    assert transport.ended


# Whether anybody is there.


async def test_no_pong_by_the_next_ping_is_the_end() -> None:
    client, transport, hub = connected()
    for _ in range(3):
        client.ping()
        asked = frames_of(transport.written)[-1]
        assert asked.opcode is Opcode.PING
        client.data_received(PING + sent(Opcode.PONG, bytes(asked.data)))
    client.ping()
    client.data_received(PING)  # which is no pong

    client.ping()

    assert code_of(transport.written) == CloseCode.INTERNAL_ERROR
    assert hub.stats()["clients"] == 0


# The end.


async def test_a_client_has_a_little_time_to_say_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_module, "CLOSE_SECONDS", 0.01)
    client, transport, _ = connected()
    client.close(CloseCode.GOING_AWAY, "the server stops")
    assert code_of(transport.written) == CloseCode.GOING_AWAY
    assert not transport.aborted

    while not transport.aborted:  # noqa: ASYNC110  nothing else tells
        await asyncio.sleep(0)


BEGUN = [b"", PING[:1], PING[:-1], sent(Opcode.TEXT, b"{", fin=False)]


@pytest.mark.parametrize("begun", BEGUN, ids=["nothing", "a byte", "most", "a fragment"])
async def test_the_end_of_the_stream_is_the_end(begun: bytes) -> None:
    """Without a code: there is nobody to read it (RFC 6455, 7.1.5)."""
    client, transport, hub = connected()
    client.data_received(begun)
    client.eof_received()
    assert frames_of(transport.written) == []
    assert transport.ended
    assert hub.stats()["clients"] == 0


async def test_a_lost_connection_is_told_to_the_hub_and_to_whom_it_had_before() -> None:
    hub, transport = Listening(), FakeTransport()
    transport.before = before = Ended()
    client = WebSocket(ServerProtocol(state=State.OPEN), hub)
    client.connection_made(transport)
    assert hub.stats()["clients"] == 1
    error = ConnectionResetError()

    client.connection_lost(error)

    assert before.ends == [error]
    assert hub.stats()["clients"] == 0


async def test_only_the_first_end_counts() -> None:
    client, transport, _ = connected()
    client.close(CloseCode.INTERNAL_ERROR, "no pong")
    client.close(CloseCode.GOING_AWAY, "the server stops")
    client.data_received(sent(Opcode.CLOSE, b"\x03\xe8"))
    client.eof_received()
    closes = [frame for frame in frames_of(transport.written) if frame.opcode is Opcode.CLOSE]
    assert [int.from_bytes(frame.data[:2]) for frame in closes] == [CloseCode.INTERNAL_ERROR]


async def test_messages_are_given_on_as_text_or_bytes() -> None:
    client, _, hub = connected()
    client.data_received(sent(Opcode.BINARY, b"\xff") + sent(Opcode.TEXT, "é".encode()))
    client.data_received(sent(Opcode.BINARY, b"a", fin=False) + sent(Opcode.CONT, b"b"))
    assert hub.messages == [b"\xff", "é", b"ab"]
