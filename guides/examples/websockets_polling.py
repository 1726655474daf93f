"""Who wants to know what happens: those who ask again and again, and those who are told.

    python3 guides/examples/websockets_polling.py localhost:3000 10 20

Ten clients follow ten tasks. They ask 20 times, and in that time two tasks are changed. Then ten
others listen while the same happens again. No clock decides anything here: what is counted is what
goes over the wire.
"""

import re
import socket
import sys

from memory_talk import Client, request
from websockets_wire import HANDSHAKE, TEXT, Wire

TASKS, CHANGES = 10, 2
POLL = b"GET /tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret-user-123\r\n\r\n"
LENGTH = re.compile(rb"\r\nContent-Length: (\d+)")


class Poller:
    """A client that asks for all tasks, and sees whether they differ from those it knows."""

    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=30)
        self._known = b""
        self.news = self.bytes = 0

    def ask(self) -> None:
        """Ask once."""
        self._socket.sendall(POLL)
        head, _, body = self._socket.recv(65536).partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        assert length is not None
        while len(body) < int(length[1]):
            body += self._socket.recv(65536)
        self.bytes += len(POLL) + len(head) + 4 + len(body)
        self.news += self._known not in (b"", body)
        self._known = body

    def close(self) -> None:
        """Leave."""
        self._socket.close()


def poll(address: str, clients: int, times: int, change: list[str]) -> tuple[int, int, int]:
    """Return how many requests were sent, how many told something new, and all bytes."""
    admin = Client(address)
    pollers = [Poller(address) for _ in range(clients)]
    moments = {times * (number + 1) // (CHANGES + 1) for number in range(CHANGES)}
    for now in range(times):
        if now in moments:
            admin.ask("PATCH", f"/tasks/{change[now % TASKS]}", {"priority": 10 + now})
        for poller in pollers:
            poller.ask()
    for poller in pollers:
        poller.close()
    admin.close()
    news = sum(poller.news for poller in pollers)
    return clients * times, news, sum(poller.bytes for poller in pollers)


def listen(address: str, clients: int, change: list[str]) -> tuple[int, int, int]:
    """Return the same for clients that are told."""
    admin = Client(address)
    wires = [Wire(address) for _ in range(clients)]
    for wire in wires:
        wire.receive()  # connection.ready
    for number in range(CHANGES):
        admin.ask("PATCH", f"/tasks/{change[number]}", {"priority": 1000 + number})
    news = sum(wire.receive()[0] == TEXT for wire in wires for _ in range(CHANGES))
    for wire in wires:
        wire.close()
    admin.close()
    return clients, news, sum(len(HANDSHAKE) + wire.received for wire in wires)


def main() -> None:
    """Count both."""
    address, clients, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    admin = Client(address)
    tasks = [admin.ask("POST", "/tasks", {"title": f"Task {n}"})["id"] for n in range(TASKS)]
    rows = {
        "polling": poll(address, clients, times, tasks),
        "push": listen(address, clients, tasks),
    }
    for name, (requests, news, size) in rows.items():
        print(f"{name:8} {requests:6,} requests, {news:4} told something new, {size:11,} bytes")
    admin.pipeline([request("DELETE", f"/tasks/{task}") for task in tasks])
    admin.close()


if __name__ == "__main__":
    main()
