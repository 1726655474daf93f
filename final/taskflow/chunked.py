"""Chunked bodies: for a body whose length nobody knows when it begins (RFC 9112, 7.1).

    5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n

A chunk is its size in hexadecimal, its bytes, and a line end; one of size 0 is the last. Pure, like
the parser, and as strict. Extensions and trailers are read past, within a bound.
"""

import re

from taskflow.errors import BadRequest

MAX_LINE = 1024  # bytes of a size with its extensions, or of one trailer
MAX_TRAILERS = 100

# What comes next: the line itself, and what may still become one when more bytes arrive.
EXTENSION = rb"[\t ]*;[\t\x20-\x7e\x80-\xff]*"
SIZE_LINE = (
    re.compile(rb"([0-9A-Fa-f]{1,15})(?:%b)?\r\n" % EXTENSION),
    re.compile(rb"(?:[0-9A-Fa-f]{1,15}(?:[\t ]*|(?:%b)?\r?))?" % EXTENSION),
)
DATA_END = (re.compile(rb"\r\n"), re.compile(rb"\r?"))
TRAILER_LINE = (
    re.compile(rb"(?:[!-9;-~]+:[\t\x20-\x7e\x80-\xff]*)?\r\n"),
    re.compile(rb"[!-9;-~]*|(?:[!-9;-~]+:[\t\x20-\x7e\x80-\xff]*)?\r?"),
)

NOTHING = (re.compile(rb"(?!)"), re.compile(rb"(?!)"))  # after a refusal

LAST_CHUNK = b"0\r\n\r\n"


def encode_chunk(piece: bytes) -> bytes:
    """Return a piece as one chunk. It must not be empty: an empty chunk is the end."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


class ChunkedDecoder:
    """Takes one chunked body out of a buffer that grows."""

    def __init__(self) -> None:
        self.complete = False
        self._left = 0  # bytes of the current chunk that have not been taken
        self._expected = SIZE_LINE  # the line that comes behind them
        self._trailers = 0

    def take(self, data: bytes, start: int) -> tuple[bytes, int]:
        """Return what has come of the body since, and how far the buffer is used.

        O(bytes). Raises BadRequest as soon as the bytes cannot become a chunked body any more.
        """
        pieces = []
        while not self.complete:
            piece = data[start : start + self._left]
            pieces.append(piece)
            start += len(piece)
            self._left -= len(piece)
            if self._left or (line := self._line_at(data, start)) is None:
                break
            start = line.end()
            self._follow(line)
        return b"".join(pieces), start

    def _line_at(self, data: bytes, start: int) -> re.Match[bytes] | None:
        whole, begun = self._expected
        line = whole.match(data, start, start + MAX_LINE)
        if line is None and (len(data) - start >= MAX_LINE or not begun.fullmatch(data, start)):
            self._expected = NOTHING  # whoever asks again is refused again
            raise BadRequest("the body is not chunked as it says")
        return line

    def _follow(self, line: re.Match[bytes]) -> None:
        """Go on behind a line: to the bytes that it announces, or to the next line."""
        if self._expected is SIZE_LINE:
            self._left = int(line[1], 16)
            self._expected = DATA_END if self._left else TRAILER_LINE
        elif self._expected is DATA_END:
            self._expected = SIZE_LINE
        elif line[0] == b"\r\n":
            self.complete = True
        else:
            self._trailers += 1
            if self._trailers > MAX_TRAILERS:
                self._expected = NOTHING
