"""The server: how many connections it takes, and how it stops."""

import asyncio
import gc
import socket
import weakref
from contextlib import suppress

import pytest
from over_socket import PATIENT, Gate, Wire, ask, echo, guarded, message, serving, until

from taskflow import server as server_module
from taskflow.connection import Connection
from taskflow.deadlines import Timeouts
from taskflow.http import Request, Response

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


async def test_stop_drops_every_connection() -> None:
    gate = Gate()
    async with serving(gate) as served:
        busy, idle = await served.connect(), await served.connect()
        await busy.send(message("GET", "/slow"))
        await until(lambda: gate.begun)

        await served.server.stop()

        assert await busy.rest() == await idle.rest() == b""
        await until(lambda: not served.server.connections)
        assert gate.cancelled == ["/slow"]
        with pytest.raises(ConnectionRefusedError):
            Wire(served.port)


async def test_the_kernel_holds_little_for_a_client_that_reads_slowly() -> None:
    async with serving(echo) as served:
        await served.connect()
        accepted = served.connection.transport.get_extra_info("socket")
        size = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)

    # Linux doubles it, for its own needs.
    assert size in {server_module.SEND_BUFFER, 2 * server_module.SEND_BUFFER}


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

        await served.server.stop()

        # A client that was not accepted sees a reset.
        with suppress(ConnectionResetError):
            assert await wire.rest() == b""
        await until(lambda: not served.server.connections)
        wire.close()
        # A socket that was left open would warn now.
        gc.collect()


async def test_a_port_in_use_is_an_error() -> None:
    async with serving(echo) as served:
        other = server_module.Server(echo, 1000, PATIENT)
        with pytest.raises(OSError, match=str(served.port)):
            await other.start("127.0.0.1", served.port)
