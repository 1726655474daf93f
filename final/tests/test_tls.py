"""HTTPS: the handshake, and what comes behind it, with certificates made for the test."""

import asyncio
import gc
import json
import socket
import ssl
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import pytest
import trustme
from in_process import SETTINGS, TOKENS
from over_socket import Gate, Serving, Wire, echo, message, serving, until
from over_websocket import HANDSHAKE, messages_of, said
from test_server import large, read_slowly, stopping
from websockets.asyncio.client import connect

from taskflow.app import build_app
from taskflow.config import ConfigError
from taskflow.deadlines import Timeouts
from taskflow.http import Request, Response
from taskflow.logs import LogWriter
from taskflow.tls import tls_context

pytestmark = pytest.mark.tls

AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("localhost")


def written(folder: Path, certificate: trustme.LeafCert = CERTIFICATE) -> tuple[str, str]:
    """Return the names of the certificate's and its key's file."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())
    return str(cert), str(key)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """What the server needs."""
    return tls_context(*written(tmp_path_factory.mktemp("tls")))


def trusting() -> ssl.SSLContext:
    """Return what a client needs that trusts the test's authority."""
    client = ssl.create_default_context()
    AUTHORITY.configure_trust(client)
    return client


@asynccontextmanager
async def connected(
    served: Serving,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Give both ends of a client's connection, and close it."""
    reader, writer = await asyncio.open_connection(
        "localhost", served.port, ssl=trusting(), family=socket.AF_INET
    )
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def test_an_answer_comes_encrypted(context: ssl.SSLContext) -> None:
    async with serving(echo, tls=context) as served, connected(served) as (reader, writer):
        writer.write(
            message("POST", "/", b"body") + message("GET", "/next", b"", "Connection: close")
        )

        data = await reader.read()

    assert b"\r\n\r\nPOST / bodyHTTP/1.1 200 OK\r\n" in data
    assert data.endswith(b"\r\n\r\nGET /next ")


async def test_large_bodies_pass_both_ways(context: ssl.SSLContext) -> None:
    async with serving(echo, tls=context) as served, connected(served) as (reader, writer):
        body = bytes(range(256)) * 4_000
        writer.write(message("POST", "/", body, "Connection: close"))
        assert (await reader.read()).endswith(b"\r\n\r\nPOST / " + body)


async def test_what_comes_right_behind_the_handshake_is_not_lost(context: ssl.SSLContext) -> None:
    """In one packet with the client's last word in the handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting().wrap_bio(incoming, outgoing, server_hostname="localhost")
    async with serving(echo, tls=context) as served:
        served.wires.append(wire := Wire(served.port))
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                await wire.send(outgoing.read())
                await wire._more()
                incoming.write(wire._buffer)
                wire._buffer = b""
        client.write(message("GET", "/early"))
        await wire.send(outgoing.read())
        answer = b""
        while b"GET /early " not in answer:
            try:
                answer += client.read()
            except ssl.SSLWantReadError:
                await wire._more()
                incoming.write(wire._buffer)
                wire._buffer = b""

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_websocket_is_encrypted_too_and_told_of_the_end(context: ssl.SSLContext) -> None:
    async with (
        build_app(SETTINGS, LogWriter(BytesIO())) as application,
        serving(application.handler, tls=context) as served,
    ):
        url = f"wss://localhost:{served.port}/ws/tasks"
        headers = {"Authorization": f"Bearer {TOKENS.user}"}
        async with connect(
            url, ssl=trusting(), additional_headers=headers, proxy=None, family=socket.AF_INET
        ) as client:
            assert json.loads(await client.recv())["type"] == "connection.ready"
            await client.send('{"type": "ping"}')
            assert json.loads(await client.recv())["type"] == "pong"

            application.hub.close()
            await served.server.stop(1_000)
            await client.wait_closed()

            assert client.close_code == 1001


# Clients that do not shake hands.


async def test_many_messages_at_once_are_answered_in_order(context: ssl.SSLContext) -> None:
    """Also more than are handled in one turn, while no more are read."""
    async with (
        build_app(SETTINGS, LogWriter(BytesIO())) as application,
        serving(application.handler, tls=context) as served,
        connected(served) as (reader, writer),
    ):
        fields = {**HANDSHAKE, "authorization": TOKENS.user}
        lines = ["GET /ws/tasks HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields)]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        writer.write(b"".join(said({"type": kind}) for kind in ("ping", "dance") * 2_000))
        await reader.readuntil(b"\r\n\r\n")

        received = b""
        while received.count(b'"type"') < 1 + 4_000:
            received += await reader.read(65_536)

        kinds = [message["type"] for message in messages_of(received)]
        assert kinds == ["connection.ready", *["pong", "error"] * 2_000]


@pytest.mark.parametrize("sent", [message("GET", "/"), b"\x16\x03\x01\x00\x05broken", b"\0" * 100])
async def test_what_is_no_tls_is_let_go(
    context: ssl.SSLContext, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(echo, tls=context) as served:
        served.wires.append(wire := Wire(served.port))
        await wire.send(sent)

        assert b"HTTP" not in await wire.rest()

        await until(lambda: not served.server.handshakes)
        async with connected(served) as (reader, writer):  # nobody else is troubled
            writer.write(message("GET", "/", b"", "Connection: close"))
            assert (await reader.read()).endswith(b"GET / ")
    assert caplog.record_tuples == []


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01"])
async def test_a_client_that_stalls_is_dropped(context: ssl.SSLContext, sent: bytes) -> None:
    async with serving(echo, tls=context, timeouts=Timeouts(head=0.05)) as served:
        served.wires.append(wire := Wire(served.port))
        await wire.send(sent)
        assert await wire.rest() == b""
        await until(lambda: not served.server.handshakes)


async def test_a_client_that_leaves_is_forgotten(context: ssl.SSLContext) -> None:
    async with serving(echo, tls=context) as served:
        served.wires.append(wire := Wire(served.port))
        await until(lambda: served.server.handshakes)
        wire.reset()
        await until(lambda: not served.server.handshakes)


async def test_clients_that_only_connect_are_counted(
    context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskflow.server.MAX_REFUSED", 1)
    async with serving(echo, max_connections=2, tls=context) as served:
        served.wires += [Wire(served.port) for _ in range(3)]
        await until(lambda: len(served.server.handshakes) == 3)
        served.wires.append(one_more := Wire(served.port))

        assert await one_more.rest() == b""

        assert len(served.server.handshakes) == 3


# Slow readers, and the end.


async def test_a_slow_reader_is_not_cut(context: ssl.SSLContext) -> None:
    await read_slowly(large, context, trusting())


async def test_a_stop_waits_for_requests_and_not_for_handshakes(context: ssl.SSLContext) -> None:
    gate = Gate()
    async with (
        serving(gate, tls=context) as served,
        connected(served) as (reader, writer),
        connected(served) as (idle, _),
    ):
        writer.write(message("GET", "/slow"))
        served.wires.append(stalled := Wire(served.port))
        await until(lambda: gate.begun and served.server.handshakes)
        stop = stopping(served)

        assert await idle.read() == b""
        assert await stalled.rest() == b""
        gate.opened.set()
        assert (await reader.read()).endswith(b"GET /slow ")
        await stop


async def test_a_client_that_says_no_goodbye_does_not_hold_the_stop(
    context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskflow.connection.LINGER_SECONDS", 0.01)
    async with serving(echo, tls=context) as served, connected(served) as (_, writer):
        # It does not see that the server is going.
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: served.server.connections)
        await served.server.stop(1_000)


# The files.


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    cert, key = written(tmp_path)
    for arguments, message_ in [
        (("/nowhere.pem", key), "--tls-cert: cannot read '/nowhere.pem': No such file"),
        ((cert, str(tmp_path)), f"--tls-key: cannot read '{tmp_path}': Is a directory"),
        ((key, key), "are not PEM files"),
        ((cert, cert), "are not PEM files"),
    ]:
        with pytest.raises(ConfigError) as caught:
            tls_context(*arguments)
        assert message_ in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    cert, _ = written(tmp_path)
    other = tmp_path / "other.pem"
    other.write_bytes(AUTHORITY.issue_cert("elsewhere").private_key_pem.bytes())
    with pytest.raises(ConfigError, match="is not the key of"):
        tls_context(cert, str(other))


class Pieces(list[bytes]):
    """A body in pieces to which there can be weak references."""


@pytest.mark.parametrize("sent", [b"", b"GET /", message("GET", "/"), message("GET", "/") * 3])
async def test_a_client_of_tls_is_freed_at_once_without_the_cycle_collector(
    context: ssl.SSLContext, sent: bytes
) -> None:
    references: list[weakref.ref[object]] = []

    async def app(request: Request) -> Response:
        body = Pieces([b"x" * 10_000] * 1_000)
        references.append(weakref.ref(body))
        return Response(200, body)

    gc.collect()
    gc.disable()
    try:
        async with serving(app, tls=context) as served:
            async with connected(served) as (reader, writer):
                await until(lambda: served.server.connections)
                connection = served.connection
                references += [weakref.ref(connection), weakref.ref(connection._parser)]
                del connection
                writer.write(sent)
                if sent.endswith(b"\r\n\r\n"):
                    await reader.read(1_000)

            await until(lambda: not any(reference() for reference in references))
    finally:
        gc.enable()
