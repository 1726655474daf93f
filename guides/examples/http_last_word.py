"""A refusal that arrives, and one that does not: the lingering close, switched on and off."""

import asyncio
import socket

from taskflow.app import build_app
from taskflow.server import Connection, Server

BODY = b"x" * 32 * 1024 * 1024


class Hasty(Connection):
    """The connection of step 1, but it closes the socket as soon as it has answered."""

    def _close(self) -> None:
        self._closing = True
        self.transport.close()


def client(port: int) -> str:
    """Send a body that is too large, all of it, then read: as simple clients do."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            head = f"POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n\r\n"
            connection.sendall(head.encode() + BODY)
            answer = connection.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            return "the connection broke, and the client never read why"
    return f"status {answer.split(b' ')[1].decode()}"


async def ask(kind: type[Connection]) -> str:
    """Return what the client learns from a server with this kind of connection."""
    server, loop = Server(build_app()), asyncio.get_running_loop()
    listener = await loop.create_server(lambda: kind(server), "127.0.0.1", 0)
    try:
        port = listener.sockets[0].getsockname()[1]
        return await asyncio.to_thread(client, port)
    finally:
        listener.close()


def both() -> None:
    """Print what becomes of the same request on either server."""
    for name, kind in (("closes at once", Hasty), ("step 1, lingers", Connection)):
        print(f"{name + ':':17}{asyncio.run(ask(kind))}")
