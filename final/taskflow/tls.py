"""HTTPS: the certificate, and the handshake that comes before a connection (RFC 8446).

asyncio can do the handshake by itself, but then a client that connects and sends nothing is not a
connection yet, so the server could not count it. Here it is counted from the start.
"""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, cast

from taskflow.config import ConfigError
from taskflow.connection import Connection
from taskflow.deadlines import Timeouts
from taskflow.http import BATCH_BYTES


def tls_context(cert: str, key: str) -> ssl.SSLContext:
    """Return the settings of HTTPS: TLS 1.2 or newer, and these two files. Raises ConfigError."""
    for flag, file in ("--tls-cert", cert), ("--tls-key", key):
        try:
            Path(file).read_bytes()
        except OSError as error:
            raise ConfigError(f"{flag}: cannot read {file!r}: {error.strerror}") from None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # A client that wants another protocol gets an error, and not a wrong response.
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(f"--tls-key: {key!r} is not the key of {cert!r}") from None
        files = f"{cert!r} and {key!r}"
        raise ConfigError(f"--tls-cert and --tls-key: {files} are not PEM files") from None
    return context


def _no_password() -> NoReturn:
    """Refuse to supply the password of a key. OpenSSL would ask at the terminal, and wait."""
    raise ConfigError("--tls-key: the key is encrypted; use one without a password")


class Handshake(asyncio.Protocol):
    """A client that has connected, before its TLS handshake is complete.

    Calls `on_open` when the client has connected, and `on_close` when the handshake is over,
    whether it succeeded or not. After a success the client has a Connection.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        timeouts: Timeouts,
        new_connection: Callable[[], Connection],
        on_open: Callable[["Handshake"], None],
        on_close: Callable[["Handshake"], None],
    ) -> None:
        self._context = context
        self._timeouts = timeouts
        self._new_connection = new_connection
        self._on_open = on_open
        self._on_close = on_close

        # Bytes that arrived directly after the handshake.
        self._early = b""
        self._running: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # Bytes that arrive before TLS is ready to read them would be lost.
        self._transport.pause_reading()
        self._on_open(self)

    def data_received(self, data: bytes) -> None:
        self._early += data

    def connection_lost(self, error: Exception | None) -> None:
        if self._running is not None:
            self._running.cancel()

    def start(self) -> None:
        """Begin the handshake. The server calls this unless it is full."""
        self._running = asyncio.get_running_loop().create_task(self._run())
        self._running.add_done_callback(lambda _: self._finished())

    def abort(self) -> None:
        """Drop the client now."""
        self._transport.abort()

    def _finished(self) -> None:
        # The asyncio task refers to this object, so the reference back belongs to a cycle.
        self._running = None
        self._on_close(self)

    async def _run(self) -> None:
        """Do the handshake, and hand the client over to a connection."""
        try:
            secure = await asyncio.get_running_loop().start_tls(
                self._transport,
                self,
                self._context,
                server_side=True,
                ssl_handshake_timeout=self._timeouts.head,
                ssl_shutdown_timeout=self._timeouts.write,
            )
        except OSError:
            # The client speaks no TLS, has gone, or is too slow. It cannot be sent a reason.
            return
        if secure is None or secure.is_closing():
            return
        secure.set_write_buffer_limits(BATCH_BYTES)
        connection = self._new_connection()
        connection.connection_made(secure)
        secure.set_protocol(connection)
        if self._early:
            connection.data_received(self._early)
