"""The outbox: bytes on their way out, which are written in a row at the end of a turn.

    turn of the event loop: response ─┐
                            response ─┼─► outbox ─► write, write, write
                            response ─┘

A client that has read everything sleeps. To wake one on the same machine, usually a proxy, takes
longer than the rest of the system call. If each response is written as soon as it is made, the
client reads it, sends the next request, and is asleep again before the next response comes. In a
row, most writes find their client awake (benchmarks/final_http.py compares both).
"""

import asyncio

# A response of up to this many bytes may wait for the end of a turn of the event loop.
SMALL_BYTES = 8 * 1024


class Outbox:
    """The bytes that wait for the end of this turn of the event loop, of all connections."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []

    def put(self, transport: asyncio.Transport, data: bytes) -> None:
        """Write bytes at the end of this turn, before anything that is called later. O(1)."""
        if not self._waiting:
            self._loop.call_soon(self._write)
        self._waiting.append((transport, data))

    def _write(self) -> None:
        waiting = self._waiting
        self._waiting = []
        for transport, data in waiting:
            if not transport.is_closing():
                transport.write(data)
