"""HTTPS: the certificate, and the handshake that comes before a connection (RFC 8446).

asyncio can do the handshake by itself, but then a client that connects and says nothing is no
connection yet, and nobody counts it. Here it is counted from the start.
"""

import asyncio
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from taskflow.config import ConfigError
from taskflow.server import PIECE, Connection

if TYPE_CHECKING:
    from taskflow.listener import Server


def tls_context(cert: str, key: str) -> ssl.SSLContext:
    """Return what HTTPS needs: TLS 1.2 or newer, and these two files. Raises ConfigError."""
    for flag, file in ("--tls-cert", cert), ("--tls-key", key):
        try:
            Path(file).read_bytes()
        except OSError as error:
            raise ConfigError(f"{flag}: cannot read {file!r}: {error.strerror}") from None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])  # what is meant for another protocol is not for us
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(f"--tls-key: {key!r} is not the key of {cert!r}") from None
        files = f"{cert!r} and {key!r}"
        raise ConfigError(f"--tls-cert and --tls-key: {files} are no PEM files") from None
    return context


def _no_password() -> NoReturn:
    """Be asked for the password of a key. OpenSSL would ask at the terminal, and wait."""
    raise ConfigError("--tls-key: the key is encrypted; give one without a password")


class Handshake(asyncio.Protocol):
    """A client of whom nothing is known yet but that it has connected."""

    def __init__(self, server: "Server", context: ssl.SSLContext) -> None:
        self._server = server
        self._context = context
        self._early = b""  # what came right behind the handshake
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._server.is_crowded:
            self._transport.abort()
            return
        self._transport.pause_reading()  # what comes before TLS is there to read it would be lost
        self._server.handshakes.add(self)
        self._task = self._server.loop.create_task(self._run())
        self._task.add_done_callback(lambda _: self._server.forget_handshake(self))

    def data_received(self, data: bytes) -> None:
        self._early += data

    def connection_lost(self, error: Exception | None) -> None:
        if self._task is not None:
            self._task.cancel()

    def abort(self) -> None:
        """Drop the client."""
        self._transport.abort()

    async def _run(self) -> None:
        """Shake hands, and hand the client over to a connection."""
        timeouts = self._server.timeouts
        try:
            secure = await self._server.loop.start_tls(
                self._transport,
                self,
                self._context,
                server_side=True,
                ssl_handshake_timeout=timeouts.head,
                ssl_shutdown_timeout=timeouts.write,
            )
        except OSError:  # no TLS, gone, or too slow: there is no way to tell it anything
            return
        if secure is None or secure.is_closing():
            return
        secure.set_write_buffer_limits(PIECE)
        connection = Connection(self._server)
        connection.connection_made(secure)
        secure.set_protocol(connection)
        if self._early:
            connection.data_received(self._early)
