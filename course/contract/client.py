"""A client that speaks bytes: it sends what it is told, and believes nothing it reads.

A common HTTP client would repair our hostile requests before they leave, and
forgive a server's mistakes. This one sends each byte as given, and reads answers
strictly: every line ends with CRLF, every length is exact, every final answer has
a date. What breaks the rules raises `ContractError`.

It knows HTTP, and nothing of tasks, tokens or steps.
"""

from __future__ import annotations

import dataclasses
import re
import select
import socket
import struct

from .answer import Answer, ContractError, Conversation

DEADLINE = 5.0
"""Seconds that a server has for the next piece of an answer. Never waited out when all is well."""

STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d) [\t -~\x80-\xff]*")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*")
SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t -~\x80-\xff]*)?")
DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d"
    r" (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)
"""The only form of a date that a server may send (RFC 9110, 5.6.7)."""


class Connection:
    """One TCP connection.

    `buffers` makes the client's own socket buffers small, and `patience` is how many seconds
    the server has for the next piece of an answer: never waited out when all is well.
    """

    def __init__(
        self, address: tuple[str, int], buffers: int = 0, patience: float = DEADLINE
    ) -> None:
        self.conversation = Conversation()
        self._buffer = bytearray()
        self._patience = patience
        host, port = address
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, target = found[0]
        self._socket = socket.socket(family, kind, protocol)
        self._socket.settimeout(patience)
        if buffers:  # before the connection is made, or the window is already offered
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers)
        # Without this the kernel would join pieces that a test cut on purpose.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._socket.connect(target)
        except OSError as error:
            self._socket.close()
            raise ContractError(f"expected a server at {host}:{port}: {error}") from None

    def send(self, data: bytes) -> None:
        """Send all of it, reading nothing meanwhile."""
        __tracebackhide__ = True
        self.conversation.note("sent", data)
        try:
            self._socket.sendall(data)
        except TimeoutError:
            raise ContractError(
                f"expected the server to take {len(data):,} bytes; it stopped"
            ) from None
        except ConnectionError as error:
            raise ContractError(
                f"expected the server to take or discard what is sent: {error}"
            ) from None

    def send_until_blocked(self, piece: bytes, most: int, patience: float = 0.5) -> int:
        """Repeat a piece until the server takes no more for `patience` seconds, or `most` bytes.

        Returns the bytes that went out: perhaps a part of a piece at the end.
        """
        block = piece * max(1, 65_536 // len(piece))
        self.conversation.note("sent", block)
        sent = 0
        while sent < most and select.select([], [self._socket], [], patience)[1]:
            sent += self._socket.send(block[sent % len(piece) :])
        return sent

    def silent(self, seconds: float = 0.0) -> bool:
        """Whether nothing comes for so long, no answer and no end."""
        return not self._buffer and not select.select([self._socket], [], [], seconds)[0]

    def dropped(self, within: float) -> bool:
        """Whether the server resets the connection in time. Reads nothing meanwhile."""
        poll = select.poll()
        poll.register(self._socket, 0)  # errors and ends are always reported
        return bool(poll.poll(within * 1000))

    def end(self) -> None:
        """Half-close: say that nothing more will be sent, and go on reading."""
        self.conversation.note("sent", b"(end of the stream)")
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Leave rudely: the server gets a reset instead of an end."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def close(self) -> None:
        self._socket.close()

    def answer(self, method: str = "GET") -> Answer:
        """The next final answer, strictly read. `method` is that of its request."""
        __tracebackhide__ = True
        return self.whole(self.begun(method))

    def begun(self, method: str = "GET") -> Answer:
        """The head of the next final answer. Its body is left where it is; see `whole`."""
        __tracebackhide__ = True
        interim: list[int] = []
        while True:
            status, fields = self._head()
            if status >= 200:
                break
            interim.append(status)
        answer = Answer(method, status, fields, b"", tuple(interim))
        if not DATE.fullmatch(answer.field("date") or ""):
            raise ContractError(f"expected one valid Date on every answer, received {fields}")
        return answer

    def whole(self, begun: Answer) -> Answer:
        """The answer that has begun, with its body."""
        __tracebackhide__ = True
        return dataclasses.replace(begun, body=self._body(begun))

    def interim(self) -> int:
        """The status of the next head, which must be an interim one (1xx)."""
        __tracebackhide__ = True
        status, _ = self._head()
        if status >= 200:
            raise ContractError(f"expected an interim answer, received {status}")
        return status

    def switched(self) -> Answer:
        """The next answer, which must be 101: what comes behind it is no HTTP any more."""
        __tracebackhide__ = True
        status, fields = self._head()
        if status != 101:
            raise ContractError(f"expected 101 (Switching Protocols), received {status}")
        return Answer("GET", status, fields, b"")

    def take(self, size: int) -> bytes:
        """The next bytes, which need not be HTTP."""
        __tracebackhide__ = True
        return self._exactly(size)

    def ended(self) -> None:
        """Nothing more comes, and the server ends the connection without a reset."""
        __tracebackhide__ = True
        while True:
            if self._buffer:
                more = bytes(self._buffer[:200])
                raise ContractError(f"expected the end of the connection, received {more!r}")
            if not self._more():
                return

    def rest(self) -> bytes:
        """Whatever comes until the server ends the connection, which it must."""
        __tracebackhide__ = True
        while self._more():
            pass
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def _more(self) -> bool:
        """Read one more piece into the buffer; `False` at the end of the stream."""
        __tracebackhide__ = True
        try:
            data = self._socket.recv(262_144)
        except TimeoutError:
            raise ContractError(
                f"expected more within {self._patience:g} s, or the end; got neither"
            ) from None
        except ConnectionError as error:
            raise ContractError(
                f"expected an answer or a clean end, received a reset: {error}"
            ) from None
        self.conversation.note("received", data or b"(end of the stream)")
        self._buffer += data
        return bool(data)

    def _until(self, mark: bytes) -> bytes:
        """The bytes before a mark; the mark is dropped."""
        __tracebackhide__ = True
        start = 0
        while (at := self._buffer.find(mark, start)) < 0:
            start = max(0, len(self._buffer) - len(mark) + 1)
            if not self._more():
                raise ContractError(
                    f"expected an answer, received the end after {bytes(self._buffer)!r}"
                )
        taken = bytes(self._buffer[:at])
        del self._buffer[: at + len(mark)]
        return taken

    def _exactly(self, size: int) -> bytes:
        __tracebackhide__ = True
        while len(self._buffer) < size:
            if not self._more():
                raise ContractError(
                    f"expected {size} bytes, received the end after {len(self._buffer)}"
                )
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _head(self) -> tuple[int, tuple[tuple[str, str], ...]]:
        __tracebackhide__ = True
        first, *lines = self._until(b"\r\n\r\n").split(b"\r\n")
        status = STATUS_LINE.fullmatch(first)
        if status is None:
            raise ContractError(f"expected a status line, received {first!r}")
        fields: list[tuple[str, str]] = []
        for line in lines:
            parts = FIELD_LINE.fullmatch(line)
            if parts is None:
                raise ContractError(f"expected a header field, received {line!r}")
            fields.append((parts[1].decode().lower(), parts[2].decode("latin-1")))
        return int(status[1]), tuple(fields)

    def _body(self, answer: Answer) -> bytes:
        """By the rules of RFC 9112, 6.3, in their order."""
        __tracebackhide__ = True
        length = answer.field("content-length")
        coding = answer.field("transfer-encoding")
        if answer.status in (204, 304):
            if length is not None or coding is not None:
                raise ContractError(f"expected neither body nor length with a {answer.status}")
            return b""
        if answer.method == "HEAD":
            return b""
        if coding is not None:
            if coding.lower() != "chunked" or length is not None:
                raise ContractError(f"expected a length or chunks, received {answer.fields}")
            return self._chunks()
        if length is None:
            return self.rest()  # delimited by the end; a server that keeps alive fails by deadline
        if not re.fullmatch(r"\d+", length):
            raise ContractError(f"expected digits in Content-Length, received {length!r}")
        return self._exactly(int(length))

    def _chunks(self) -> bytes:
        __tracebackhide__ = True
        body = bytearray()
        while size := self._chunk_size():
            body += self._exactly(size)
            if self._exactly(2) != b"\r\n":
                raise ContractError("expected CRLF after a chunk")
        while trailer := self._until(b"\r\n"):
            if not FIELD_LINE.fullmatch(trailer):
                raise ContractError(f"expected a trailer or the end, received {trailer!r}")
        return bytes(body)

    def _chunk_size(self) -> int:
        __tracebackhide__ = True
        line = self._until(b"\r\n")
        size = SIZE_LINE.fullmatch(line)
        if size is None:
            raise ContractError(f"expected the size of a chunk, received {line!r}")
        return int(size[1], 16)
