"""The HTTP client of the tour: sends requests to one server with the token that each one needs.

It uses `http.client`, which shares no code with this server. So what this client understands, other
clients understand too.
"""

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from taskflow.config import Tokens

# Seconds. A server that needs longer for a response is considered to hang.
TIMEOUT = 15.0
NO_HEADERS: Mapping[str, str | None] = {}
NO_TOKEN: Mapping[str, str | None] = {"Authorization": None}


class TourError(Exception):
    """The tour cannot begin or go on; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Response:
    """The response to a request. The names of its headers are in lower case."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body. Raises ValueError."""
        return json.loads(self.body)


class Client:
    """A client of one server. It reads with the user token and writes with the admin token."""

    def __init__(self, url: str, tokens: Tokens) -> None:
        try:
            parts = urlsplit(url)
            host = parts.hostname
            self._port = parts.port
        except ValueError:
            raise TourError(f"{url!r} is not an address such as http://127.0.0.1:3000") from None
        if parts.scheme not in ("http", "https") or not host:
            raise TourError(f"{url!r} is not an address such as http://127.0.0.1:3000")
        self.url = url
        self._host = host
        self._tokens = tokens
        self.tls = ssl.create_default_context() if parts.scheme == "https" else None
        # The value of the Host header.
        self.authority = parts.netloc.rpartition("@")[2]
        self.websocket_url = f"ws{parts.scheme[4:]}://{parts.netloc}/ws/tasks"

    def send(
        self,
        method: str,
        target: str,
        value: object = None,
        headers: Mapping[str, str | None] = NO_HEADERS,
    ) -> Response:
        """Send a value as JSON, or bytes unchanged, and return the response.

        A header whose value is None is not sent. Raises TourError if there is no response.
        """
        body = value if isinstance(value, bytes | None) else json.dumps(value).encode()
        content_type = {"Content-Type": "application/json"} if body else {}
        fields = {**self.authorization(method), **content_type, **headers}
        sent = {name: text for name, text in fields.items() if text is not None}
        with self.exchange(method, target, body, sent) as response:
            received = headers_of(response)
            return Response(response.status, response.reason, received, response.read())

    def authorization(self, method: str) -> dict[str, str]:
        """Return the header with the token: the user's for GET and HEAD, or the admin's."""
        token = self._tokens.user if method in ("GET", "HEAD") else self._tokens.admin
        return {"Authorization": f"Bearer {token}"}

    @contextmanager
    def exchange(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Iterator[HTTPResponse]:
        """Send a request, and yield its response during the block. Raises TourError.

        Each request has its own connection, so a broken response affects no other request.
        """
        if self.tls is None:
            connection = HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        else:
            connection = HTTPSConnection(self._host, self._port, timeout=TIMEOUT, context=self.tls)
        try:
            with closing(connection):
                connection.request(method, target, body, {**headers, "Connection": "close"})
                with connection.getresponse() as response:
                    yield response
        except (OSError, HTTPException) as error:
            raise TourError(f"no response to {method} {target}: {message_of(error)}") from None

    def send_bytes(self, data: bytes, piece_size: int) -> bytes:
        """Send bytes in pieces, and return all that the server sends before it closes."""
        try:
            with self._socket() as connection:
                for start in range(0, len(data), piece_size):
                    connection.sendall(data[start : start + piece_size])
                return b"".join(iter(lambda: connection.recv(65536), b""))
        except OSError as error:
            raise TourError(f"no response to bytes in pieces: {message_of(error)}") from None

    @contextmanager
    def _socket(self) -> Iterator[socket.socket]:
        """Open a connection for bytes, encrypted if the server uses HTTPS."""
        port = self._port or (80 if self.tls is None else 443)
        with socket.create_connection((self._host, port), TIMEOUT) as plain:
            # Without this option the system may join small pieces.
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls is None:
                yield plain
                return
            with self.tls.wrap_socket(plain, server_hostname=self._host) as encrypted:
                yield encrypted


def headers_of(response: HTTPResponse) -> dict[str, str]:
    """Return the headers of a response by their names in lower case."""
    return {name.lower(): value for name, value in response.getheaders()}


def message_of(error: Exception) -> str:
    """Return the message of an error, or its class name if it has no message."""
    return str(error) or type(error).__name__
