"""HTTP messages: a request, a response, and the bytes of a response (RFC 9110, RFC 9112).

This module is pure: it knows nothing about sockets, clocks or event loops. `parser.py` makes the
requests, and `connection.py` sends the bytes of the responses.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

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

    # Bytes of the body.
    content_length: int = 0

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
        if self.content_length > MAX_BODY_BYTES:
            raise PayloadTooLarge(f"the body has more than {MAX_BODY_BYTES} bytes")

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
        while len(body) < self.content_length and (piece := await self.receive()):
            body += piece
        return bytes(body)


@dataclass(slots=True, eq=False)
class Response:
    """A response before it becomes bytes.

    The body is bytes, or a sequence of pieces that together are the body. The pieces are never
    joined: any number of responses can share them with the tasks that they show.
    """

    status: int
    body: bytes | Sequence[bytes] = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"

    @property
    def pieces(self) -> Sequence[bytes]:
        """The body as a sequence of pieces."""
        return (self.body,) if isinstance(self.body, bytes) else self.body


Handler = Callable[[Request], Awaitable[Response]]


def encode_head(response: Response, date: str, keep_alive: bool) -> bytes:
    """Return the head of a response (RFC 9112, 4)."""
    status = response.status
    head = f"HTTP/1.1 {status} {REASONS[status]}\r\nDate: {date}\r\n"
    # 204 No Content has no body, and so no length either (RFC 9110, 8.6).
    if status != 204:
        length = sum(map(len, response.pieces))
        head += f"Content-Type: {response.content_type}\r\nContent-Length: {length}\r\n"
    for name, value in response.headers.items():
        head += f"{name}: {value}\r\n"
    option = "keep-alive" if keep_alive else "close"
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
