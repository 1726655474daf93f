"""A running server, and clients that send it bytes as they are and read its answers strictly."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from taskflow.connection import Connection
from taskflow.http import Handler, Request, Response
from taskflow.server import Server

PATIENCE = 10.0  # seconds; never waited out when all is well


async def until(condition: Callable[[], object]) -> None:
    """Let the event loop turn until the condition holds. Raises TimeoutError if it never does."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  no event tells what the other end has done
            await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


class Wire:
    """The client's end of one connection."""

    def __init__(self, port: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setblocking(False)
        self._buffer = b""

    async def send(self, data: bytes) -> None:
        """Send all of it, as far as the server takes it."""
        await self._loop.sock_sendall(self._socket, data)

    async def answer(self, method: str = "GET") -> Answer:
        """Return the next answer; one to HEAD has no body."""
        head = await self._until(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        headers = {name.lower(): value for name, value in headers.items()}
        assert len(headers) == len(lines)
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1"
        length = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
        while len(self._buffer) < length:
            await self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Answer(int(status), headers, body)

    async def rest(self) -> bytes:
        """Return all that comes until the server ends the connection."""
        try:
            while True:
                await self._more()
        except EOFError:
            return self._buffer

    async def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            await self._more()
        taken, _, self._buffer = self._buffer.partition(mark)
        return taken

    async def _more(self) -> None:
        piece = await self._loop.sock_recv(self._socket, 262_144)
        if not piece:
            raise EOFError(self._buffer)
        self._buffer += piece

    def end(self) -> None:
        """Send no more, and go on reading: a half-close."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Leave at once: the server sees a reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def close(self) -> None:
        """Leave politely."""
        self._socket.close()


@dataclass(slots=True)
class Serving:
    """A server on a free port, and the clients that came."""

    server: Server
    port: int
    wires: list[Wire]

    async def connect(self) -> Wire:
        """Return a client whose connection the server has accepted."""
        before = set(self.server.connections)
        self.wires.append(wire := Wire(self.port))
        await until(lambda: self.server.connections - before)
        return wire

    @property
    def connection(self) -> Connection:
        """The server's end of the only connection."""
        [connection] = self.server.connections
        return connection


@asynccontextmanager
async def serving(app: Handler, max_connections: int = 1000) -> AsyncIterator[Serving]:
    """Serve the app while the block runs; then see to it that nothing of it stays behind."""
    server = Server(app, max_connections)
    served = Serving(server, await server.start("127.0.0.1", 0), [])
    try:
        yield served
    finally:
        for wire in served.wires:
            wire.close()
        await server.stop()
        await until(lambda: not server.connections and len(asyncio.all_tasks()) == 1)


def message(method: str, target: str, body: bytes = b"", *lines: str) -> bytes:
    """Return a request as bytes."""
    head = [f"{method} {target} HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join([*head, "", ""]).encode() + body


async def echo(request: Request) -> Response:
    """Answer with what was asked, and the body."""
    return Response(200, f"{request.method} {request.path} ".encode() + await request.read())


async def careless(request: Request) -> Response:
    """Answer without a look at the body."""
    return Response(200, request.path.encode())


class Gate:
    """An app that answers `/now` at once, and all else only when the gate is opened."""

    def __init__(self) -> None:
        self.begun: list[str] = []  # the paths, in the order in which they reached the app
        self.cancelled: list[str] = []
        self.opened = asyncio.Event()

    async def __call__(self, request: Request) -> Response:
        self.begun.append(request.path)
        try:
            if request.path != "/now":
                await self.opened.wait()
            return await echo(request)
        except asyncio.CancelledError:
            self.cancelled.append(request.path)
            raise


async def ask(wire: Wire, path: str) -> bytes:
    """Return the body of the answer to a GET."""
    await wire.send(message("GET", path))
    return (await wire.answer()).body
