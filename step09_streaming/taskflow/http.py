"""HTTP/1.1 messages: bytes in, requests out; answers out, bytes back (RFC 9110, RFC 9112).

This module is pure. It never sees a socket, a clock or an event loop, so everything in it can be
tested by calling it. Its rules:

- However the bytes are cut on their way, the parser returns the same requests.
- What can be read in two ways is refused. Two servers that read one message differently are how
  requests are smuggled past a proxy (RFC 9112, 11.2).
- Every size has a bound.
- A refused message is the last one: nothing after it can be trusted to begin where it seems to.
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from taskflow import errors
from taskflow.chunked import ChunkedDecoder

MAX_HEAD_BYTES = 16 * 1024
MAX_HEADERS = 100
MAX_BODY_BYTES = 1024 * 1024

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"  # RFC 9110, 5.6.2; `++` never goes back: linear time
REQUEST_LINE = re.compile(rb"(%b) ([\x21\x22\x24-\x7e]+) HTTP/(\d)\.(\d)\r\n" % TOKEN)
HEADER_LINE = re.compile(rb"(%b):([\t\x20-\x7e\x80-\xff]*)\r\n" % TOKEN)
BEGUN_LINE = re.compile(rb"(?:%b[\t\x20-\x7e\x80-\xff]*)?\r?" % TOKEN)  # may become one of the two

ONLY_ONCE = {"host", "content-length", "content-type", "origin", "authorization"}
HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.~%!$&'()*+,;=-]+)(?::\d{0,5})?", re.ASCII)
VALUES = {"host": HOST, "content-length": re.compile("[0-9]{1,15}")}  # refused as they come
ABSOLUTE_FORM = re.compile(f"https?://({HOST.pattern})((?:[/?].*)?)", re.ASCII | re.IGNORECASE)
BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

REASONS = {status.value: status.phrase for status in HTTPStatus}
REASONS |= {413: "Content Too Large", 422: "Unprocessable Content"}  # older Pythons: older names


async def no_body() -> bytes:
    """Receive nothing: the end of a body is an empty piece."""
    return b""


@dataclass(slots=True, eq=False)
class Request:
    """One request whose head is complete. Its body may still be on the way."""

    method: str = ""
    path: str = ""  # percent-decoded, once
    query: str = ""  # as it came
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case
    keep_alive: bool = False
    content_length: int = 0
    expects_continue: bool = False  # the client waits for "100 Continue" before it sends the body
    chunked: bool = False  # the body comes in chunks, and has no length before its end
    minor: str = "1"  # of HTTP/1.x: a client of 1.0 is sent no chunks
    receive: Callable[[], Awaitable[bytes]] = no_body  # the next piece of the body, b"" at its end
    params: dict[str, str] = field(default_factory=dict)  # what the router read from the path
    context: dict[str, Any] = field(default_factory=dict)  # what links of the chain learn
    on_answered: Callable[["Request", "Response", int], None] = lambda *_: None  # int: body bytes
    refusal: errors.TaskflowError | None = None  # why the bytes are no request, if they are none

    def check_length(self) -> None:
        """Raise PayloadTooLarge if the body says that it is over MAX_BODY_BYTES."""
        if self.content_length > MAX_BODY_BYTES:
            raise errors.PayloadTooLarge(f"the body has more than {MAX_BODY_BYTES} bytes")

    async def read(self) -> bytes:
        """Return the whole body, waiting for what has not arrived. Raises PayloadTooLarge."""
        self.check_length()
        body = bytearray()
        while piece := await self.receive():
            body += piece
            self.content_length = max(self.content_length, len(body))  # chunks do not say before
            self.check_length()
        return bytes(body)


@dataclass(slots=True, eq=False)
class Response:
    """An answer, before it is bytes."""

    status: int
    body: bytes | AsyncGenerator[bytes, None] = b""  # whole, or made while it is sent
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"


Handler = Callable[[Request], Awaitable[Response]]


def encode_head(response: Response, date: str, keep_alive: bool) -> bytes:
    """Return the head of an answer (RFC 9112, 4)."""
    status = response.status
    head = f"HTTP/1.1 {status} {REASONS[status]}\r\nDate: {date}\r\n"
    if status != 204:  # No Content, which has no length either (RFC 9110, 8.6)
        head += f"Content-Type: {response.content_type}\r\n"
        if isinstance(response.body, bytes):
            head += f"Content-Length: {len(response.body)}\r\n"
    for name, value in response.headers.items():
        head += f"{name}: {value}\r\n"
    head += f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n"
    return head.encode("latin-1")


class Incomplete(Exception):
    """The head goes on in bytes that have not arrived."""


class RequestParser:
    """Turns the bytes of one connection into its requests, one after the other.

    Give it bytes with `feed`, and call `next_request` until it returns None. After a request, its
    body is taken with `take_body` until `body_left` is 0; only then does the next begin.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._start = 0  # what is before it in the buffer has been used
        self._repeated = RepeatedHeaders()
        self.body_left = 0  # bytes of the current body that have not been taken yet
        self._chunks: ChunkedDecoder | None = None  # of a chunked body; then body_left is a bool

    def feed(self, data: bytes) -> None:
        """Append bytes as they came."""
        self._buffer = self._buffer[self._start :] + data
        self._start = 0

    @property
    def unread(self) -> int:
        """How many bytes wait in the buffer."""
        return len(self._buffer) - self._start

    @property
    def between_requests(self) -> bool:
        """Whether a client that stops here leaves nothing half said."""
        return self.body_left == 0 and self._buffer[self._start :] in (b"", b"\r\n")

    def next_request(self) -> Request | None:
        """Return the next request once its head is complete, None before. O(bytes of the head).

        A message that is refused is a request too, one that carries its refusal. So it goes the
        way of all requests, and is answered where all are.
        """
        if not self.unread:
            return None
        try:
            request, self._start = parse_head(self._buffer, self._start, self._repeated)
        except Incomplete:
            return None
        except errors.TaskflowError as refusal:
            is_head = self._buffer.startswith((b"HEAD ", b"\r\nHEAD "), self._start)
            return Request("HEAD" if is_head else "", refusal=refusal)  # HEAD takes no body
        self._chunks = ChunkedDecoder() if request.chunked else None
        self.body_left = request.chunked or request.content_length
        return request

    def take_body(self) -> bytes:
        """Return what has arrived of the current body, b"" if nothing. Raises BadRequest."""
        if self._chunks is not None:
            piece, self._start = self._chunks.take(self._buffer, self._start)
            self.body_left = not self._chunks.complete
            return piece
        piece = self._buffer[self._start : self._start + self.body_left]
        self._start += len(piece)
        self.body_left -= len(piece)
        return piece


@dataclass(slots=True)
class RepeatedHeaders:
    """The header lines of the request before, and what they say.

    With a token in every request, a client that keeps its connection mostly sends the same lines
    again and again. The same bytes say the same, so they are read once.
    """

    lines: bytes = b"\r\n"  # the empty line at the end included
    headers: dict[str, str] = field(default_factory=dict)

    def read(self, data: bytes, start: int, end: int) -> tuple[dict[str, str], int]:
        """Return the headers that begin at `start`, and where they end. Raises as `parse_head`."""
        if not data.startswith(self.lines, start, end):
            self.headers, position = _parse_headers(data, start, end)
            self.lines = data[start:position]
        return self.headers.copy(), start + len(self.lines)


def parse_head(data: bytes, start: int, repeated: RepeatedHeaders) -> tuple[Request, int]:
    """Parse the head that begins at `start`; return it and where it ends.

    A head is read line by line, and a line is judged when its last byte is there. So what is
    refused, and why, does not depend on how the bytes were cut. Raises Incomplete if all is well
    so far, and a TaskflowError if not.
    """
    if data.startswith(b"\r\n", start):  # one empty line may come before (RFC 9112, 2.2)
        start += 2
    end = start + MAX_HEAD_BYTES
    line = _line_at(REQUEST_LINE, data, start, end)
    method, target, major, minor = [part.decode() for part in line.groups()]
    if method not in METHODS:
        raise errors.NotImplementedYet(f"there is no method {method[:20]}")
    if major != "1":
        raise errors.HttpVersionNotSupported("this server speaks HTTP/1.0 and HTTP/1.1")
    authority, path, query = split_target(target)
    headers, position = repeated.read(data, line.end(), end)
    if minor != "0" and "host" not in headers:
        raise errors.BadRequest("the header host is missing")
    if authority:
        headers["host"] = authority  # the target has the last word (RFC 9112, 3.2.2)
    keep_alive = _keep_alive(headers, minor) if "connection" in headers else minor != "0"
    length = _content_length(headers, minor)
    expects_continue = minor != "0" and headers.get("expect", "").lower() == "100-continue"
    said = (method, path, query, headers, keep_alive, length, expects_continue)
    return Request(*said, "transfer-encoding" in headers, minor), position


def _parse_headers(data: bytes, position: int, end: int) -> tuple[dict[str, str], int]:
    headers: dict[str, str] = {}
    count = 0
    while not data.startswith(b"\r\n", position, end):
        line = _line_at(HEADER_LINE, data, position, end)
        position, count = line.end(), count + 1
        if count > MAX_HEADERS:
            raise errors.HeadersTooLarge(f"the head has more than {MAX_HEADERS} headers")
        name, value = line[1].decode().lower(), line[2].strip(b" \t").decode("latin-1")
        if name in VALUES and not VALUES[name].fullmatch(value):
            raise errors.BadRequest(f"the header {name} has a value that it may not have")
        if name not in headers:
            headers[name] = value
        elif name in ONLY_ONCE:
            raise errors.BadRequest(f"the header {name} came twice")
        else:
            headers[name] += ", " + value  # a list in several lines (RFC 9110, 5.3)
    return headers, position + 2


def _line_at(pattern: re.Pattern[bytes], data: bytes, position: int, end: int) -> re.Match[bytes]:
    """Return the line that begins at `position`, or raise why there is none."""
    if line := pattern.match(data, position, end):
        return line
    if BEGUN_LINE.fullmatch(data, position, end) is None:
        raise errors.BadRequest("the head has a malformed line")
    if len(data) >= end:
        raise errors.HeadersTooLarge(f"the head has more than {MAX_HEAD_BYTES} bytes")
    raise Incomplete


def split_target(target: str) -> tuple[str, str, str]:
    """Return authority, decoded path and raw query of a request target (RFC 9112, 3.2).

    The path is decoded here and nowhere else: what is decoded twice can hide a `..` or a `/`.
    """
    authority = ""
    if absolute := ABSOLUTE_FORM.fullmatch(target):
        authority, target = absolute[1], "/" + absolute[2].removeprefix("/")
    if not target.startswith("/"):
        raise errors.BadRequest("the target is neither a path nor an absolute URL")
    path, _, query = target.partition("?")
    try:
        decoded = unquote(path, errors="strict")
    except UnicodeDecodeError:
        raise errors.BadRequest("the path is not UTF-8") from None
    if BAD_ESCAPE.search(path) or "\0" in decoded:
        raise errors.BadRequest("the path has a bad percent-encoding or a NUL in it")
    return authority, decoded, query


def _content_length(headers: dict[str, str], minor: str) -> int:
    """Return how long the body is; raise if two readers could disagree (RFC 9112, 6.3)."""
    if "transfer-encoding" in headers:
        if "content-length" in headers or minor == "0":
            raise errors.BadRequest("the header transfer-encoding may not stand here")
        if headers["transfer-encoding"].lower() != "chunked":
            raise errors.NotImplementedYet("there is no transfer coding but chunked here")
    return int(headers.get("content-length", "0"))


def _keep_alive(headers: dict[str, str], minor: str) -> bool:
    """Whether the client can take another answer on this connection (RFC 9112, 9.3)."""
    options = {option.strip() for option in headers["connection"].lower().split(",")}
    return "close" not in options and (minor != "0" or "keep-alive" in options)
