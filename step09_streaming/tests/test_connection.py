"""The connection, over real sockets: order, ends, backpressure, and clients that misbehave."""

import asyncio
import errno
import gc
import logging
import weakref
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing, suppress
from functools import partial
from itertools import repeat
from typing import Any, cast

import pytest
from over_socket import (
    PATIENT,
    Gate,
    Serving,
    Wire,
    ask,
    careless,
    echo,
    guarded,
    message,
    serving,
    until,
)

from taskflow import connection as connection_module
from taskflow.chunked import LAST_CHUNK, encode_chunk
from taskflow.connection import READ_AHEAD, Connection
from taskflow.errors import NotFound
from taskflow.http import Request, Response
from taskflow.importing import MAX_LINE, lines_of
from taskflow.logs import AccessEntry
from taskflow.middleware import RequestLog

MOST_READ_AT_ONCE = 256 * 1024  # bytes that asyncio reads from a socket in one go
HIGH_WATER = 64 * 1024  # bytes unsent at which asyncio says: pause writing


# Requests and their answers.


async def test_a_connection_serves_one_request_after_the_other() -> None:
    async with serving(echo) as served:
        wire = await served.connect()
        for number in range(3):
            await wire.send(message("POST", f"/{number}", b"body"))
            answer = await wire.answer()

            assert (answer.status, answer.body) == (200, f"POST /{number} body".encode())
            assert answer.headers["connection"] == "keep-alive"
            assert answer.headers["date"].endswith(" GMT")


async def test_a_request_may_come_byte_by_byte() -> None:
    async with serving(echo) as served:
        wire = await served.connect()
        for byte in message("POST", "/slowly", b"and surely"):
            await wire.send(bytes([byte]))

        assert (await wire.answer()).body == b"POST /slowly and surely"


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with serving(echo) as served:
        wire = await served.connect()
        await wire.send(b"".join(message("POST", f"/{number}", b"x") for number in range(500)))

        bodies = [(await wire.answer()).body for _ in range(500)]

        assert bodies == [f"POST /{number} x".encode() for number in range(500)]


async def test_the_second_request_does_not_begin_before_the_first_is_answered() -> None:
    gate = Gate()
    async with serving(gate) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/slow") + message("GET", "/now"))
        await until(lambda: gate.begun)
        other = await served.connect()
        assert await ask(other, "/now") == b"GET /now "  # another connection need not wait
        assert gate.begun == ["/slow", "/now"]

        gate.opened.set()

        assert (await wire.answer()).body == b"GET /slow "
        assert (await wire.answer()).body == b"GET /now "
        assert gate.begun == ["/slow", "/now", "/now"]


async def test_head_is_answered_like_get_without_the_body() -> None:
    async with serving(careless) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/same") + message("HEAD", "/same") + message("GET", "/x"))

        got, headed = await wire.answer(), await wire.answer("HEAD")

        assert headed.headers["content-length"] == got.headers["content-length"] == "5"
        assert (await wire.answer()).body == b"/x"


@pytest.mark.parametrize(
    "request_bytes",
    [
        message("GET", "/last", b"", "Connection: close"),
        b"GET /last HTTP/1.0\r\n\r\n",
    ],
)
async def test_a_connection_ends_where_the_client_says_so(request_bytes: bytes) -> None:
    async with serving(careless) as served:
        wire = await served.connect()
        await wire.send(request_bytes + message("GET", "/never"))

        answer = await wire.answer()

        assert (answer.body, answer.headers["connection"]) == (b"/last", "close")
        assert await wire.rest() == b""


# Bodies.


async def test_the_app_is_called_when_the_head_is_complete() -> None:
    called = asyncio.Event()

    async def app(request: Request) -> Response:
        called.set()
        return await echo(request)

    async with serving(app) as served:
        wire = await served.connect()
        data = message("POST", "/", b"later")
        await wire.send(data[:-5])
        await called.wait()

        await wire.send(b"lat")
        await wire.send(b"er")

        assert (await wire.answer()).body == b"POST / later"


async def test_a_body_that_was_not_read_is_skipped_if_it_is_here() -> None:
    async with serving(careless) as served:
        wire = await served.connect()
        await wire.send(message("POST", "/one", message("GET", "/hidden")) + message("GET", "/two"))

        assert (await wire.answer()).body == b"/one"
        assert (await wire.answer()).body == b"/two"


async def test_a_body_that_was_not_read_and_is_not_here_ends_the_connection() -> None:
    async with serving(careless) as served:
        wire = await served.connect()
        await wire.send(message("POST", "/one", b"body")[:-1])

        assert (await wire.answer()).headers["connection"] == "close"
        assert await wire.rest() == b""


async def test_a_client_that_asks_is_told_to_send_its_body() -> None:
    async with serving(echo) as served:
        wire = await served.connect()
        data = message("POST", "/", b"body", "Expect: 100-continue")
        await wire.send(data[:-4])
        assert (await wire.answer()).status == 100

        await wire.send(b"bo")
        await wire.send(b"dy" + message("GET", "/next"))

        assert (await wire.answer()).body == b"POST / body"  # told once
        assert (await wire.answer()).body == b"GET /next "


async def test_a_client_that_does_not_wait_is_not_told_to_go_on() -> None:
    async with serving(echo) as served:
        wire = await served.connect()
        await wire.send(message("POST", "/", b"body", "Expect: 100-continue"))
        assert (await wire.answer()).body == b"POST / body"


async def test_a_request_that_is_refused_by_its_head_costs_no_body() -> None:
    async def refuse(request: Request) -> Response:
        raise NotFound("nothing here")

    async with serving(guarded(refuse)) as served:
        wire = await served.connect()
        await wire.send(message("POST", "/", b"body", "Expect: 100-continue")[:-4])

        answer = await wire.answer()

        assert (answer.status, answer.headers["connection"]) == (404, "close")


# Bodies in chunks.


def in_chunks(target: str, *pieces: bytes, end: bytes = LAST_CHUNK) -> bytes:
    """Return a POST whose body comes in chunks."""
    head = f"POST {target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head.encode() + b"".join(map(encode_chunk, pieces)) + end


async def test_a_body_in_chunks_is_read_and_the_next_request_follows() -> None:
    async with serving(echo) as served:
        wire = await served.connect()
        data = in_chunks("/one", b"a", b"bc", end=b"0;x\r\nA: b\r\n\r\n") + in_chunks("/two")
        await wire.send(data + message("GET", "/three"))
        for body in b"POST /one abc", b"POST /two ", b"GET /three ":
            assert (await wire.answer()).body == body

        for byte in data:
            await wire.send(bytes([byte]))
        assert (await wire.answer()).body == b"POST /one abc"
        assert (await wire.answer()).body == b"POST /two "


async def test_a_body_in_chunks_that_was_not_read_is_skipped_if_it_is_here() -> None:
    async with serving(careless) as served:
        wire = await served.connect()
        await wire.send(in_chunks("/one", message("GET", "/hidden")) + message("GET", "/two"))

        assert (await wire.answer()).body == b"/one"
        assert (await wire.answer()).body == b"/two"


@pytest.mark.parametrize("end", [b"", b"0\r\n\r", b"5\r\nhel", b"G@RBAGE\r\n\r\n"])
async def test_a_body_in_chunks_that_was_not_read_and_has_no_end_ends_the_connection(
    end: bytes,
) -> None:
    async with serving(careless) as served:
        wire = await served.connect()
        await wire.send(in_chunks("/one", b"body", end=end))

        answer = await wire.answer()
        assert (answer.body, answer.headers["connection"]) == (b"/one", "close")
        assert await wire.rest() == b""


@pytest.mark.parametrize("end", [b"\n", b"-1\r\n", b"0x1\r\n", b"1\r\n\r\n0", b"0\r\nA\r\n"])
async def test_a_body_that_is_not_chunked_as_it_says_is_refused(end: bytes) -> None:
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        await wire.send(in_chunks("/", b"body", end=end) + message("GET", "/hidden"))

        answer = await wire.answer()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert await wire.rest() == b""


async def test_what_was_refused_of_a_body_is_not_looked_at_again() -> None:
    """A line end where the third byte of a chunk should be: no end of this body may follow."""
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        await wire.send(in_chunks("/", end=b"3\r\nab"))
        await until(lambda: is_waiting(served.connection) and has_unread(served.connection, 0))
        await wire.send(b"\r\n0\r\n\r\n" + message("GET", "/hidden"))

        answer = await wire.answer()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert await wire.rest() == b""


async def test_a_client_that_ends_inside_a_body_in_chunks_is_told() -> None:
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        await wire.send(in_chunks("/", b"body", end=b"0\r\n"))
        wire.end()

        assert (await wire.answer()).status == 400
        assert await wire.rest() == b""


async def test_a_client_that_asks_is_told_to_send_its_chunks() -> None:
    async with serving(echo) as served:
        wire = await served.connect()
        head = in_chunks("/", end=b"").removesuffix(b"\r\n") + b"Expect: 100-continue\r\n\r\n"
        await wire.send(head)
        assert (await wire.answer()).status == 100

        await wire.send(encode_chunk(b"bo"))
        await wire.send(encode_chunk(b"dy") + LAST_CHUNK + message("GET", "/next"))

        assert (await wire.answer()).body == b"POST / body"  # told once
        assert (await wire.answer()).body == b"GET /next "


async def test_a_body_in_chunks_is_not_read_before_the_handler_wants_it() -> None:
    wanted = asyncio.Event()

    async def app(request: Request) -> Response:
        await wanted.wait()
        return await echo(request)

    async with serving(app) as served:
        wire = await served.connect()
        sending = asyncio.create_task(wire.send(in_chunks("/", *[b"x" * 1_000] * 1_000)))
        await until(lambda: not served.connection.transport.is_reading())
        assert served.connection._parser.unread <= READ_AHEAD + MOST_READ_AT_ONCE

        wanted.set()

        assert len((await wire.answer()).body) == len("POST / ") + 1_000_000
        await sending


# Answers that are made while they are sent.


class Stream:
    """An app whose answers are streams. It notes how far one was driven, and how it ended."""

    def __init__(self, pieces: Iterable[bytes], error: Exception | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.made = 0
        self.ended: list[str] = []  # the paths whose streams are over, for whatever reason
        self.logged: list[int] = []  # bytes of an answer, as the log is told
        self.kept: list[AsyncGenerator[bytes, None]] = []  # so that nobody else ends them

    async def __call__(self, request: Request) -> Response:
        if request.path == "/now":
            return await echo(request)
        request.on_sent = lambda _, __, sent: self.logged.append(sent)
        self.kept.append(generator := self.make(request.path))
        return Response(200, generator, {"X-Made": "yes"}, "text/plain")

    async def make(self, path: str) -> AsyncGenerator[bytes, None]:
        try:
            for piece in self.pieces:
                self.made += 1
                yield piece
            if self.error is not None:
                raise self.error
        finally:
            self.ended.append(path)


async def cut_off(wire: Wire) -> bytes:
    """Return what comes until the connection ends, if by a reset."""
    with suppress(ConnectionError):
        return await wire.rest()
    return wire._buffer


async def test_a_stream_is_sent_in_chunks_and_the_next_request_follows() -> None:
    stream = Stream([b"one", b"x" * 300])
    async with serving(stream) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/stream") + message("GET", "/now"))
        head, chunks = await wire._until(b"\r\n\r\n"), await wire._until(b"HTTP/1.1 200 OK")

        assert b"\r\nTransfer-Encoding: chunked" in head
        assert b"\r\nX-Made: yes" in head
        assert b"\r\nContent-Type: text/plain" in head
        assert b"\r\nConnection: keep-alive" in head
        assert b"Content-Length" not in head
        assert chunks == b"3\r\none\r\n12c\r\n" + b"x" * 300 + b"\r\n0\r\n\r\n"
        assert stream.ended == ["/stream"]
        assert stream.logged == [303]  # without what frames the chunks


async def test_a_stream_without_pieces_is_an_empty_body() -> None:
    async with serving(Stream([])) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/stream") + message("GET", "/now"))
        assert (await wire.answer()).body == b""
        assert (await wire.answer()).body == b"GET /now "


async def test_the_last_answer_of_a_connection_may_be_a_stream() -> None:
    async with serving(Stream([b"one"])) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/stream", b"", "Connection: close"))
        received = await wire.rest()
        assert b"\r\nConnection: close\r\n" in received
        assert received.endswith(b"\r\n\r\n3\r\none\r\n0\r\n\r\n")


@pytest.mark.parametrize("lines", [b"", b"Connection: keep-alive\r\n"])
async def test_a_client_of_1_0_gets_no_chunks_and_knows_the_end_by_the_connection(
    lines: bytes,
) -> None:
    stream = Stream([b"one", b"two"])
    async with serving(stream) as served:
        wire = await served.connect()
        await wire.send(b"GET /stream HTTP/1.0\r\n" + lines + b"\r\n" + message("GET", "/now"))
        head, _, body = (await wire.rest()).partition(b"\r\n\r\n")

        assert b"Transfer-Encoding" not in head
        assert b"Content-Length" not in head
        assert b"\r\nConnection: close" in head
        assert body == b"onetwo"
        assert stream.logged == [6]


async def test_head_is_answered_like_get_and_nothing_is_made() -> None:
    stream = Stream([b"one"])
    async with serving(stream) as served:
        wire = await served.connect()
        await wire.send(message("HEAD", "/stream") + message("GET", "/stream"))
        headed, got = await wire.answer("HEAD"), await wire.answer()

        assert {**headed.headers, "date": ""} == {**got.headers, "date": ""}
        assert got.body == b"one"
        assert stream.made == 1  # for GET
        assert stream.logged == [0, 3]


async def test_a_client_that_sent_its_end_still_gets_the_whole_stream() -> None:
    async with serving(Stream([b"x" * 100_000] * 100)) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/stream"))
        wire.end()
        assert len((await wire.answer()).body) == 10_000_000
        assert await wire.rest() == b""


async def test_a_stream_that_fails_is_cut_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """It must not end like a whole one: nothing follows the pieces that were sent."""
    stream = Stream([b"one", b"two"], RuntimeError("a bug"))
    async with serving(stream) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/bad") + message("GET", "/now"))

        received = await cut_off(wire)

        assert received.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n")
        assert stream.logged == [6]
        await until(lambda: not served.server.connections)
    [record] = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "'/bad' failed midway")
    assert "RuntimeError: a bug" in caplog.text


@pytest.mark.usefixtures("caplog")
async def test_a_stream_that_fails_while_its_reader_has_stopped_is_cut_at_once() -> None:
    stream = Stream([b"x" * 30_000_000], RuntimeError("a bug"))
    async with serving(stream) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/bad"))
        await until(lambda: is_waiting(served.connection))
        assert stream.ended == []

        # It goes on when enough was taken. The reset may overtake the last bytes.
        with suppress(ConnectionResetError):
            while not stream.ended:
                await wire._more()

        await until(lambda: not served.server.connections)
        assert LAST_CHUNK not in await cut_off(wire)


@pytest.mark.parametrize("leave", [Wire.reset, Wire.close])
async def test_a_client_that_leaves_ends_the_stream(leave: Callable[[Wire], None]) -> None:
    """At once, and not when the garbage collector finds it; whatever its cleaning up is."""
    stream = Stream(repeat(b"x" * 100_000))
    async with serving(stream) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/stream"))
        await until(lambda: is_waiting(served.connection))
        assert stream.ended == []

        leave(wire)

        await until(lambda: not served.server.connections and not is_streaming())
        assert stream.ended == ["/stream"]
        assert stream.logged == [stream.made * 100_000]


def is_streaming() -> bool:
    """Return whether a server still answers with a stream."""
    return any("_serve" in repr(task) for task in asyncio.all_tasks())


async def test_a_client_that_leaves_ends_a_stream_that_waits_for_something() -> None:
    waiting, cancelled = asyncio.Event(), asyncio.Event()

    async def pieces() -> AsyncGenerator[bytes, None]:
        yield b"one"
        try:
            waiting.set()
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def app(request: Request) -> Response:
        return Response(200, pieces())

    async with serving(app) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/stream"))
        await waiting.wait()

        wire.reset()

        await cancelled.wait()
        await until(lambda: not served.server.connections)


async def test_a_reader_that_stops_suspends_the_stream() -> None:
    """No piece is made while more than the high-water mark is unsent. Others are served."""
    unsent: list[int] = []  # bytes in our buffer when a piece is made

    def pieces() -> Iterator[bytes]:
        for _ in range(600):
            unsent.append(streaming.transport.get_write_buffer_size())
            yield b"x" * 50_000

    stream = Stream(pieces())
    async with serving(stream) as served:
        wire = await served.connect()
        streaming = served.connection
        await wire.send(message("GET", "/stream"))
        await until(lambda: is_waiting(streaming))
        made = stream.made
        assert made < 600
        other = await served.connect()
        for _ in range(50):
            assert await ask(other, "/now") == b"GET /now "
        assert stream.made == made

        assert len((await wire.answer()).body) == 600 * 50_000

        assert len(unsent) == stream.made == 600
        assert max(unsent) <= HIGH_WATER


async def test_a_reader_that_is_fast_does_not_keep_the_others_waiting() -> None:
    """There is a turn of the event loop between two pieces, though nothing has to be waited for."""
    seen: list[str] = []

    async def pieces() -> AsyncGenerator[bytes, None]:
        await other.send(message("GET", "/other"))
        for _ in range(50):
            yield b"x"
        seen.append("/stream is made")

    async def app(request: Request) -> Response:
        seen.append(request.path)
        return Response(200, pieces() if request.path == "/stream" else b"")

    async with serving(app) as served:
        wire, other = await served.connect(), await served.connect()
        await wire.send(message("GET", "/stream"))
        await wire.answer()
        await other.answer()
    assert seen == ["/stream", "/other", "/stream is made"]


async def test_a_reader_that_stops_for_too_long_is_dropped_and_its_stream_ends() -> None:
    stream = Stream(repeat(b"x" * 100_000))
    async with serving(stream) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/stream"))
        await until(lambda: is_waiting(served.connection))

        await later(served, 0)
        await later(served, 29.9)
        assert served.server.connections
        assert stream.ended == []
        await later(served, 30.1)

        await until(lambda: not served.server.connections and not is_streaming())
        assert stream.ended == ["/stream"]
        assert stream.logged == [stream.made * 100_000]


async def test_a_stream_may_take_longer_than_any_deadline() -> None:
    """If its reader takes some of it now and then."""
    stream = Stream(repeat(b"x" * 100_000))
    async with serving(stream) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/stream"))
        await until(lambda: is_waiting(served.connection))
        for turn in range(1, 5):
            await later(served, turn * 29)
            made = stream.made
            while stream.made == made:
                await wire._more()
            await until(lambda: is_waiting(served.connection))
        assert stream.ended == []


async def test_stop_ends_streams() -> None:
    stream = Stream(repeat(b"x" * 100_000))
    async with serving(stream) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/stream"))
        await until(lambda: is_waiting(served.connection))

        await served.server.stop()

        await until(lambda: not served.server.connections and not is_streaming())
        assert stream.ended == ["/stream"]


# Ends.


async def test_a_client_that_sent_its_end_still_gets_its_answers() -> None:
    gate = Gate()
    async with serving(gate) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/slow") + message("GET", "/now") + b"\r\n")
        wire.end()
        await until(lambda: gate.begun)

        gate.opened.set()

        assert (await wire.answer()).body == b"GET /slow "
        assert (await wire.answer()).body == b"GET /now "
        assert await wire.rest() == b""
        await until(lambda: not served.server.connections)


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
async def test_a_client_that_ends_between_requests_is_let_go(sent: bytes) -> None:
    async with serving(careless) as served:
        wire = await served.connect()
        await wire.send(sent)
        wire.end()

        assert await wire.rest() == b""
        await until(lambda: not served.server.connections)


@pytest.mark.parametrize("size", [1, 20, len(message("POST", "/", b"body")) - 1])
async def test_a_client_that_ends_inside_a_request_is_told(size: int) -> None:
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        await wire.send(message("POST", "/", b"body")[:size])
        wire.end()

        assert (await wire.answer()).status == 400
        assert await wire.rest() == b""


@pytest.mark.parametrize("sent", [message("GET", "/slow"), message("POST", "/now", b"body")[:-1]])
async def test_a_client_that_leaves_takes_its_request_with_it(sent: bytes) -> None:
    """Whether the handler waits for something of its own, or for the body."""
    gate = Gate()
    async with serving(gate) as served:
        wire = await served.connect()
        await wire.send(sent)
        await until(lambda: gate.begun)

        wire.reset()

        await until(lambda: gate.cancelled)
        await until(lambda: not served.server.connections)
        assert gate.cancelled == gate.begun


async def test_a_client_that_leaves_between_requests_is_forgotten() -> None:
    async with serving(echo) as served:
        wires = [await served.connect() for _ in range(3)]
        for wire in wires:
            await ask(wire, "/")
        assert len(served.server.connections) == 3

        wires[0].close()
        wires[1].reset()

        await until(lambda: len(served.server.connections) == 1)
        assert await ask(wires[2], "/still") == b"GET /still "


# What a client leaves behind.


@pytest.fixture
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="no request"),
        pytest.param(message("GET", "/now") + b"GET /", id="half a head"),
        pytest.param(message("GET", "/slow"), id="a handler that waits"),
        pytest.param(message("POST", "/now", b"body" * 100_000)[:-1], id="half a body"),
        pytest.param(message("GET", "/slow") + message("GET", "/now") * 9, id="pipelined"),
        pytest.param(message("POST", "/now", b"body", "Connection: close"), id="a final response"),
    ],
)
async def test_a_connection_is_freed_at_once_without_the_cycle_collector(sent: bytes) -> None:
    gate = Gate()
    async with serving(gate) as served:
        wire = await served.connect()
        await wire.send(sent)
        await until(lambda: gate.begun or len(sent) < 10)
        reference = weakref.ref(served.connection)

        wire.reset()

        await until(lambda: reference() is None)


class Pieces(list[bytes]):
    """A body in pieces to which there can be weak references."""


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_response_that_is_not_read_is_freed_at_once(method: str) -> None:
    references: list[weakref.ref[object]] = []

    async def app(request: Request) -> Response:
        await request.read()
        body = Pieces([b"x" * 10_000] * 1_000)
        references.append(weakref.ref(body))
        return Response(200, body)

    async with serving(app) as served:
        for _ in range(3):
            wire = await served.connect()
            references.append(weakref.ref(served.connection))
            await wire.send(message(method, "/", b"body") * 2)
            await wire._more()

            wire.close()

            await until(lambda: not any(reference() for reference in references))


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("sent", [b"G@RBAGE", message("GET", "/") * 9 + b"G@RBAGE"])
async def test_a_refused_head_keeps_nothing_alive(sent: bytes) -> None:
    """Neither the request that carries the refusal, nor the bytes after the bad ones."""
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        parts: list[object] = [served.connection, served.connection._parser]
        references = [weakref.ref(part) for part in parts]
        parts.clear()
        await wire.send(sent + b"\r\n\r\n" + b"x" * 10_000)
        while (await wire.answer()).status != 400:
            pass

        wire.reset()

        await until(lambda: not any(reference() for reference in references))


@pytest.mark.usefixtures("_no_collector")
async def test_an_import_that_failed_is_freed_at_once() -> None:
    async def app(request: Request) -> Response:
        async with aclosing(lines_of(request)) as lines:
            async for _ in lines:
                pass
        return Response(200)

    async with serving(guarded(app)) as served:
        wire = await served.connect()
        parts: list[object] = [served.connection, served.connection._parser]
        references = [weakref.ref(part) for part in parts]
        parts.clear()
        await wire.send(message("POST", "/", b"x" * (MAX_LINE + 1)))
        assert (await wire.answer()).status == 413

        wire.reset()

        await until(lambda: not any(reference() for reference in references))


async def test_a_handler_that_swallows_its_cancellation_is_the_last_of_its_client() -> None:
    begun: list[str] = []

    async def app(request: Request) -> Response:
        begun.append(request.path)
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return Response(200)

    async with serving(app) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/first") + message("GET", "/second"))
        await until(lambda: begun)

        wire.reset()

        await until(lambda: not served.server.connections)
        for _ in range(5):
            await asyncio.sleep(0)
        assert begun == ["/first"]


async def test_a_stream_that_swallows_its_cancellation_is_the_last_of_its_client() -> None:
    begun: list[str] = []

    async def pieces() -> AsyncGenerator[bytes, None]:
        yield b"x"
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    async def app(request: Request) -> Response:
        begun.append(request.path)
        return Response(200, pieces())

    async with serving(app) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/first") + message("GET", "/second"))
        await wire._more()

        wire.reset()

        await until(lambda: not served.server.connections)
        for _ in range(5):
            await asyncio.sleep(0)
        assert begun == ["/first"]


@pytest.mark.parametrize("swallows", [False, True])
async def test_a_request_whose_client_left_has_the_status_499(swallows: bool) -> None:
    entries: list[AccessEntry] = []
    gate = Gate()

    async def app(request: Request) -> Response:
        with suppress(*[asyncio.CancelledError] * swallows):
            return await gate(request)
        return Response(200)

    async with serving(RequestLog([entries.append], app)) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/slow"))
        await until(lambda: gate.begun)

        wire.reset()

        await until(lambda: entries)
    assert [(entry.path, entry.status, entry.sent) for entry in entries] == [("/slow", 499, 0)]


async def test_a_response_that_is_not_taken_has_its_own_status_in_the_log() -> None:
    entries: list[AccessEntry] = []
    async with serving(RequestLog([entries.append], lambda request: big())) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/big"))
        await until(lambda: served.connection.transport.get_write_buffer_size() > HIGH_WATER)

        wire.reset()

        await until(lambda: entries)
    [entry] = entries
    assert entry.status == 200
    assert 0 < entry.sent < 30_000_000


async def test_a_client_that_has_gone_already_has_no_address() -> None:
    opened: list[Connection] = []
    connection = Connection(echo, PATIENT, opened.append, lambda _: None)

    connection.connection_made(asyncio.Transport())  # it knows nothing about its socket

    assert opened == [connection]


# Backpressure.


@pytest.mark.parametrize(
    "each", [message("POST", "/now", b"x" * 100_000), message("GET", "/now?" + "x" * 10_000)]
)
async def test_a_client_that_sends_faster_than_it_is_served_is_paused(each: bytes) -> None:
    gate = Gate()
    async with serving(gate) as served:
        wire = await served.connect()
        sending = asyncio.create_task(wire.send(message("GET", "/slow") + each * 100))
        await until(lambda: gate.begun and not served.connection.transport.is_reading())

        held = served.connection._parser.unread
        assert READ_AHEAD < held <= READ_AHEAD + MOST_READ_AT_ONCE
        assert gate.begun == ["/slow"]

        gate.opened.set()

        assert (await wire.answer()).body == b"GET /slow "
        for _ in range(100):
            assert (await wire.answer()).status == 200
        await sending
        assert gate.begun == ["/slow"] + ["/now"] * 100


async def test_a_body_is_not_read_before_the_handler_wants_it() -> None:
    wanted = asyncio.Event()

    async def app(request: Request) -> Response:
        await wanted.wait()
        return await echo(request)

    async with serving(app) as served:
        wire = await served.connect()
        sending = asyncio.create_task(wire.send(message("POST", "/", b"x" * 1_000_000)))
        await until(lambda: not served.connection.transport.is_reading())
        assert served.connection._parser.unread <= READ_AHEAD + MOST_READ_AT_ONCE

        wanted.set()

        assert len((await wire.answer()).body) == len("POST / ") + 1_000_000
        await sending


async def test_a_client_that_does_not_read_is_not_served_further() -> None:
    unsent: list[int] = []  # bytes in our buffer when a request begins

    async def app(request: Request) -> Response:
        unsent.append(served.connection.transport.get_write_buffer_size())
        return Response(200, b"x" * 1_000_000)

    async with serving(app) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/") * 50)
        await until(lambda: served.connection.transport.get_write_buffer_size() > HIGH_WATER)

        for _ in range(50):
            assert len((await wire.answer()).body) == 1_000_000

        assert len(unsent) == 50
        assert max(unsent) <= HIGH_WATER


async def test_a_body_in_pieces_is_sent_without_being_joined() -> None:
    piece = b"x" * 1_000

    async def app(request: Request) -> Response:
        return Response(200, [piece] * 1_000)

    async with serving(app) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/") * 2)

        for _ in range(2):
            assert (await wire.answer()).body == piece * 1_000


# The final response.

GARBAGE = b"G@RBAGE\r\n\r\n"


async def test_a_refusal_arrives_though_the_client_goes_on_sending() -> None:
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/good") + GARBAGE + message("GET", "/never") * 200_000)

        assert (await wire.answer()).body == b"GET /good "
        answer = await wire.answer()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert await wire.rest() == b""


async def test_a_refused_client_is_listened_to_until_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection_module, "LINGER_SECONDS", 1_000)
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        await wire.send(GARBAGE)
        assert (await wire.answer()).status == 400
        assert await wire.rest() == b""
        await wire.send(b"x" * 1_000_000)
        assert served.connection.transport.is_reading()
        assert served.connection._parser.unread <= len(GARBAGE)  # it is discarded

        wire.close()

        await until(lambda: not served.server.connections)


async def test_a_refused_client_that_stays_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "LINGER_SECONDS", 0.01)
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        await wire.send(GARBAGE)
        assert (await wire.answer()).status == 400

        await until(lambda: not served.server.connections)


class Reset:
    """A transport whose client has just gone, which the event loop has not noticed."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write_eof(self) -> None:
        raise OSError(errno.ENOTCONN, "the client is gone")


async def test_a_client_that_resets_before_our_last_word_is_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection_module, "LINGER_SECONDS", 0.01)
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        served.connection.transport = Reset(served.connection.transport)  # type: ignore[assignment]
        await wire.send(GARBAGE)
        assert (await wire.answer()).status == 400

        await until(lambda: not served.server.connections)


# Deadlines. A test tells a connection what time it is; only the sweeper looks at a clock.


class Clock:
    """An event loop whose time is what a test says."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ahead = 0.0  # seconds

    def time(self) -> float:
        return self._loop.time() + self.ahead

    def __getattr__(self, name: str) -> object:
        return getattr(self._loop, name)


def has_unread(connection: Connection, count: int) -> bool:
    """Return whether so many bytes of a head have arrived."""
    return connection._parser.unread == count


def has_left(connection: Connection, count: int) -> bool:
    """Return whether so many bytes of a body are still to come."""
    return connection._parser._body_left == count


def is_waiting(connection: Connection) -> bool:
    """Return whether a request waits for its client to send or to take something."""
    needs_input = connection._waiter is not None and not connection._waiter.done()
    return needs_input or connection._flow.is_paused


async def later(served: Serving, seconds: float) -> None:
    """Let the connections check their deadlines as if so many seconds had passed."""
    served.server._sweeper.cancel()  # from now on only the test checks
    for connection in list(served.server.connections):
        clock = Clock()
        clock.ahead = seconds
        connection._loop = cast(asyncio.AbstractEventLoop, clock)
        connection.check_deadline(clock.time())
    await asyncio.sleep(0)


@pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\nHost: a\r\n", b"\r\nGET /", b"\r"])
async def test_a_head_that_takes_too_long_is_refused(sent: bytes) -> None:
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        await wire.send(sent)
        await until(lambda: served.connection._parser.unread == len(sent))

        await later(served, 9.9)
        assert served.connection._serving is None
        await later(served, 10.1)

        answer = await wire.answer()
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert b"REQUEST_TIMEOUT" in answer.body
        assert await wire.rest() == b""


async def test_a_head_has_its_time_from_its_first_byte() -> None:
    """However slowly the rest drips in, and however long the connection was idle before."""
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        seconds = 29.0
        await later(served, seconds)
        for count, byte in enumerate(b"GET /dripping", start=1):
            assert served.connection._serving is None
            await wire.send(bytes([byte]))
            await until(partial(has_unread, served.connection, count))
            seconds += 0.8
            await later(served, seconds)

        assert (await wire.answer()).status == 408


async def test_a_body_that_takes_too_long_is_refused() -> None:
    gate = Gate()
    async with serving(guarded(gate)) as served:
        wire = await served.connect()
        await wire.send(message("POST", "/now", b"x" * 5_000)[:-4_999])
        await until(lambda: is_waiting(served.connection))

        await later(served, 9.9)
        assert is_waiting(served.connection)
        await later(served, 10.1)

        answer = await wire.answer()
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert await wire.rest() == b""


async def test_a_body_in_chunks_that_takes_too_long_is_refused() -> None:
    """Whether it stops inside a chunk, between two, or before its last line."""
    async with serving(guarded(echo)) as served:
        ends = [b"", b"5\r\nhel", b"5", b"5\r\nhello", b"0\r\n", b"0\r\nA: b\r\n"]
        wires = [await served.connect() for _ in ends]
        for wire, end in zip(wires, ends, strict=True):
            await wire.send(in_chunks("/", b"body", end=end))
        await until(lambda: all(map(is_waiting, served.server.connections)))

        await later(served, 9.9)
        assert all(map(is_waiting, served.server.connections))
        await later(served, 10.1)

        for wire in wires:
            answer = await wire.answer()
            assert (answer.status, answer.headers["connection"]) == (408, "close")
            assert await wire.rest() == b""


@pytest.mark.usefixtures("_no_collector")
async def test_a_body_that_took_too_long_is_freed_at_once() -> None:
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        parts: list[object] = [served.connection, served.connection._parser]
        references = [weakref.ref(part) for part in parts]
        parts.clear()
        await wire.send(message("POST", "/", b"x" * 1_000_000)[:-1])
        await until(lambda: has_left(served.connection, 1))
        await until(lambda: is_waiting(served.connection))
        await later(served, 10.1)
        await later(served, 20.2)
        assert (await wire.answer()).status == 408

        wire.reset()

        await until(lambda: not any(reference() for reference in references))


async def test_a_body_that_moves_may_take_longer() -> None:
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        data = message("POST", "/", b"x" * 5_000)
        await wire.send(data[:-4_999])
        await until(lambda: is_waiting(served.connection))
        for period, left in enumerate([4_999, 3_975, 2_951], start=1):
            await wire.send(data[-left:][:1_024])
            await until(partial(has_left, served.connection, left - 1_024))
            await later(served, 10.1 * period)

        await wire.send(data[-1_927:])

        assert (await wire.answer()).body == b"POST / " + b"x" * 5_000


async def test_a_body_deadline_does_not_count_the_time_of_the_handler() -> None:
    """Here the handler is busy between two pieces of the body."""
    busy = asyncio.Event()

    async def app(request: Request) -> Response:
        await request.receive()
        await busy.wait()
        return await echo(request)

    async with serving(guarded(app)) as served:
        wire = await served.connect()
        data = message("POST", "/", b"body")
        await wire.send(data[:-4])
        await until(lambda: is_waiting(served.connection))
        await wire.send(data[-4:-1])
        await until(lambda: not is_waiting(served.connection))
        await later(served, 9.9)
        await later(served, 1_000)

        busy.set()
        await until(lambda: is_waiting(served.connection))
        await later(served, 1_009)
        await wire.send(data[-1:])

        assert (await wire.answer()).status == 200


async def test_a_handler_may_take_as_long_as_it_likes() -> None:
    gate = Gate()
    async with serving(guarded(gate)) as served:
        wire = await served.connect()
        data = message("POST", "/slow", b"body")
        await wire.send(data[:-4])
        await until(lambda: gate.begun)
        await later(served, 1e6)  # nobody has asked for the body yet
        await wire.send(data[-4:])
        gate.opened.set()
        assert (await wire.answer()).body == b"POST /slow body"

        gate.opened.clear()
        await wire.send(data)
        await until(lambda: len(gate.begun) == 2)
        await later(served, 1e6)
        gate.opened.set()
        assert (await wire.answer()).body == b"POST /slow body"


@pytest.mark.parametrize("sent", [b"", b"\r\n", message("GET", "/first")])
async def test_a_connection_without_a_request_is_closed(sent: bytes) -> None:
    """A new one and one that was kept alive alike, and without a word."""
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        await wire.send(sent)
        if sent.startswith(b"GET"):
            await wire.answer()
        await until(lambda: served.connection._parser.unread == (2 if sent == b"\r\n" else 0))

        await later(served, 74.9)
        assert not served.connection.transport.is_closing()
        await later(served, 75.1)

        assert await wire.rest() == b""
        await until(lambda: not served.server.connections)


async def test_a_client_that_takes_nothing_is_dropped() -> None:
    async with serving(lambda request: big()) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/"))
        await until(lambda: served.connection.transport.get_write_buffer_size() > HIGH_WATER)

        await later(served, 0)
        await later(served, 29.9)
        assert served.server.connections
        await later(served, 30.1)

        await until(lambda: not served.server.connections)


class Dripping:
    """A transport whose client takes a little of a response, as the test says."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.taken = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size() - self.taken


@pytest.mark.parametrize(("count", "is_enough"), [(1, False), (65_535, False), (65_536, True)])
async def test_a_client_must_take_64_kib_in_every_timeout(count: int, is_enough: bool) -> None:
    async with serving(lambda request: big()) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/"))
        transport = served.connection.transport
        await until(lambda: transport.get_write_buffer_size() > HIGH_WATER)
        dripping = Dripping(transport)
        served.connection.transport = dripping  # type: ignore[assignment]
        await later(served, 0)
        for seconds in 29, 29.9:
            dripping.taken = count
            await later(served, seconds)

        await later(served, 30.1)

        assert transport.is_closing() is not is_enough


async def test_the_rest_of_a_response_must_be_taken_too() -> None:
    """Even if it is so short that the request has ended for the server."""
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        await ask(wire, "/")
        dripping = Dripping(served.connection.transport)
        dripping.taken = -5
        served.connection.transport = dripping  # type: ignore[assignment]

        await later(served, 0)
        await later(served, 29.9)
        assert served.server.connections
        await later(served, 30.1)

        await until(lambda: not served.server.connections)


async def big() -> Response:
    """Answer with more than the kernel takes at once."""
    return Response(200, b"x" * 30_000_000)


async def test_a_refused_client_that_takes_nothing_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection_module, "LINGER_SECONDS", 1_000)
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        await wire.send(GARBAGE)
        assert (await wire.answer()).status == 400

        await later(served, 0)
        await later(served, 30.1)

        await until(lambda: not served.server.connections)


# Faults of our own.


async def test_a_handler_that_fails_answers_500_and_leaks_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(request: Request) -> Response:
        if request.path == "/bug":
            raise RuntimeError("a secret of the server")
        return await echo(request)

    async with serving(guarded(fail)) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/bug"))
        answer = await wire.answer()

        assert answer.status == 500
        assert b"secret" not in answer.body
        assert b"RuntimeError" not in answer.body
        assert await ask(wire, "/next") == b"GET /next "  # the connection is as good as before

    [record] = caplog.records
    assert record.levelno == logging.ERROR
    request_id = answer.headers["x-request-id"]
    assert record.getMessage() == f"GET '/bug' failed (request {request_id})"
    assert "a secret of the server" in caplog.text
