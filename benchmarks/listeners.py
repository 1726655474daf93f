"""`python -m benchmarks.listeners PORT CLIENTS EVENTS`: WebSockets that only count.

They connect, say `ready` on stdout, and read until each of them has seen EVENTS events. Then it
goes to stdout, as JSON, when the last byte of each event came to each client, by the clock that
all processes share. Frames are told apart by their lengths alone, in one thread, without asyncio:
a client that costs more than the server would be what is measured.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time

from benchmarks.client import AUTHORIZATION, encode

PATIENCE = 60.0  # seconds without an event, before something is wrong
HANDSHAKE = encode(
    "GET",
    "/ws/tasks",
    headers=[
        AUTHORIZATION,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ],
)
WELCOME = 1  # frames before the events: connection.ready


class Listener:
    """One client: how far it is in the frames that come."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.sendall(HANDSHAKE)
        self._rest = b""
        while (end := self._rest.find(b"\r\n\r\n")) < 0:
            self._rest += self.socket.recv(4096)
        if not self._rest.startswith(b"HTTP/1.1 101 "):
            raise SystemExit(f"no upgrade: {self._rest!r}")
        data, self._rest = self._rest[end + 4 :], b""
        self.times: list[float] = []
        self._note(data)  # what came right behind the handshake

    def take(self, buffer: memoryview) -> None:
        """Read once, and note the time of each frame that is whole now."""
        count = self.socket.recv_into(buffer)
        if not count:
            raise SystemExit("the server has closed a connection")
        self._note(self._rest + bytes(buffer[:count]))

    def _note(self, data: bytes) -> None:
        start, now = 0, time.monotonic()
        while (end := frame_end(data, start)) <= len(data):
            start = end
            self.times.append(now)
        self._rest = data[start:]


def frame_end(data: bytes, start: int) -> int:
    """Where the frame that begins here ends; behind the data if that is not known yet."""
    if len(data) < start + 4:
        return len(data) + 1
    length = data[start + 1]
    if length == 126:
        return start + 4 + int.from_bytes(data[start + 2 : start + 4], "big")
    if length == 127:
        raise SystemExit("a frame over 64 KiB is not expected")
    return start + 2 + length


def main(port: str, clients: str, events: str) -> None:
    """Connect, listen, and tell."""
    listeners = [Listener(int(port)) for _ in range(int(clients))]
    wanted = WELCOME + int(events)
    selector = selectors.DefaultSelector()
    buffer = memoryview(bytearray(256 * 1024))
    for listener in listeners:
        while not listener.times:
            listener.take(buffer)
        selector.register(listener.socket, selectors.EVENT_READ, listener)
    print("ready", flush=True)
    left = len(listeners)
    while left:
        if not (ready := selector.select(PATIENCE)):
            raise SystemExit("events are missing")
        for key, _ in ready:
            key.data.take(buffer)
            if len(key.data.times) == wanted:
                selector.unregister(key.fileobj)
                left -= 1
    print(json.dumps([listener.times[WELCOME:] for listener in listeners]))


if __name__ == "__main__":
    main(*sys.argv[1:])
