"""A client for the scripts of guide 7: one connection, many requests at once."""

import json
import re
import socket
from typing import Any

LENGTH = re.compile(rb"\r\nContent-Length: (\d+)")
HEADERS = "Host: localhost\r\nAuthorization: Bearer secret-admin-123\r\n"
MIB = 1024 * 1024


def request(method: str, target: str, value: object = None) -> bytes:
    """Return the bytes of a request, with the value as JSON if there is one."""
    body = b"" if value is None else json.dumps(value).encode()
    head = f"{method} {target} HTTP/1.1\r\n{HEADERS}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Client:
    """Talks to one server."""

    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=60)
        self._buffer = b""

    def ask(self, method: str, target: str, value: object = None) -> Any:
        """Return what the server answers to one request."""
        return json.loads(self.pipeline([request(method, target, value)])[0])

    def pipeline(self, requests: list[bytes]) -> list[bytes]:
        """Send all at once, then return the bodies of all answers."""
        self._socket.sendall(b"".join(requests))
        return [self._answer() for _ in requests]

    def resident(self) -> float:
        """Return the resident memory of the server in MiB."""
        report = self.ask("GET", "/tasks/system/memory")
        return float(report["process"]["residentBytes"]) / MIB

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def _answer(self) -> bytes:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._receive()
        head = self._buffer[: end + 4]
        length = LENGTH.search(head)
        end = len(head) + (int(length[1]) if length else 0)
        while len(self._buffer) < end:
            self._receive()
        body, self._buffer = self._buffer[len(head) : end], self._buffer[end:]
        assert head.startswith(b"HTTP/1.1 2"), (head, body)
        return body

    def _receive(self) -> None:
        data = self._socket.recv(256 * 1024)
        assert data, "the server has closed the connection"
        self._buffer += data
