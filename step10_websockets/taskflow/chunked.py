"""Chunked bodies: for a body whose length is unknown when it begins (RFC 9112, 7.1).

    5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n

A chunk is its size in hexadecimal, its bytes, and a line end. A chunk of size 0 is the last one.
This module is pure, like the parser, and as strict. It skips extensions and trailers, within a
limit.
"""

import re

from taskflow.errors import BadRequest

# Bytes of a size with its extensions, or of one trailer.
MAX_LINE = 1024
MAX_TRAILERS = 100

# Each kind of line: the pattern of a complete one, and the pattern of the beginning of one.
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

# After a refusal, nothing matches.
NOTHING = (re.compile(rb"(?!)"), re.compile(rb"(?!)"))

LAST_CHUNK = b"0\r\n\r\n"


def encode_chunk(piece: bytes) -> bytes:
    """Return a piece as one chunk. It must not be empty, because an empty chunk is the end."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


class ChunkedDecoder:
    """One chunked body, which is taken out of a buffer that grows."""

    def __init__(self) -> None:
        self.complete = False

        # Bytes of the current chunk that have not been taken.
        self._left = 0

        # The kind of line that follows them.
        self._expected = SIZE_LINE
        self._trailers = 0

    def take(self, data: bytes, start: int) -> tuple[bytes, int]:
        """Return the bytes of the body that have arrived, and the position after them.

        O(bytes), and O(MAX_LINE) for each call while a line of the chunked coding is incomplete.
        Raises BadRequest as soon as the bytes can no longer be a chunked body.
        """
        pieces = []
        while not self.complete:
            piece = data[start : start + self._left]
            pieces.append(piece)
            start += len(piece)
            self._left -= len(piece)
            if self._left:
                break
            line = self._line_at(data, start)
            if line is None:
                break
            start = line.end()
            self._advance(line)
        return b"".join(pieces), start

    def _line_at(self, data: bytes, start: int) -> re.Match[bytes] | None:
        """Return the expected line, or None if it is not complete. Raises BadRequest."""
        complete, beginning = self._expected
        line = complete.match(data, start, start + MAX_LINE)
        if line is None and (len(data) - start >= MAX_LINE or not beginning.fullmatch(data, start)):
            self._expected = NOTHING
            raise BadRequest("the body is not chunked, as its head claims")
        return line

    def _advance(self, line: re.Match[bytes]) -> None:
        """Go to the bytes that this line announces, or to the next line."""
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
