"""The server: it accepts connections, keeps their number within a limit, and stops.

It knows nothing about bytes or requests. Each connection looks after itself (`connection.py`),
and the server only counts it.
"""

import asyncio
import socket
from contextlib import suppress
from functools import partial

from taskflow.connection import Connection
from taskflow.deadlines import Timeouts
from taskflow.errors import ServiceUnavailable
from taskflow.http import Handler

# Connections over the limit that still get a 503. Any more than that are dropped unanswered,
# because even a refusal costs memory and time.
MAX_REFUSED = 100

# Connections that the kernel may queue until the event loop accepts them.
BACKLOG = 512

# How often the deadlines of all connections are checked.
SWEEP_SECONDS = 0.25

# Bytes that the kernel holds for a client that is slow to read. Left alone, Linux lets this grow to
# 4 MiB. That is memory for each client, and the sweeper, which sees only our own buffers, would see
# no progress until the client has read a third of it.
SEND_BUFFER = 128 * 1024


class Server:
    """A listening socket and the connections that it has accepted."""

    def __init__(self, app: Handler, max_connections: int, timeouts: Timeouts) -> None:
        self._app = app
        self._timeouts = timeouts
        self._max_connections = max_connections
        self.connections: set[Connection] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port. For port 0 the system chooses one. Raises OSError."""
        new_connection = partial(
            Connection, self._app, self._timeouts, self._admit, self.connections.discard
        )
        self._listener = await asyncio.get_running_loop().create_server(
            new_connection, host, port, backlog=BACKLOG
        )
        # The sockets of clients inherit this.
        for listening in self._listener.sockets:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._sweeper = asyncio.create_task(self._sweep())
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        # Windows has no readers.
        with suppress(NotImplementedError):
            for listening in self._listener.sockets:
                asyncio.get_running_loop().remove_reader(listening)
        # A client that asyncio is accepting becomes a transport in the next turn of the event loop,
        # which needs the listener, and a connection in the turn after that.
        await asyncio.sleep(0)
        self._listener.close()
        self._sweeper.cancel()
        await asyncio.sleep(0)
        for connection in list(self.connections):
            connection.stop()

    def _admit(self, connection: Connection) -> None:
        """Count a new connection, and refuse it if it is over the limit."""
        self.connections.add(connection)
        excess = len(self.connections) - self._max_connections
        if excess > MAX_REFUSED:
            connection.abort()
        elif excess > 0:
            connection.refuse(ServiceUnavailable("there are too many connections"))

    async def _sweep(self) -> None:
        """Check all deadlines, again and again."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self._check_deadlines()

    def _check_deadlines(self) -> None:
        # In `_sweep`, the variable of the loop would keep its last connection during the sleep.
        for connection in list(self.connections):
            connection.check_deadline(asyncio.get_running_loop().time())
