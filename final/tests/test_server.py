"""The server: how it listens, what the kernel holds for its clients, and how it stops."""

import asyncio
import errno
import gc
import socket
import ssl
import weakref
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import pytest
from over_socket import (
    PATIENT,
    Gate,
    Serving,
    Wire,
    ask,
    echo,
    guarded,
    message,
    server_tasks,
    serving,
    until,
)

from taskflow import connection as connection_module
from taskflow import server as server_module
from taskflow.connection import Connection
from taskflow.connection_state import State
from taskflow.deadlines import Timeouts
from taskflow.http import Handler, Request, Response
from taskflow.server import SEND_BUFFER, Server

ROOM = 8 * 1024 * 1024  # bytes: more than a kernel holds for a client with a small buffer


async def test_a_port_in_use_is_an_error() -> None:
    async with serving(echo) as served:
        other = Server(echo, 1000, PATIENT)
        with pytest.raises(OSError, match=str(served.port)):
            await other.start("127.0.0.1", served.port)


class RacingLoop:
    """An event loop in which another program takes the port between `bind` and `listen`."""

    def __init__(self, other: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._other = other

    async def create_server(self, *arguments: Any, **options: Any) -> asyncio.Server:
        listener = await self._loop.create_server(*arguments, **options)
        self._other.listen()
        return listener


async def test_a_port_that_another_server_just_took_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        server = Server(echo, 1000, PATIENT)
        racing = RacingLoop(other)
        monkeypatch.setattr(asyncio, "get_running_loop", lambda: racing)
        with pytest.raises(OSError) as failed:
            await server.start(*other.getsockname())
        assert failed.value.errno == errno.EADDRINUSE
        server.close()


# What the kernel holds.


async def large(request: Request) -> Response:
    """Answer with more than fits anywhere."""
    return Response(200, b"x" * ROOM)


async def streamed(request: Request) -> Response:
    """Answer with the same, a piece at a time."""

    async def pieces() -> AsyncGenerator[bytes, None]:
        for _ in range(ROOM // 65_536):
            yield b"x" * 65_536

    return Response(200, pieces())


def slow_socket(port: int) -> socket.socket:
    """Return a client's socket into which little fits."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
    client.connect(("127.0.0.1", port))
    client.setblocking(False)
    return client


async def test_the_kernel_holds_little_for_a_client_that_does_not_read() -> None:
    sent: list[bytes] = []

    async def counted(request: Request) -> Response:
        async def pieces() -> AsyncGenerator[bytes, None]:
            while True:
                sent.append(b"x" * 65_536)
                yield sent[-1]

        return Response(200, pieces())

    async with serving(counted) as served:
        with slow_socket(served.port) as client:
            client.send(message("GET", "/"))
            await until(lambda: served.server.connections and served.connection._flow.is_paused)
            transport = served.connection.transport
            set_to = transport.get_extra_info("socket").getsockopt(
                socket.SOL_SOCKET, socket.SO_SNDBUF
            )
            in_kernel = len(sent) * 65_536 - transport.get_write_buffer_size()

    assert set_to in (SEND_BUFFER, 2 * SEND_BUFFER)  # Linux doubles it, for its own needs
    assert in_kernel < 1024 * 1024


async def read_slowly(
    app: Handler, tls: ssl.SSLContext | None = None, trust: ssl.SSLContext | None = None
) -> None:
    """Read about 100 KB in a second, for longer than the write timeout of two seconds."""
    async with serving(app, timeouts=Timeouts(write=2.0), tls=tls) as served:
        name = None if trust is None else "localhost"
        reader, writer = await asyncio.open_connection(
            sock=slow_socket(served.port), limit=16_384, ssl=trust, server_hostname=name
        )
        if trust is not None:  # the client's own buffer is so large that it would read in gulps
            writer.transport.set_read_buffer_limits(16_384)  # type: ignore[attr-defined]
        writer.write(message("GET", "/"))
        loop = asyncio.get_running_loop()
        began, received = loop.time(), 0
        try:
            while loop.time() < began + 4:
                piece = await reader.read(10_000)
                assert piece, f"cut after {loop.time() - began:.1f} s"
                received += len(piece)
                await asyncio.sleep(began + received / 100_000 - loop.time())  # its pace
            assert served.server.connections
        finally:
            writer.transport.abort()


async def test_a_slow_reader_that_goes_on_reading_is_not_cut() -> None:
    async with asyncio.TaskGroup() as together:
        together.create_task(read_slowly(large))
        together.create_task(read_slowly(streamed))


# How it stops.


def stopping(served: Serving, grace: float = 1_000) -> asyncio.Task[None]:
    """Begin to stop."""
    return asyncio.create_task(served.server.stop(grace))


async def is_stopping(served: Serving) -> None:
    """Return when nobody new is let in."""
    await until(lambda: served.server.is_stopping)


async def test_a_stop_closes_idle_connections_at_once() -> None:
    async with serving(echo) as served:
        new, used = await served.connect(), await served.connect()
        await ask(used, "/")

        await served.server.stop(1_000)

        assert await new.rest() == await used.rest() == b""
        with pytest.raises(ConnectionRefusedError):
            Wire(served.port)


async def test_a_stop_lets_a_request_finish() -> None:
    gate = Gate()
    async with serving(gate) as served:
        busy = await served.connect()
        await busy.send(message("GET", "/slow") + message("GET", "/never"))
        await until(lambda: gate.begun)
        stop = stopping(served)
        await is_stopping(served)

        gate.opened.set()

        answer = await busy.answer()
        assert (answer.body, answer.headers["connection"]) == (b"GET /slow ", "close")
        assert await busy.rest() == b""
        busy.close()
        await stop
        assert gate.begun == ["/slow"]


@pytest.mark.parametrize("sent", [b"POST / HTTP", message("POST", "/", b"body")[:-3]])
async def test_a_stop_lets_a_request_arrive(sent: bytes) -> None:
    """Whose head or body has begun."""
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        await wire.send(sent)
        await until(lambda: served.connection._parser.unread or served.connection._serving)
        stop = stopping(served)
        await is_stopping(served)

        await wire.send(message("POST", "/", b"body")[len(sent) :])

        answer = await wire.answer()
        assert (answer.body, answer.headers["connection"]) == (b"POST / body", "close")
        wire.close()
        await stop


async def test_a_stop_lets_a_stream_end() -> None:
    async with serving(streamed) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/"))
        await until(lambda: served.connection._flow.is_paused)
        stop = stopping(served)
        await is_stopping(served)

        data = await wire.rest()

        assert data.endswith(b"\r\n0\r\n\r\n")
        wire.close()
        await stop


async def test_an_answer_that_was_promised_more_is_the_last_one_all_the_same() -> None:
    """Its head said keep-alive, before anybody knew of the stop."""
    async with serving(large) as served:
        wire = await served.connect()
        await wire.send(message("GET", "/"))
        await until(lambda: served.connection._flow.is_paused)
        stop = stopping(served)
        await is_stopping(served)

        answer = await wire.answer()

        assert (len(answer.body), answer.headers["connection"]) == (ROOM, "keep-alive")
        assert await wire.rest() == b""
        wire.close()
        await stop


async def test_a_refusal_can_still_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "LINGER_SECONDS", 1_000)
    async with serving(guarded(echo)) as served:
        wire = await served.connect()
        await wire.send(b"G@RBAGE\r\n\r\n")
        await until(lambda: served.server.connections and served.connection._state is State.CLOSING)
        stop = stopping(served)
        await is_stopping(served)
        await wire.send(b"x" * 100_000)  # a socket that was closed would answer with a reset

        assert (await wire.answer()).status == 400
        wire.close()
        await stop


@pytest.mark.parametrize("busy", ["in a head", "in a handler", "in a body", "not reading"])
async def test_who_does_not_finish_in_time_is_dropped(busy: str) -> None:
    gate = Gate()
    app = large if busy == "not reading" else gate
    sent = {"in a head": b"GET", "in a body": message("POST", "/now", b"body")[:-1]}
    async with serving(guarded(app)) as served:
        wire = await served.connect()
        await wire.send(sent.get(busy, message("GET", "/slow")))
        await until(lambda: served.connection._parser.unread or served.connection._serving)

        await served.server.stop(0.01)

        assert not served.server.connections
        await until(lambda: not server_tasks())
        assert gate.cancelled == ([] if app is large or busy == "in a head" else gate.begun)


async def test_who_comes_too_late_is_not_let_in() -> None:
    gate = Gate()
    async with serving(gate) as served:
        busy = await served.connect()
        await busy.send(message("GET", "/slow"))
        await until(lambda: gate.begun)
        late = Wire(served.port)  # accepted when the loop turns, and by then we stop
        served.wires.append(late)
        served.server.is_stopping = True

        assert await late.rest() == b""

        gate.opened.set()
        assert (await busy.answer()).body == b"GET /slow "


IMPATIENT = Timeouts(idle=0.02, head=0.02, body=0.02, write=0.02)


async def test_a_connection_over_the_limit_is_refused() -> None:
    async with serving(guarded(echo), max_connections=2) as served:
        first, second = await served.connect(), await served.connect()
        third = await served.connect()

        answer = await third.answer()
        assert (answer.status, answer.headers["connection"]) == (503, "close")
        assert await third.rest() == b""
        assert await ask(first, "/") == await ask(second, "/") == b"GET / "

        third.close()
        first.close()
        await until(lambda: len(served.server.connections) == 1)
        assert await ask(await served.connect(), "/") == b"GET / "


async def test_a_crowd_over_the_limit_is_not_even_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "MAX_REFUSED", 3)
    async with serving(guarded(echo), max_connections=1) as served:
        first = await served.connect()
        refused = [await served.connect() for _ in range(3)]

        assert await (await served.connect()).rest() == b""

        assert [(await wire.answer()).status for wire in refused] == [503, 503, 503]
        assert await ask(first, "/") == b"GET / "
        await until(lambda: len(served.server.connections) == 4)


async def test_one_sweeper_looks_at_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "SWEEP_SECONDS", 0.005)

    async def app(request: Request) -> Response:
        await request.read()
        return Response(200, [b"x" * 100_000] * 300 if request.path == "/big" else b"small")

    async with serving(guarded(app), timeouts=IMPATIENT) as served:
        idle, head, body, write = [Wire(served.port) for _ in range(4)]
        served.wires += [idle, head, body, write]
        await head.send(b"GET /")
        await body.send(message("POST", "/", b"body")[:-1])
        await write.send(message("GET", "/big"))

        assert (await head.answer()).status == 408
        assert (await body.answer()).status == 408
        assert await idle.rest() == b""
        head.close()
        body.close()
        await until(lambda: not served.server.connections)  # the one that does not read, too


async def test_the_sweeper_keeps_no_connection_that_has_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "SWEEP_SECONDS", 0)
    checked: list[float] = []
    monkeypatch.setattr(Connection, "check_deadline", lambda _, now: checked.append(now))
    gc.collect()
    gc.disable()
    try:
        async with serving(echo) as served:
            wire = await served.connect()
            reference = weakref.ref(served.connection)
            await until(lambda: checked)

            wire.close()

            await until(lambda: reference() is None)
    finally:
        gc.enable()


@pytest.mark.parametrize("turns", range(6))
async def test_a_client_that_is_being_accepted_is_dropped_by_a_stop(turns: int) -> None:
    """In each turn of the event loop between the socket that is accepted and the connection."""
    async with serving(echo) as served:
        wire = Wire(served.port)
        for _ in range(turns):
            await asyncio.sleep(0)

        await served.server.stop(0)

        # A client that was not accepted sees a reset.
        with suppress(ConnectionResetError):
            assert await wire.rest() == b""
        await until(lambda: not served.server.connections)
        wire.close()
        # A socket that was left open would warn now.
        gc.collect()


async def test_a_connection_that_waits_for_nothing_does_not_hold_up_the_sweeper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "SWEEP_SECONDS", 0.005)
    gate = Gate()
    async with serving(gate, timeouts=Timeouts(idle=0.5)) as served:
        busy = [await served.connect() for _ in range(9)]
        for wire in busy:
            await wire.send(message("GET", "/slow"))
        await until(lambda: len(gate.begun) == 9)

        assert await (await served.connect()).rest() == b""

        gate.opened.set()
        assert [(await wire.answer()).status for wire in busy] == [200] * 9
