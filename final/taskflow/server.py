"""The server: it accepts connections, keeps their number within a limit, and stops gracefully.

It knows nothing about bytes or requests. Each connection looks after itself (`connection.py`),
and the server only counts it.

A stop has an order. First the server accepts no new clients, and idle connections are closed. Then
the requests that are being served may finish, for a while. Connections that are left are dropped.
"""

import asyncio
import socket
import ssl
from contextlib import suppress
from functools import partial

from taskflow.connection import Connection
from taskflow.deadlines import Timeouts
from taskflow.errors import ServiceUnavailable
from taskflow.http import Handler
from taskflow.outbox import Outbox
from taskflow.tls import Handshake

# Connections over the limit that still get a 503. Any more than that are dropped unanswered,
# because even a refusal costs memory and time.
MAX_REFUSED = 100

# Connections that the kernel may queue until the event loop accepts them.
BACKLOG = 512

# How often the deadlines of all connections are checked.
SWEEP_SECONDS = 0.25

# How long dropped connections may take to disappear. They need no time at all.
DROP_SECONDS = 1.0

# Bytes that the kernel holds for a client that is slow to read. Left alone, Linux lets this grow to
# 4 MiB. That is memory for each client, and the sweeper, which sees only our own buffers, would see
# no progress until the client has read a third of it.
SEND_BUFFER = 128 * 1024


class Server:
    """Listening sockets and the clients that they have accepted."""

    def __init__(self, app: Handler, max_connections: int, timeouts: Timeouts) -> None:
        self._app = app
        self._timeouts = timeouts
        self._max_connections = max_connections
        self._outbox = Outbox(asyncio.get_running_loop())
        self._listeners: list[asyncio.Server] = []
        self.connections: set[Connection] = set()

        # Clients that may become connections, with TLS.
        self.handshakes: set[Handshake] = set()
        self.is_stopping = False

        # Set when the last client has gone, at the end.
        self._empty = asyncio.Event()

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen on one address, serve, and return the port. Raises OSError."""
        port = await self.bind(host, port, tls)
        await self.serve()
        return port

    async def bind(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen on an address, and return the port. For port 0 the system chooses one.

        Clients wait in the kernel until the server serves. Raises OSError.
        """
        loop = asyncio.get_running_loop()
        new_client = self._new_connection if tls is None else partial(self._new_handshake, tls)
        listener = await loop.create_server(
            new_client, host, port, backlog=BACKLOG, start_serving=False
        )
        self._listeners.append(listener)
        # The sockets of clients inherit this.
        for listening in listener.sockets:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            # uvloop does not report that another server has just taken the port.
            with listening.dup() as duplicate:
                duplicate.listen(BACKLOG)
        return int(listener.sockets[0].getsockname()[1])

    async def serve(self) -> None:
        """Accept clients on every address that the server listens on."""
        for listener in self._listeners:
            await listener.start_serving()
        self._sweeper = asyncio.create_task(self._sweep())

    def close(self) -> None:
        """Stop listening."""
        for listener in self._listeners:
            listener.close()

    def _new_connection(self) -> Connection:
        return Connection(self._app, self._timeouts, self._outbox, self._admit, self._forget)

    def _new_handshake(self, tls: ssl.SSLContext) -> Handshake:
        return Handshake(
            tls, self._timeouts, self._new_connection, self._admit_handshake, self._forget_handshake
        )

    def _admit(self, connection: Connection) -> None:
        """Count a new connection, and refuse it if it is over the limit."""
        self.connections.add(connection)
        excess = len(self.connections) - self._max_connections
        if excess > MAX_REFUSED or self.is_stopping:
            connection.abort()
        elif excess > 0:
            connection.refuse(ServiceUnavailable("there are too many connections"))

    def _admit_handshake(self, handshake: Handshake) -> None:
        """Count a new client, and drop it if even a refusal would be too much."""
        clients = len(self.connections) + len(self.handshakes)
        if self.is_stopping or clients >= self._max_connections + MAX_REFUSED:
            handshake.abort()
        else:
            self.handshakes.add(handshake)
            handshake.start()

    def _forget(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._note_if_empty()

    def _forget_handshake(self, handshake: Handshake) -> None:
        self.handshakes.discard(handshake)
        self._note_if_empty()

    def _note_if_empty(self) -> None:
        if self.is_stopping and not self.connections and not self.handshakes:
            self._empty.set()

    async def stop(self, grace: float) -> None:
        """Accept no new clients, let requests finish, and drop clients that take too long.

        Waits at most `grace` seconds for the clients.
        """
        self.is_stopping = True
        # Windows has no readers.
        with suppress(NotImplementedError):
            for listener in self._listeners:
                for listening in listener.sockets:
                    asyncio.get_running_loop().remove_reader(listening)
        # A client that is being accepted becomes a connection, or asyncio would leave it open.
        await asyncio.sleep(0)
        self.close()
        for handshake in list(self.handshakes):
            handshake.abort()
        for connection in list(self.connections):
            connection.finish()
        await self._until_empty(grace)
        for connection in list(self.connections):
            connection.abort()
        await self._until_empty(DROP_SECONDS)
        self._sweeper.cancel()

    async def _until_empty(self, seconds: float) -> None:
        if self.connections or self.handshakes:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), seconds)

    async def _sweep(self) -> None:
        """Check all deadlines, again and again."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._check_deadlines()

    def _check_deadlines(self) -> None:
        # In `_sweep`, the variable of the loop would keep its last connection during the sleep.
        for connection in list(self.connections):
            connection.check_deadline(asyncio.get_running_loop().time())
