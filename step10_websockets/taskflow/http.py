"""HTTP messages: a request, a response, and the bytes of a response (RFC 9110, RFC 9112).

This module is pure: it knows nothing about sockets, clocks or event loops. `parser.py` makes the
requests, and `connection.py` sends the bytes of the responses.
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol

from taskflow.context import Context
from taskflow.errors import PayloadTooLarge, TaskflowError, UnsupportedCoding, UnsupportedMediaType

MAX_BODY_BYTES = 1024 * 1024

# The most that is handed to the transport at once.
BATCH_BYTES = 64 * 1024

# Python before 3.13 has older names for two statuses (RFC 9110, 15.5.14 and 15.5.21).
REASONS = {status.value: status.phrase for status in HTTPStatus}
REASONS |= {413: "Content Too Large", 422: "Unprocessable Content"}

# A charset other than UTF-8 after a media type in lower case (RFC 9110, 8.3.2).
OTHER_CHARSET = re.compile(r';\s*charset\s*=\s*+"?+(?!utf-?8"?\s*(?:;|$))')


async def no_body() -> bytes:
    """Receive nothing: an empty piece is the end of a body."""
    return b""


def check_length(count: int) -> None:
    """Raise PayloadTooLarge for a body of so many bytes, if it is over MAX_BODY_BYTES."""
    if count > MAX_BODY_BYTES:
        raise PayloadTooLarge(f"the body has more than {MAX_BODY_BYTES} bytes")


def ignore(request: "Request", status: int, sent: int) -> None:
    """Do nothing when a response has been sent."""


@dataclass(slots=True, eq=False)
class Request:
    """A request whose head is complete. Its body may still be arriving."""

    method: str = ""

    # Percent-decoded, once.
    path: str = ""

    # As it was sent.
    query: str = ""

    # By name, in lower case.
    headers: dict[str, str] = field(default_factory=dict)

    # The client can use this connection for another request.
    keep_alive: bool = False

    # Such a client cannot read chunks (RFC 9112, 7.1).
    is_http_1_0: bool = False

    # Bytes of the body. A chunked body does not announce its length.
    content_length: int = 0
    is_chunked: bool = False

    # The client waits for "100 Continue" before it sends the body.
    expects_continue: bool = False

    # Returns the next piece of the body, or b"" at its end.
    receive: Callable[[], Awaitable[bytes]] = no_body

    # The parts of the path that a route leaves open, such as {id}, by name.
    params: dict[str, str] = field(default_factory=dict)

    # What the links of the chain have learnt.
    context: Context = field(default_factory=Context)

    # The address from which it came.
    client: str = ""

    # Called when the response has been sent, with its status and the bytes of its body.
    on_sent: Callable[["Request", int, int], None] = ignore

    # Why this is not a request that can be served, if it is not.
    refusal: TaskflowError | None = None

    def check_length(self) -> None:
        """Raise PayloadTooLarge if the announced body is over MAX_BODY_BYTES."""
        check_length(self.content_length)

    def check_media_type(self, *expected: str) -> None:
        """Raise UnsupportedMediaType if the body is not declared as one of these types in UTF-8.

        A body without a type is taken for the first of them. Raises UnsupportedCoding if the body
        is compressed. Call this before reading the body.
        """
        content_type = self.headers.get("content-type", expected[0]).lower()
        media_type = content_type.split(";")[0].strip()
        if media_type not in expected or OTHER_CHARSET.search(content_type):
            raise UnsupportedMediaType(f"the body must be {' or '.join(expected)}, in UTF-8")
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedCoding("the body must not have a content coding, such as gzip")

    async def read(self) -> bytes:
        """Return the whole body, after waiting for the rest of it. Raises PayloadTooLarge."""
        self.check_length()
        body = bytearray()
        while (self.is_chunked or len(body) < self.content_length) and (
            piece := await self.receive()
        ):
            body += piece
            check_length(len(body))
        return bytes(body)


class Successor(Protocol):
    """A protocol that takes a connection over: an asyncio.Protocol, which this module avoids."""

    def connection_made(self, transport: Any) -> None:
        """Take the transport."""

    def data_received(self, data: bytes) -> None:
        """Take bytes, beginning with those that followed the request, and resume reading."""

    def eof_received(self) -> Any:
        """Take the EOF of the client."""


@dataclass(slots=True, eq=False)
class Response:
    """A response before it becomes bytes.

    The body is bytes, or a sequence of pieces that together are the body. The pieces are never
    joined: any number of responses can share them with the tasks that they show. A body that is
    made while it is sent is a generator.
    """

    status: int
    body: bytes | Sequence[bytes] | AsyncGenerator[bytes, None] = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"

    # With status 101: the protocol that takes the connection over.
    successor: Successor | None = None

    @property
    def pieces(self) -> Sequence[bytes]:
        """The body as a sequence of pieces. A body that is yet to be made has none."""
        if isinstance(self.body, bytes):
            return (self.body,)
        return () if isinstance(self.body, AsyncGenerator) else self.body


Handler = Callable[[Request], Awaitable[Response]]


def encode_head(response: Response, date: str, keep_alive: bool) -> bytes:
    """Return the head of a response (RFC 9112, 4)."""
    status = response.status
    head = f"HTTP/1.1 {status} {REASONS[status]}\r\nDate: {date}\r\n"
    # Neither 101 nor 204 has a body, and so no length either (RFC 9110, 8.6).
    if status not in (101, 204):
        head += f"Content-Type: {response.content_type}\r\n"
        if not isinstance(response.body, AsyncGenerator):
            head += f"Content-Length: {sum(map(len, response.pieces))}\r\n"
    for name, value in response.headers.items():
        head += f"{name}: {value}\r\n"
    option = "keep-alive" if keep_alive else "close"
    # An upgrade, done or demanded, is announced in two headers (RFC 9110, 7.8 and 15.5.22). After
    # 101 there is no other request, so nothing is said about one.
    if "Upgrade" in response.headers:
        option = "Upgrade" if status == 101 else f"Upgrade, {option}"
    head += f"Connection: {option}\r\n\r\n"
    return head.encode("latin-1")


def batches(head: bytes, pieces: Sequence[bytes]) -> Iterable[bytes]:
    """Return the head and the pieces in batches of at most BATCH_BYTES.

    A small response leaves in one system call, and of a large one no more than a batch is copied.
    """
    if len(head) + sum(map(len, pieces)) <= BATCH_BYTES:
        return [b"".join([head, *pieces])]
    return _batches([head, *pieces])


def _batches(pieces: Iterable[bytes]) -> Iterator[bytes]:
    batch: list[bytes] = []
    room = BATCH_BYTES
    for piece in pieces:
        for start in range(0, len(piece), BATCH_BYTES):
            part = piece[start : start + BATCH_BYTES]
            if len(part) > room:
                yield b"".join(batch)
                batch.clear()
                room = BATCH_BYTES
            batch.append(part)
            room -= len(part)
    yield b"".join(batch)
