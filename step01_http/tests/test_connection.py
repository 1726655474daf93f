"""The connection, over real sockets: order, ends, backpressure, and clients that misbehave."""

import asyncio
import errno
import gc
import logging
import weakref
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from over_socket import Gate, ask, careless, echo, message, serving, until

from taskflow import connection as connection_module
from taskflow.connection import READ_AHEAD
from taskflow.errors import NotFound
from taskflow.http import Request, Response
from taskflow.middleware import ErrorBoundary

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

    async with serving(ErrorBoundary(refuse)) as served:
        wire = await served.connect()
        await wire.send(message("POST", "/", b"body", "Expect: 100-continue")[:-4])

        answer = await wire.answer()

        assert (answer.status, answer.headers["connection"]) == (404, "close")


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
    async with serving(ErrorBoundary(echo)) as served:
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
    async with serving(ErrorBoundary(echo)) as served:
        wire = await served.connect()
        parts: list[object] = [served.connection, served.connection._parser]
        references = [weakref.ref(part) for part in parts]
        parts.clear()
        await wire.send(sent + b"\r\n\r\n" + b"x" * 10_000)
        while (await wire.answer()).status != 400:
            pass

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
    async with serving(ErrorBoundary(echo)) as served:
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
    async with serving(ErrorBoundary(echo)) as served:
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
    async with serving(ErrorBoundary(echo)) as served:
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
    async with serving(ErrorBoundary(echo)) as served:
        wire = await served.connect()
        served.connection.transport = Reset(served.connection.transport)  # type: ignore[assignment]
        await wire.send(GARBAGE)
        assert (await wire.answer()).status == 400

        await until(lambda: not served.server.connections)


# Faults of our own.


async def test_a_handler_that_fails_answers_500_and_leaks_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(request: Request) -> Response:
        if request.path == "/bug":
            raise RuntimeError("a secret of the server")
        return await echo(request)

    async with serving(ErrorBoundary(fail)) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/bug"))
        answer = await wire.answer()

        assert answer.status == 500
        assert b"secret" not in answer.body
        assert b"RuntimeError" not in answer.body
        assert await ask(wire, "/next") == b"GET /next "  # the connection is as good as before

    [record] = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "GET '/bug' failed")
    assert "a secret of the server" in caplog.text
