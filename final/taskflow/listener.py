"""The server: listens, keeps the number of its clients within a bound, and ends well.

A stop has an order. First nobody new is let in, and idle connections are closed. Then the requests
that are being served may finish, for a while. Who is still there after that is dropped.
"""

import asyncio
import socket
import ssl
from contextlib import suppress
from functools import partial

from taskflow.deadlines import Timeouts
from taskflow.http import Handler
from taskflow.outbox import Outbox
from taskflow.server import MAX_REFUSED, Connection
from taskflow.tls import Handshake

SWEEP_SECONDS = 0.25  # how often deadlines are looked at
BACKLOG = 512  # connections that the kernel may hold until we accept them
DROP_SECONDS = 1.0  # how long dropped connections may take to be gone; they need no time at all

# What the kernel holds for a client that is slow to read. Left alone, Linux lets it grow to 4 MiB.
# That is memory for each client; and the sweeper, which sees only what is left in our own buffers,
# would see nothing move for as long as the client needs for a third of that.
SEND_BUFFER = 128 * 1024  # bytes


class Server:
    """Listens, and keeps the number of connections within its bound."""

    def __init__(self, app: Handler, max_connections: int, timeouts: Timeouts) -> None:
        self.app = app
        self.timeouts = timeouts
        self.loop = asyncio.get_running_loop()
        self.max_connections = max_connections
        self.connections: set[Connection] = set()
        self.handshakes: set[Handshake] = set()  # clients that may become connections, with TLS
        self.outbox = Outbox(self.loop.call_soon)
        self.stopping = False
        self._empty = asyncio.Event()  # set when the last connection has gone, at the end

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen; return the port, which the system chooses if `port` is 0. Raises OSError."""
        accept = partial(Connection, self) if tls is None else partial(Handshake, self, tls)
        self._listener = await self.loop.create_server(
            accept, host, port, backlog=BACKLOG, start_serving=False
        )
        for listening in self._listener.sockets:  # those that are accepted inherit it
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            with listening.dup() as same:  # uvloop would not tell that another was faster
                same.listen(BACKLOG)
        await self._listener.start_serving()
        self._sweeper = self.loop.create_task(self._sweep())
        return int(self._listener.sockets[0].getsockname()[1])

    @property
    def is_crowded(self) -> bool:
        """Whether there are so many clients that the next is not even told."""
        clients = len(self.connections) + len(self.handshakes)
        return self.stopping or clients >= self.max_connections + MAX_REFUSED

    async def stop(self, grace: float) -> None:
        """Take no new connections; let those that are served finish, and drop who does not.

        Waits at most `grace` seconds for the clients.
        """
        self.stopping = True
        with suppress(NotImplementedError):  # Windows
            for listening in self._listener.sockets:
                self.loop.remove_reader(listening)
        # Who is half let in comes in, or asyncio would leave its socket open.
        await asyncio.sleep(0)
        self._listener.close()
        for handshake in list(self.handshakes):
            handshake.abort()
        for connection in list(self.connections):
            connection.finish()
        await self._until_empty(grace)
        for connection in list(self.connections):
            connection.transport.abort()
        await self._until_empty(DROP_SECONDS)
        self._sweeper.cancel()

    async def _until_empty(self, seconds: float) -> None:
        if self.connections or self.handshakes:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), seconds)

    def forget(self, connection: Connection) -> None:
        """Drop a connection that is gone."""
        self.connections.discard(connection)
        self._tell_if_empty()

    def forget_handshake(self, handshake: Handshake) -> None:
        """Drop a handshake that is over, well or not."""
        self.handshakes.discard(handshake)
        self._tell_if_empty()

    def _tell_if_empty(self) -> None:
        if self.stopping and not self.connections and not self.handshakes:
            self._empty.set()

    async def _sweep(self) -> None:
        """Look at all deadlines, again and again."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = self.loop.time()
            for connection in list(self.connections):
                connection.check_deadline(now)
