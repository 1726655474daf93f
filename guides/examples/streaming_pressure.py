"""A client that does not read, and a handler that does not: how much waits, and where."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from functools import partial

from taskflow.chunked import encode_chunk
from taskflow.connection import READ_AHEAD, Connection
from taskflow.deadlines import Timeouts
from taskflow.http import Handler, Request, Response

KIB = 1024
PIECE = bytes(64 * KIB)
PIECES = 500
SMALL = 64 * KIB  # what the client's kernel may hold for it, so that ours is filled soon
ONE_READ = 256 * KIB  # what asyncio reads from a socket at once, at most
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
BODY = 100_000_000  # bytes
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % BODY


class Careless(Connection):
    """A connection that never waits for its client."""

    async def _write(self, data: bytes) -> None:
        self.transport.write(data)


async def connect(kind: type[Connection], app: Handler) -> tuple[Connection, socket.socket]:
    """Serve the app over one connection of this kind. Return the connection and the client."""
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[Connection] = loop.create_future()
    new_connection = partial(kind, app, Timeouts(), opened.set_result, lambda _: None)
    listener = await loop.create_server(new_connection, "127.0.0.1", 0)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    client.setblocking(False)
    await loop.sock_connect(client, listener.sockets[0].getsockname())
    listener.close()
    return await opened, client


async def settled(count: list[int]) -> int:
    """Return the number when it has not changed for a while."""
    before = -1
    while before != count[0]:
        before = count[0]
        await asyncio.sleep(0.3)
    return before


async def _outward(kind: type[Connection]) -> None:
    made = [0]

    async def pieces() -> AsyncGenerator[bytes, None]:
        for _ in range(PIECES):
            made[0] += 1
            yield PIECE

    async def app(request: Request) -> Response:
        return Response(200, pieces())

    loop = asyncio.get_running_loop()
    connection, client = await connect(kind, app)
    await loop.sock_sendall(client, GET)
    count = await settled(made)
    buffered = connection.transport.get_write_buffer_size()
    high = connection.transport.get_write_buffer_limits()[1]
    paused = "" if count == PIECES else ", and the generator waits"
    print(f"  pieces made: {'all' if count == PIECES else 'fewer than half'}{paused}")
    few = buffered <= high + len(encode_chunk(PIECE))
    held = "at most the high mark and one piece" if few else "more than half"
    assert few or buffered > PIECES * len(PIECE) / 2
    print(f"  in the transport's buffer: {held}")
    while await loop.sock_recv(client, ONE_READ):
        pass
    print(f"  the client reads: {made[0]} pieces made")
    client.close()


def outward() -> None:
    """Print how much of an answer is made for a client that does not read, and then does."""
    for title, kind in (("_write waits", Connection), ("_write does not wait", Careless)):
        print(f"{title}:")
        asyncio.run(_outward(kind))


async def _inward() -> None:
    taken, wanted = [0], asyncio.Event()

    async def app(request: Request) -> Response:
        await wanted.wait()
        while piece := await request.receive():
            taken[0] += len(piece)
        return Response(200)

    loop = asyncio.get_running_loop()
    connection, client = await connect(Connection, app)
    await loop.sock_sendall(client, POST)
    sent = [0]
    body = asyncio.create_task(_send(client, sent))
    count = await settled(sent)
    waiting = connection._parser.unread
    sent_so_far = "less than half" if count < BODY / 2 else "most"
    print(f"the handler takes nothing: {sent_so_far} of the body is sent")
    print("  reading is paused:", not connection.transport.is_reading())
    print("  in the parser: at most READ_AHEAD and one read:", waiting <= READ_AHEAD + ONE_READ)
    wanted.set()
    await body
    await loop.sock_recv(client, ONE_READ)
    print(f"the handler takes: {taken[0]:,} bytes")
    client.close()
    connection.transport.abort()


async def _send(client: socket.socket, sent: list[int]) -> None:
    loop = asyncio.get_running_loop()
    while sent[0] < BODY:
        await loop.sock_sendall(client, bytes(100_000))
        sent[0] += 100_000


def inward() -> None:
    """Print how much of a body comes in for a handler that does not take it, and then does."""
    asyncio.run(_inward())


if __name__ == "__main__":
    outward()
