"""The same 50,000 rows in pieces of different sizes: what a row costs, and how long a piece takes.

Times are processor time of the event loop's thread, so that a busy machine does not count. They
differ from run to run; the script fails if they do not bear out what it says of them.
"""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator
from threading import Thread

from taskflow import streaming
from taskflow.chunked import encode_chunk
from taskflow.deadlines import Timeouts
from taskflow.http import Request, Response
from taskflow.server import Server

ROWS = 50_000
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Measured:
    """One export: how many pieces it has, what is sent around them, and its longest piece."""

    def __init__(self) -> None:
        self.pieces = self.around = 0
        self.longest = self.seconds = 0.0

    async def export(self) -> AsyncGenerator[bytes, None]:
        """Yield the pieces of an export, and note how long each took to make."""
        rows = ((number, f"Task {number}", number % 10) for number in range(ROWS))
        started = time.thread_time()
        async for piece in streaming.csv_table("id,title,priority", rows):
            self.longest = max(self.longest, time.thread_time() - started)
            self.pieces += 1
            self.around += len(encode_chunk(piece)) - len(piece)
            yield piece
            started = time.thread_time()

    async def app(self, request: Request) -> Response:
        """Answer everything with the export."""
        return Response(200, self.export())


def read_all(port: int) -> None:
    """Be a fast client."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(GET)
        while client.recv(256 * 1024):
            pass


async def measure(rows_in_a_piece: int) -> Measured:
    """Export once, to a client in a thread."""
    streaming.ROWS = rows_in_a_piece
    measured = Measured()
    server = Server(measured.app, 10, Timeouts())
    client = Thread(target=read_all, args=(await server.start("127.0.0.1", 0),))
    started = time.thread_time()
    client.start()
    await asyncio.to_thread(client.join)
    measured.seconds = time.thread_time() - started
    await server.stop()
    return measured


def table() -> None:
    """Print what pieces of each size cost."""
    print("| rows in a piece | pieces | bytes around them | the loop works | its longest piece |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    found = {}
    for rows in (1, 10, 100, ROWS):
        found[rows] = one = asyncio.run(measure(rows))
        times = f"{one.seconds * 1000:.0f} ms | {one.longest * 1000:.2f} ms"
        print(f"| {rows:,} | {one.pieces:,} | {one.around:,} | {times} |")
    assert found[1].seconds > 3 * found[100].seconds, "a small piece is not dear"
    assert found[ROWS].longest > 10 * found[100].longest, "a large piece is not long"
    assert found[100].longest < 0.01, "100 rows are too many"
    print()
    print("One row in a piece: the loop works more than 3 times as long as with 100.")
    print("All rows in a piece: the longest piece takes more than 10 times as long as with 100.")
