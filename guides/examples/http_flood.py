"""Two clients that never read a response: where do the bytes wait?"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from taskflow.app import build_app
from taskflow.codec import encode
from taskflow.connection import READ_AHEAD, Connection
from taskflow.http import BATCH_BYTES, Handler, Request
from taskflow.server import Server

REQUESTS = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 10_000

# Bytes that asyncio takes from a socket at once.
RECV = 256 * 1024

# Bytes in its buffer at which asyncio's transport calls `pause_writing`.
HIGH_WATER = 64 * 1024

KIB = 1024


@asynccontextmanager
async def stuck(app: Handler, requests: bytes) -> AsyncIterator[Connection]:
    """Send until nothing moves for a second, and yield the server's end of the connection."""
    loop = asyncio.get_running_loop()
    server = Server(app)
    port = await server.start("127.0.0.1", 0)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setblocking(False)
        with suppress(TimeoutError):
            while True:
                await asyncio.wait_for(loop.sock_sendall(client, requests), timeout=1)
        yield next(iter(server.connections))
    await server.stop()


async def flood() -> None:
    """Send small requests without end, then look into the server."""
    async with stuck(build_app(), REQUESTS) as connection:
        unread = connection._parser.unread
        unsent = connection.transport.get_write_buffer_size()
    print("the client can send no more")
    print(f"requests in the parser at most {(READ_AHEAD + RECV) // KIB} KiB:", end=" ")
    print(unread <= READ_AHEAD + RECV)
    print("responses in the transport at most 65 KiB:", unsent <= 65 * KIB)


async def create(app: Handler, description: str) -> None:
    """Create a task with this description, by calling the app."""
    body = encode({"title": "Wash", "description": description})

    async def receive() -> bytes:
        return body

    await app(Request("POST", "/tasks", content_length=len(body), receive=receive))


async def flood_with_lists() -> None:
    """Ask for a list of 20 MB without reading it, then look into the server."""
    app = build_app()
    for _ in range(2_000):
        await create(app, "x" * 10_000)
    body = (await app(Request("GET", "/tasks"))).pieces
    async with stuck(app, b"GET /tasks HTTP/1.1\r\nHost: x\r\n\r\n" * 10_000) as connection:
        unsent = connection.transport.get_write_buffer_size()
    limit = HIGH_WATER + BATCH_BYTES
    print(f"one response: {len(body):,} pieces, {sum(map(len, body)) // 1_000_000} MB")
    print(f"of it in the transport at most {limit // KIB} KiB:", unsent <= limit)


def main() -> None:
    """Show what waits for small responses."""
    asyncio.run(flood())


def large() -> None:
    """Show what waits for a large one."""
    asyncio.run(flood_with_lists())
