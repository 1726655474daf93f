"""A client that sends requests and never reads an answer: where does all that wait?"""

import asyncio
import socket
from contextlib import suppress

from taskflow.app import build_app
from taskflow.server import READ_AHEAD, Server

REQUESTS = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 10_000
RECV = 256 * 1024  # bytes that asyncio takes from a socket at once
KIB = 1024


async def flood() -> None:
    """Send until nothing moves for a second; then look into the server."""
    server, loop = Server(build_app()), asyncio.get_running_loop()
    port = await server.start("127.0.0.1", 0)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setblocking(False)
        with suppress(TimeoutError):
            while True:
                await asyncio.wait_for(loop.sock_sendall(client, REQUESTS), timeout=1)
        connection = next(iter(server.connections))
        waiting = connection._parser.unread
        answers = connection.transport.get_write_buffer_size()
        print("the client can send no more")
        print(f"requests in the parser at most {(READ_AHEAD + RECV) // KIB} KiB:", end=" ")
        print(waiting <= READ_AHEAD + RECV)
        print("answers in the transport at most 65 KiB:", answers <= 65 * KIB)
    server.stop()


def main() -> None:
    """Run it."""
    asyncio.run(flood())
