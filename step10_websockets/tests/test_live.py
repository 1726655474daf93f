"""The server with its WebSockets, over real sockets: the hand-over, fan-out and the end."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any, cast

import pytest
from in_process import TOKENS, Client, new_client
from over_socket import PATIENT, Serving, Wire, serving, until
from over_websocket import HANDSHAKE, code_of, frames_of, messages_of, said, sent, shake_hands
from websockets import CloseCode, Opcode

from taskflow import websocket as websocket_module
from taskflow.app import build_app
from taskflow.connection import READ_AHEAD
from taskflow.deadlines import Timeouts
from taskflow.logs import LogWriter
from taskflow.websocket import MAX_UNSENT, WebSocket

PING = said({"type": "ping"})
GOODBYE = sent(Opcode.CLOSE, b"\x03\xe8")


@asynccontextmanager
async def live(
    max_connections: int = 1000, timeouts: Timeouts = PATIENT
) -> AsyncIterator[tuple[Client, Serving]]:
    """Serve a new application."""
    async with new_client() as client, serving(client.app, max_connections, timeouts) as served:
        yield client, served


async def listening(served: Serving) -> Wire:
    """Return a client that has been let in."""
    wire = await served.connect()
    await shake_hands(wire, TOKENS.user)
    return wire


async def told(wire: Wire, count: int) -> list[Any]:
    """Return the messages so far, which are so many at least."""
    while len(messages_of(wire._buffer)) < count:
        await wire._more()
    return messages_of(wire._buffer)


def handshake() -> bytes:
    """Return a good handshake as bytes."""
    fields = {**HANDSHAKE, "authorization": TOKENS.user}
    lines = ["GET /ws/tasks HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields), "", ""]
    return "\r\n".join(lines).encode()


# The hand-over.


async def test_bytes_behind_the_handshake_are_not_lost() -> None:
    """Wherever the bytes are cut."""
    async with live() as (_, served):
        data = handshake() + PING + PING
        for cut in range(len(handshake()) - 3, len(data)):
            wire = await served.connect()
            await wire.send(data[:cut])
            await asyncio.sleep(0)
            await wire.send(data[cut:])
            assert (await wire.answer()).status == 101
            kinds = [message["type"] for message in await told(wire, 3)]
            assert kinds == ["connection.ready", "pong", "pong"]
            wire.close()


async def test_more_than_is_read_ahead_is_not_lost() -> None:
    """The connection had stopped reading when it handed over; the WebSocket reads."""
    async with live() as (_, served):
        wire = await served.connect()
        padded = sent(Opcode.TEXT, b'{"type":"ping"}'.ljust(READ_AHEAD // 2))
        await wire.send(handshake() + padded * 8)
        assert (await wire.answer()).status == 101
        assert len(await told(wire, 9)) == 9
        await wire.send(PING)
        await told(wire, 10)


async def test_a_request_before_the_handshake_is_answered_first() -> None:
    async with live() as (_, served):
        wire = await served.connect()
        await wire.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n" * 2 + handshake() + PING)
        assert [(await wire.answer()).status for _ in range(3)] == [200, 200, 101]
        assert [message["type"] for message in await told(wire, 2)] == ["connection.ready", "pong"]


async def test_an_end_that_came_before_the_answer_is_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The client sent its end while a request before the handshake was being answered."""
    monkeypatch.setattr(websocket_module, "CLOSE_SECONDS", 0.01)
    async with live() as (client, served):
        wire = await served.connect()
        path = b"/demo/cpu/worker/run?iterations=1000"
        fields = b"Host: a\r\nAuthorization: " + TOKENS.user.encode()
        await wire.send(b"GET " + path + b" HTTP/1.1\r\n" + fields + b"\r\n\r\n" + handshake())
        wire.end()
        assert [(await wire.answer()).status for _ in range(2)] == [200, 101]
        await wire.rest()
        assert (await client.shown("/tasks/system/ws"))["clients"] == 0


async def test_no_deadline_of_http_holds_for_a_websocket() -> None:
    async with live() as (client, served):
        wire = await listening(served)
        await wire.send(PING[:4])
        served.connection.check_deadline(asyncio.get_running_loop().time() + 1e6)
        await asyncio.sleep(0)
        await client.created(title="still here")
        assert (await told(wire, 2))[1]["type"] == "task.created"


async def test_a_websocket_counts_as_a_connection_until_it_is_gone() -> None:
    async with live(max_connections=1) as (_, served):
        wire = await listening(served)
        refused = await served.connect()
        assert (await refused.answer()).status == 503
        refused.close()
        await wire.send(GOODBYE)
        assert code_of(await wire.rest()) == 1000
        wire.close()
        await until(lambda: not served.server.connections)
        await told(await listening(served), 1)


# Fan-out.


async def test_a_slow_client_delays_nobody() -> None:
    """It is closed with 1013 when its bound is reached; all others get everything in order."""
    async with live() as (client, served):
        slow, *fast = [await listening(served) for _ in range(4)]
        for wire in fast:
            await told(wire, 1)
            wire._buffer = b""
        task = await client.created(description="😀" * 10_000)
        path, seq = f"/tasks/{task['id']}", 1
        while (await client.shown("/tasks/system/ws"))["clients"] == 4:
            assert seq * 40_000 < 40 * MAX_UNSENT
            for wire in fast:  # which are told at once, one after the other, and nothing twice
                assert [message["seq"] for message in await told(wire, 1)] == [seq]
                wire._buffer = b""
            await client.ask("PATCH", path, {"priority": seq + 1})
            seq += 1
        stats = await client.shown("/tasks/system/ws")
        assert (stats["clients"], stats["dropped"]) == (3, 1)
        for wire in fast:
            assert [message["seq"] for message in await told(wire, 1)] == [seq]
        assert code_of(await slow.rest()) == CloseCode.TRY_AGAIN_LATER


async def test_a_slow_client_that_asks_and_asks_is_closed_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By pings of the protocol, whose pongs it does not take."""
    async with live() as (client, served):
        wire = await listening(served)
        flood = sent(Opcode.PING, b"x" * 125) * 2_000
        sending = asyncio.ensure_future(wire.send(flood * 200))
        async with asyncio.timeout(10):
            while (await client.shown("/tasks/system/ws"))["clients"]:  # noqa: ASYNC110
                await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        wire.close()
        await until(lambda: not served.server.connections)
    assert caplog.text == ""


async def test_a_client_that_vanishes_is_forgotten() -> None:
    async with live() as (client, served):
        wires = [await listening(served) for _ in range(5)]
        for wire in wires[1:]:
            wire.reset()
        await client.created(title="for one")
        await told(wires[0], 2)
        await until(lambda: len(served.server.connections) == 1)
        assert (await client.shown("/tasks/system/ws"))["clients"] == 1


# The end.


async def test_who_listens_is_not_cut_off_when_the_server_stops() -> None:
    """It is for the services to end that, and to say so."""
    async with build_app(TOKENS, LogWriter(BytesIO())) as app:
        client = Client(app)
        async with serving(app) as served:
            wires = [await listening(served) for _ in range(3)]
            idle = await served.connect()
            await client.created(title="one")
            await served.server.stop()
            assert await idle.rest() == b""
            await client.created(title="one more")
            for wire in wires:
                assert (await told(wire, 3))[2]["seq"] == 2
                wire.close()


async def test_when_the_services_end_everybody_is_told() -> None:
    app = build_app(TOKENS, LogWriter(BytesIO()))
    handler = await app.__aenter__()
    async with serving(handler) as served:
        wires = [await listening(served) for _ in range(3)]
        await app.__aexit__(None, None, None)
        for wire in wires:
            assert code_of(await wire.rest()) == CloseCode.GOING_AWAY
        await until(lambda: not served.server.connections)


async def test_a_reason_is_given() -> None:
    async with live() as (_, served):
        wire = await listening(served)
        await wire.send(sent(Opcode.TEXT, b"\xff"))
        close = frames_of(await wire.rest())[-1]
        assert bytes(close.data[2:]).decode()


@pytest.mark.parametrize("leave", [Wire.reset, Wire.close])
async def test_a_websocket_is_freed_at_once_without_the_cycle_collector(
    leave: Callable[[Wire], None],
) -> None:
    async with live() as (_, served):
        wire = await listening(served)
        gc.collect()
        gc.disable()
        try:
            websocket = cast(WebSocket, served.connection.transport.get_protocol())
            parts: list[object] = [served.connection, websocket, websocket._protocol]
            references = [weakref.ref(part) for part in parts]
            parts.clear()
            del websocket
            # The beginning of a frame, so that the client's end is an error.
            await wire.send(PING[:3])

            leave(wire)

            await until(lambda: not any(reference() for reference in references))
        finally:
            gc.enable()
