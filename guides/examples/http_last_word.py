"""A refusal that arrives, and one that does not: the lingering close, switched on and off."""

import asyncio
import socket

from taskflow.app import build_app
from taskflow.connection import Connection, State

BODY = b"x" * 32 * 1024 * 1024


class Hasty(Connection):
    """The connection of step 1, except that it closes the socket right after its response."""

    def _close_after_flush(self) -> None:
        self._state = State.CLOSING
        self.transport.close()


def client(port: int) -> str:
    """Send all of a body that is too large, then read, as simple clients do."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            head = f"POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n\r\n"
            connection.sendall(head.encode() + BODY)
            response = connection.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            return "the connection broke, and the client never read why"
    return f"status {response.split(b' ')[1].decode()}"


async def ask(kind: type[Connection]) -> str:
    """Return what the client learns from a server with this kind of connection."""
    app = build_app()
    connections: set[Connection] = set()
    listener = await asyncio.get_running_loop().create_server(
        lambda: kind(app, connections.add, connections.discard), "127.0.0.1", 0
    )
    try:
        port = listener.sockets[0].getsockname()[1]
        return await asyncio.to_thread(client, port)
    finally:
        listener.close()


def both() -> None:
    """Print what the client learns about the same request from either server."""
    for name, kind in (("closes at once", Hasty), ("step 1, lingers", Connection)):
        print(f"{name + ':':17}{asyncio.run(ask(kind))}")
