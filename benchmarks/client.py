"""A client that costs little, so that what is measured is the server.

It keeps one connection, and reads answers by their Content-Length alone.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from benchmarks.processes import TOKEN, CannotMeasure

AUTHORIZATION = f"Authorization: Bearer {TOKEN}"
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


def encode(method: str, path: str, body: bytes = b"", headers: Sequence[str] = ()) -> bytes:
    """Return a request; its body is JSON."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "\r\n"]).encode() + body


def body_of(answer: bytes) -> Any:
    """Return what the JSON of an answer says."""
    return json.loads(answer.partition(b"\r\n\r\n")[2])


class Client:
    """One connection to a server on this machine."""

    def __init__(self, port: int, refusals: bool = False) -> None:
        self._refusals = refusals  # whether answers other than 2xx are fine
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def exchange(self, request: bytes) -> bytes:
        """Send a request and return the answer, head and body. Raises unless it is 2xx."""
        self._socket.sendall(request)
        return self._answer()

    def pipeline(self, requests: Sequence[bytes]) -> list[bytes]:
        """Send requests at once and return the answers."""
        self._socket.sendall(b"".join(requests))
        return [self._answer() for _ in requests]

    def create(
        self, *fields: dict[str, object], headers: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Make tasks, with pipelined requests, and return them."""
        requests = [encode("POST", "/tasks", json.dumps(one).encode(), headers) for one in fields]
        return [body_of(answer) for answer in self.pipeline(requests)]

    def ask(self, method: str, path: str) -> Any:
        """Send a request with a token and without a body; return what the answer holds."""
        return body_of(self.exchange(encode(method, path, headers=[AUTHORIZATION])))

    def _answer(self) -> bytes:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._receive()
        length = _LENGTH.search(self._buffer, 0, end)
        end += 4 + (int(length[1]) if length else 0)
        while len(self._buffer) < end:
            self._receive()
        answer, self._buffer = self._buffer[:end], self._buffer[end:]
        if not self._refusals and not answer.startswith(b"HTTP/1.1 2"):
            raise CannotMeasure(f"the server answered {answer[:200]!r}")
        return answer

    def _receive(self) -> None:
        data = self._socket.recv(256 * 1024)
        if not data:
            raise CannotMeasure("the server has closed the connection")
        self._buffer += data
