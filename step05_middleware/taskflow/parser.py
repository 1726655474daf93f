"""The request parser: bytes in, requests out (RFC 9112).

This module is pure, like `http.py`, so everything in it can be tested by calling it. Its rules:

- However the bytes are cut on their way, the parser returns the same requests.
- A message that can be read in two ways is refused. If two servers read one message differently,
  a request can be smuggled past the first of them (RFC 9112, 11.2).
- Every size has a limit.
- A refused message is the last one, because nothing after it can be trusted to begin where it
  seems to begin.
"""

import re
from urllib.parse import unquote

from taskflow import errors
from taskflow.http import Request

MAX_HEAD_BYTES = 16 * 1024
MAX_HEADERS = 100

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}

# A token (RFC 9110, 5.6.2). The possessive `++` never backtracks, so matching takes linear time.
TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
REQUEST_LINE = re.compile(rb"(%b) ([\x21\x22\x24-\x7e]+) HTTP/(\d)\.(\d)\r\n" % TOKEN)
HEADER_LINE = re.compile(rb"(%b):([\t\x20-\x7e\x80-\xff]*)\r\n" % TOKEN)

# The beginning of a line that can still become one of the two.
INCOMPLETE_LINE = re.compile(rb"(?:%b[\t\x20-\x7e\x80-\xff]*)?\r?" % TOKEN)

# The last byte of an incomplete head, and bytes after it that leave it incomplete and valid.
CONTINUATION = re.compile(rb"(?:\n%b)?[\t\x20-\x7e\x80-\xff]*\r?" % TOKEN)

ONLY_ONCE = {"host", "content-length", "content-type", "origin", "authorization"}
HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[\w.~%!$&'()*+,;=-]+)(?::\d{0,5})?", re.ASCII)

# Headers whose values are checked as soon as their line is complete.
VALUES = {"host": HOST, "content-length": re.compile("[0-9]{1,15}")}

ABSOLUTE_FORM = re.compile(f"https?://({HOST.pattern})((?:[/?].*)?)", re.ASCII | re.IGNORECASE)
BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Incomplete(Exception):
    """The head continues in bytes that have not arrived yet."""


class RequestParser:
    """The bytes of one connection, which become its requests, one after the other.

    Add bytes with `feed`, and call `next_request` until it returns None. Take the body of a
    request with `take_body` until `body_is_complete`. Only then does the next request begin.
    """

    def __init__(self) -> None:
        # What has been used is removed. Appending and removing at the front copy nothing else.
        self._buffer = bytearray()

        # The buffer is known to hold the beginning of a head, and not the whole of it.
        self._is_incomplete = False

        # Bytes of the current body that have not been taken yet.
        self._body_left = 0

    def feed(self, data: bytes) -> None:
        """Add the bytes that have just arrived. O(len(data))."""
        if self._is_incomplete and not CONTINUATION.fullmatch(self._buffer[-1:] + data):
            self._is_incomplete = False
        self._buffer += data

    @property
    def unread(self) -> int:
        """The number of bytes in the buffer that have not been used."""
        return len(self._buffer)

    @property
    def between_requests(self) -> bool:
        """Whether the client has sent nothing of another request yet."""
        return self.body_is_complete and bytes(self._buffer[:3]) in (b"", b"\r\n")

    @property
    def body_is_complete(self) -> bool:
        """Whether all of the current body has been taken."""
        return self._body_left == 0

    def next_request(self) -> Request | None:
        """Return the next request once its head is complete, and None before. O(bytes of head).

        A head that arrives in parts is parsed once for each of its lines, and not for each part.
        A message that is refused is returned as a request too, one that carries its refusal. It
        passes through the app like every other request and becomes a response where all do.
        """
        if not self._buffer or (self._is_incomplete and self.unread < MAX_HEAD_BYTES):
            return None
        try:
            request, end = parse_head(self._buffer)
        except Incomplete:
            self._is_incomplete = True
            return None
        except errors.TaskflowError as refusal:
            # The response to HEAD has no body, even if it is a refusal.
            is_head = self._buffer.startswith((b"HEAD ", b"\r\nHEAD "))
            # The traceback refers to the buffer, and the request may outlive the connection.
            return Request("HEAD" if is_head else "", refusal=refusal.with_traceback(None))
        del self._buffer[:end]
        self._body_left = request.content_length
        return request

    def take_body(self) -> bytes:
        """Return the bytes of the current body that have arrived, or b"" if there are none."""
        piece = bytes(self._buffer[: self._body_left])
        del self._buffer[: len(piece)]
        self._body_left -= len(piece)
        return piece


def parse_head(data: bytearray) -> tuple[Request, int]:
    """Parse the head at the beginning of the data. Return the request and the position after it.

    The head is parsed line by line, and each line is checked once its last byte has arrived. So
    the verdict on a head does not depend on how its bytes were cut. Raises Incomplete while the
    head may still become valid, and a TaskflowError once it cannot.
    """
    # One empty line before a request is allowed (RFC 9112, 2.2).
    start = 2 if data.startswith(b"\r\n") else 0
    end = start + MAX_HEAD_BYTES
    line = _line_at(REQUEST_LINE, data, start, end)
    method, target, major, minor = map(bytes.decode, line.groups())
    if method not in METHODS:
        raise errors.NotImplementedYet(f"there is no method {method[:20]}")
    if major != "1":
        raise errors.HttpVersionNotSupported("this server speaks HTTP/1.0 and HTTP/1.1")
    is_http_1_0 = minor == "0"
    authority, path, query = split_target(method, target)
    headers, position = _parse_headers(data, line.end(), end)
    if not is_http_1_0 and "host" not in headers:
        raise errors.BadRequest("the header host is missing")
    if authority:
        # An absolute target overrides the Host header (RFC 9112, 3.2.2).
        headers["host"] = authority
    request = Request(
        method=method,
        path=path,
        query=query,
        headers=headers,
        keep_alive=_keep_alive(headers, is_http_1_0),
        content_length=_content_length(headers, is_http_1_0),
        expects_continue=_expects_continue(headers, is_http_1_0),
    )
    return request, position


def _parse_headers(data: bytearray, position: int, end: int) -> tuple[dict[str, str], int]:
    headers: dict[str, str] = {}
    count = 0
    while not data.startswith(b"\r\n", position, end):
        line = _line_at(HEADER_LINE, data, position, end)
        position = line.end()
        count += 1
        if count > MAX_HEADERS:
            raise errors.HeadersTooLarge(f"the head has more than {MAX_HEADERS} headers")
        name = line[1].decode().lower()
        value = line[2].strip(b" \t").decode("latin-1")
        if name in VALUES and not VALUES[name].fullmatch(value):
            raise errors.BadRequest(f"the header {name} has a value that is not allowed")
        if name not in headers:
            headers[name] = value
        elif name in ONLY_ONCE:
            raise errors.BadRequest(f"the header {name} occurs twice")
        else:
            # A list that is spread over several lines (RFC 9110, 5.3).
            headers[name] += ", " + value
    return headers, position + 2


def _line_at(pattern: re.Pattern[bytes], data: bytearray, start: int, end: int) -> re.Match[bytes]:
    """Return the line that begins at `start`, or raise the reason why there is none."""
    line = pattern.match(data, start, end)
    if line is not None:
        return line
    if INCOMPLETE_LINE.fullmatch(data, start, end) is None:
        raise errors.BadRequest("the head has a malformed line")
    if len(data) >= end:
        raise errors.HeadersTooLarge(f"the head has more than {MAX_HEAD_BYTES} bytes")
    raise Incomplete


def split_target(method: str, target: str) -> tuple[str, str, str]:
    """Return the authority, decoded path and raw query of a request target (RFC 9112, 3.2).

    The path is decoded here and nowhere else: a path that is decoded twice can hide a `..` or a
    `/` from the first reader. An encoded slash is data and separates nothing, so it stays encoded
    (RFC 3986, 2.2). Raises BadRequest.
    """
    authority = ""
    if method == "OPTIONS" and target == "*":
        return authority, target, ""
    if not target.startswith("/"):
        absolute = ABSOLUTE_FORM.fullmatch(target)
        if absolute is None:
            raise errors.BadRequest("the target is neither a path nor an absolute URL")
        authority = absolute[1]
        target = "/" + absolute[2].removeprefix("/")
    path, _, query = target.partition("?")
    if "%" not in path:
        return authority, path, query
    try:
        decoded = "%2F".join(unquote(part, errors="strict") for part in re.split("%2[Ff]", path))
    except UnicodeDecodeError:
        raise errors.BadRequest("the path is not UTF-8") from None
    if BAD_ESCAPE.search(path) or "\0" in decoded:
        raise errors.BadRequest("the path has a bad percent-encoding or a NUL in it")
    return authority, decoded, query


def _content_length(headers: dict[str, str], is_http_1_0: bool) -> int:
    """Return the length of the body, or raise if two readers could disagree (RFC 9112, 6.3)."""
    if "transfer-encoding" in headers:
        if "content-length" in headers or is_http_1_0:
            raise errors.BadRequest("the header transfer-encoding is not allowed here")
        raise errors.NotImplementedYet("this server does not read transfer codings")
    return int(headers.get("content-length", "0"))


def _keep_alive(headers: dict[str, str], is_http_1_0: bool) -> bool:
    """Whether the client can use this connection for another request (RFC 9112, 9.3)."""
    if "connection" not in headers:
        return not is_http_1_0
    options = {option.strip() for option in headers["connection"].lower().split(",")}
    return "close" not in options and (not is_http_1_0 or "keep-alive" in options)


def _expects_continue(headers: dict[str, str], is_http_1_0: bool) -> bool:
    """Whether the client waits for "100 Continue" (RFC 9110, 10.1.1)."""
    return headers.get("expect", "").lower() == "100-continue" and not is_http_1_0
