"""How much the parser of step 1 reads, by how the bytes arrive; and a pattern that tries again."""

from unittest.mock import patch

from taskflow import parser as parsing
from taskflow.http import Request
from taskflow.parser import RequestParser

PIECES = (16_384, 1_024, 64, 8, 1)


def head_of(headers: int) -> bytes:
    """Return a request with that many headers."""
    lines = (f"X-Header-{number:03}: {'v' * 48}\r\n".encode() for number in range(headers))
    return b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(lines) + b"\r\n"


class ForgetfulParser(RequestParser):
    """A parser that begins again with every piece: it never knows that a head is incomplete."""

    def feed(self, data: bytes) -> None:
        """Add the bytes, and forget what is known about those before them."""
        self._is_incomplete = False
        super().feed(data)


def read(parser: RequestParser, head: bytes, piece: int) -> tuple[int, int]:
    """Feed a head in pieces; return how often it is parsed, and how many bytes are there then."""
    calls = offered = 0
    parse_head = parsing.parse_head

    def counting(data: bytearray) -> tuple[Request, int]:
        nonlocal calls, offered
        calls += 1
        offered += len(data)
        return parse_head(data)

    request = None
    with patch.object(parsing, "parse_head", counting):
        for start in range(0, len(head), piece):
            parser.feed(head[start : start + piece])
            request = parser.next_request() or request
    assert request is not None
    assert request.refusal is None
    return calls, offered


def arrivals(headers: int = 90) -> None:
    """Print what a head costs in few pieces and in many."""
    head = head_of(headers)
    print(f"| a head of {len(head):,} bytes comes in ", end="")
    print("| a parser without a memory begins | and reads up to ", end="")
    print("| step 1 begins | and reads up to |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for piece in PIECES:
        size = "one piece" if piece >= len(head) else f"pieces of {piece:,}"
        cells = [size]
        for parser in (ForgetfulParser(), RequestParser()):
            calls, offered = read(parser, head, piece)
            cells += [f"{calls:,} ×", f"{offered:,} bytes"]
        print(f"| {' | '.join(cells)} |")


def tries(text: str, at: int = 0) -> int:
    """Return how often `(?:[a-z]+)+:` tries to go on, if there is no colon to be found.

    The inner `+` takes all letters that it can, then one less, and so on. Each time the outer one
    begins anew with those that are left.
    """
    end = at
    while end < len(text) and text[end].isalpha():
        end += 1
    return sum(1 + tries(text, stop) for stop in range(end, at, -1))


def backtracking() -> None:
    """Print how often the pattern tries, by the number of letters."""
    print("| letters | tries |")
    print("| ---: | ---: |")
    for letters in (4, 8, 12, 16):
        print(f"| {letters} | {tries('a' * letters + '('):,} |")
