"""Chunked bodies: beside a reader that takes one byte at a time, however the bytes are cut."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from time import process_time
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskflow.chunked import LAST_CHUNK, MAX_LINE, MAX_TRAILERS, ChunkedDecoder, encode_chunk
from taskflow.errors import BadRequest

HEX = b"0123456789abcdefABCDEF"
BLANK = b"\t "
TEXT = bytes({*range(0x20, 0x100), 0x09} - {0x7F})
NAME = bytes({*range(0x21, 0x7F)} - {ord(":")})

# Where a reader may stand, the bytes that may come there, and where they lead.
LEADS = {
    "size": [(HEX, "digits")],
    "digits": [(HEX, "digits"), (BLANK, "blank"), (b";", "extension"), (b"\r", "size LF")],
    "blank": [(BLANK, "blank"), (b";", "extension")],
    "extension": [(TEXT, "extension"), (b"\r", "size LF")],
    "size LF": [(b"\n", "data")],
    "data end": [(b"\r", "data LF")],
    "data LF": [(b"\n", "size")],
    "trailer": [(NAME, "name"), (b"\r", "end LF")],
    "name": [(NAME, "name"), (b":", "value")],
    "value": [(TEXT, "value"), (b"\r", "trailer LF")],
    "trailer LF": [(b"\n", "trailer")],
    "end LF": [(b"\n", "end")],
}


class SlowReader:
    """The obvious model: one byte at a time, and a table that says where each leads."""

    def __init__(self) -> None:
        self.at = "size"
        self.digits = ""
        self.left = 0  # bytes of the chunk
        self.line = 0  # bytes of the line so far
        self.trailers = 0
        self.body = b""

    def read(self, byte: int) -> None:
        """Take one byte. Raises BadRequest if it cannot stand here."""
        if self.left:
            self.body += bytes([byte])
            self.left -= 1
            return
        came_from = self.at
        self.at = next((at for allowed, at in LEADS[self.at] if byte in allowed), "refused")
        self.line = self.line + 1 if byte != ord("\n") else 0
        if self.at == "digits":
            self.digits += chr(byte)
        if self.at == "data":
            self.left, self.digits = int(self.digits, 16), ""
            self.at = "data end" if self.left else "trailer"
        self.trailers += came_from == "trailer LF"
        over = self.line >= MAX_LINE or len(self.digits) > 15 or self.trailers > MAX_TRAILERS
        if self.at == "refused" or over:
            raise BadRequest("refused by the model")


class Outcome(NamedTuple):
    """What became of some bytes: a body, and where it ended or was refused, if it did."""

    body: bytes | None  # None if it was refused
    ended: int | None
    refused: int | None  # how many bytes were there by then


def by_the_model(data: bytes) -> Outcome:
    reader = SlowReader()
    for count, byte in enumerate(data, start=1):
        try:
            reader.read(byte)
        except BadRequest:
            return Outcome(None, None, count)
        if reader.at == "end":
            return Outcome(reader.body, count, None)
    return Outcome(reader.body, None, None)


def decoded(pieces: Iterable[bytes]) -> Outcome:
    """Give the pieces to a decoder as a parser does, which keeps what is not used yet."""
    decoder, rest, body, fed, used = ChunkedDecoder(), b"", b"", 0, 0
    for piece in pieces:
        rest, fed = rest + piece, fed + len(piece)
        try:
            taken, end = decoder.take(rest, 0)
        except BadRequest:
            return Outcome(None, None, fed)
        rest, body, used = rest[end:], body + taken, used + end
        assert len(rest) < MAX_LINE or decoder.complete  # nothing of the body waits
    return Outcome(body, used if decoder.complete else None, None)


def cut(data: bytes, positions: Iterable[int]) -> Iterator[bytes]:
    """Yield the bytes in pieces that end at these positions, and at the end."""
    ends = sorted({position % (len(data) + 1) for position in positions} | {len(data)})
    for start, end in pairwise([0, *ends]):
        yield data[start:end]


def byte_by_byte(data: bytes) -> Iterator[bytes]:
    return (bytes([byte]) for byte in data)


# Bodies that are right.

EXTENSIONS = st.from_regex(rb"([\t ]*;[\t -~\x80-\xff]{0,9})?", fullmatch=True)
TRAILERS = st.lists(
    st.from_regex(rb"[!-9;-~]{1,5}:[\t -~\x80-\xff]{0,9}\r\n", fullmatch=True), max_size=3
)


@st.composite
def chunked(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Return a body, and the same in chunks, with all that the grammar allows."""
    body = encoded = b""
    for piece in draw(st.lists(st.binary(min_size=1, max_size=20), max_size=4)):
        size = b"%x" % len(piece)
        size = b"0" * draw(st.integers(0, 15 - len(size))) + draw(
            st.sampled_from([size, size.upper()])
        )
        encoded += size + draw(EXTENSIONS) + b"\r\n" + piece + b"\r\n"
        body += piece
    zeros = b"0" * draw(st.integers(1, 15))
    end = zeros + draw(EXTENSIONS) + b"\r\n" + b"".join(draw(TRAILERS)) + b"\r\n"
    return body, encoded + end


CUTS = st.lists(st.integers(0, 500), max_size=12)


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=6), CUTS, st.binary(max_size=9))
def test_what_is_encoded_comes_out_again(
    pieces: list[bytes], cuts: list[int], after: bytes
) -> None:
    encoded = b"".join(map(encode_chunk, pieces)) + LAST_CHUNK
    expected = Outcome(b"".join(pieces), len(encoded), None)

    assert decoded(cut(encoded + after, cuts)) == expected
    assert decoded(byte_by_byte(encoded)) == expected


@given(chunked(), CUTS, st.binary(max_size=9))
def test_all_that_the_grammar_allows_is_read(
    sent: tuple[bytes, bytes], cuts: list[int], after: bytes
) -> None:
    body, encoded = sent
    expected = Outcome(body, len(encoded), None)

    assert by_the_model(encoded + after) == expected
    assert decoded([encoded + after]) == expected
    assert decoded(cut(encoded + after, cuts)) == expected


BODY = b"5;a=b\r\nhe\r\no\r\n00b \t; x\r\n world\r\n0\r\n\r\n0\r\nTrailer: 1\r\nx:\r\n\r\n"


def test_every_cut_gives_the_same() -> None:
    data = BODY + b"GET / HTTP/1.1\r\n"
    expected = Outcome(b"he\r\no world\r\n0\r\n", len(BODY), None)

    assert decoded(byte_by_byte(data)) == expected
    for first in range(len(data) + 1):
        for second in range(first, len(data) + 1):
            assert decoded([data[:first], data[first:second], data[second:]]) == expected


def test_what_stands_before_the_body_is_left_alone() -> None:
    data = b"0\r\n\r\n" + BODY
    assert ChunkedDecoder().take(data, 5) == (b"he\r\no world\r\n0\r\n", len(data))


def test_a_decoder_at_its_end_takes_nothing_more() -> None:
    decoder = ChunkedDecoder()
    assert decoder.take(LAST_CHUNK + LAST_CHUNK, 0) == (b"", 5)
    assert decoder.take(LAST_CHUNK, 0) == (b"", 0)
    assert decoder.complete


def test_a_chunk_is_given_as_it_comes_and_not_only_when_it_is_whole() -> None:
    decoder = ChunkedDecoder()
    assert decoder.take(b"fffffffffffffff\r\nthe beg", 0) == (b"the beg", 24)
    assert decoder.take(b"inning", 0) == (b"inning", 6)
    assert not decoder.complete


def test_the_form_of_a_chunk() -> None:
    assert encode_chunk(b"hello") == b"5\r\nhello\r\n"
    assert encode_chunk(b"x" * 300) == b"12c\r\n" + b"x" * 300 + b"\r\n"
    assert LAST_CHUNK == b"0\r\n\r\n"


# What is refused, and when.

EDITS = st.sampled_from(
    [
        *byte_by_byte(b"\r\n\0\t ;:+-_xg0f\x7f\xff\"'"),
        *(b"", b"\r\n", b"\n\n", b"\r\r\n", b"0x", b"-1", b"0\r\n", b"0\r\n\r\n", b"a: b\r\n"),
        *(b"0" * 16, b"f" * 16, b";" + b"e" * MAX_LINE, b"e" * MAX_LINE, b"a:" + b" " * MAX_LINE),
        b"x:\r\n" * (MAX_TRAILERS + 1),
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Return bytes that were a chunked body until some of them were replaced."""
    _, data = draw(chunked())
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        dropped = draw(st.integers(0, 3))
        data = data[:start] + draw(EDITS | st.binary(max_size=3)) + data[start + dropped :]
    return data


@given(mutated() | st.binary(max_size=60), CUTS)
def test_mutated_bytes_end_or_are_refused_where_the_model_says(
    data: bytes, cuts: list[int]
) -> None:
    """Whatever the cuts; and a refusal comes with the first piece that has the byte in it."""
    expected = by_the_model(data)
    assert decoded(byte_by_byte(data)) == expected

    pieces = list(cut(data, cuts))
    outcome = decoded(pieces)

    if expected.refused is None:
        assert outcome == expected
    else:
        ends = [sum(map(len, pieces[: count + 1])) for count in range(len(pieces))]
        assert outcome == Outcome(None, None, next(e for e in ends if e >= expected.refused))


REFUSED = [
    (b"", b"g"),
    (b"", b"\r"),
    (b"", b"\n"),
    (b"", b" "),
    (b"", b";"),
    (b"", b"+"),
    (b"", b"-"),
    (b"0", b"x"),
    (b"1", b"_"),
    (b"5", b"\n"),
    (b"5\r", b"\r"),
    (b"5 ", b"\r"),
    (b"5 ", b"5"),
    (b"5;a", b"\n"),
    (b"5;a", b"\0"),
    (b"5;a\r", b"a"),
    (b"5;", b"\x7f"),
    (b"0" * 15, b"5"),
    (b"f" * 15, b"f"),
    (b"5;" + b"e" * (MAX_LINE - 3), b"e"),
    (b"5" + b" " * (MAX_LINE - 2), b" "),
    (b"5\r\nhello", b"\n"),
    (b"5\r\nhello", b"!"),
    (b"5\r\nhello\r", b"5"),
    (b"5\r\nhello\r\n", b"\r"),
    (b"0\r\n", b"\n"),
    (b"0\r\n", b":"),
    (b"0\r\n", b" "),
    (b"0\r\n\r", b"\r"),
    (b"0\r\nname", b" "),
    (b"0\r\nname", b"\r"),
    (b"0\r\nname: value", b"\n"),
    (b"0\r\nname: value\r", b"\r"),
    (b"0\r\nname: ", b"\0"),
    (b"0\r\nname: 1\r\n", b" "),
    (b"0\r\n" + b"n" * (MAX_LINE - 1), b"n"),
    (b"0\r\nname:" + b" " * (MAX_LINE - 6), b" "),
    (b"0\r\n" + b"x: 1\r\n" * MAX_TRAILERS + b"x: 1\r", b"\n"),
]


@pytest.mark.parametrize(("before", "byte"), REFUSED)
def test_what_cannot_become_a_body_is_refused_with_the_byte_that_says_so(
    before: bytes, byte: bytes
) -> None:
    ChunkedDecoder().take(before, 0)  # all is well so far
    for rest in b"", b"\r\n0\r\n\r\n":  # whatever follows
        with pytest.raises(BadRequest):
            ChunkedDecoder().take(before + byte + rest, 0)
    assert decoded(byte_by_byte(before + byte)).refused == len(before) + 1


@pytest.mark.parametrize(
    "data",
    [
        b"5;" + b"e" * (MAX_LINE - 4) + b"\r\nhello\r\n0\r\n\r\n",
        b"5" + b" " * (MAX_LINE - 4) + b";\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nn:" + b" " * (MAX_LINE - 4) + b"\r\n\r\n",
        b"5\r\nhello\r\n0\r\n" + b"x: 1\r\n" * MAX_TRAILERS + b"\r\n",
    ],
)
def test_bounds_are_reached_and_not_passed(data: bytes) -> None:
    assert decoded([data]) == decoded(byte_by_byte(data)) == Outcome(b"hello", len(data), None)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b"3\r\nab", b"\r\n0\r\n\r\n"),  # a line end where the third byte should be
        (b"2\r\n", b"\r\n\r\n0\r\n\n"),  # the data looks like the end of the trailers
        (b"5\r\n", b"0\r\n\r\nxx"),  # the data looks like a whole body
        (b"0\r\n", b"x:\r\n" * (MAX_TRAILERS + 1) + b"\r\n"),
    ],
)
def test_what_is_refused_stays_refused(first: bytes, second: bytes) -> None:
    """Else the same bytes, looked at once more, might pass for another body."""
    decoder = ChunkedDecoder()
    decoder.take(first, 0)
    for _ in range(2):
        with pytest.raises(BadRequest):
            decoder.take(second, 0)
    assert not decoder.complete


# What it costs.


def test_many_small_chunks_take_time_that_grows_with_their_number_only() -> None:
    """Nothing is copied or looked at again for each chunk: that would be gigabytes here."""
    data = encode_chunk(b"x") * 100_000 + LAST_CHUNK
    start = process_time()
    assert ChunkedDecoder().take(data, 0) == (b"x" * 100_000, len(data))
    assert process_time() - start < 2.0


@pytest.mark.parametrize("before", [b"5", b"5;", b"0\r\n", b"0\r\nname:"])
@pytest.mark.parametrize("filler", [b" ", b"\t", b";", b" ;", b"a", b"a:", b":", b"0"])
def test_no_line_takes_time_that_grows_with_its_square(before: bytes, filler: bytes) -> None:
    line = before + filler * ((MAX_LINE - 10) // len(filler))
    start = process_time()
    for ending in b"\n", b"\0", b"\r\n":
        decoded([line + ending])
    assert process_time() - start < 0.2
