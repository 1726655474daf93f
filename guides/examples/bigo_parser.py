"""How much the parser of step 1 reads, by how the bytes arrive; and a pattern that tries again."""

from unittest.mock import patch

from taskflow import parser as parsing
from taskflow.http import Request
from taskflow.parser import RequestParser

PIECES = (16_384, 1_024, 64, 1)


def head_of(headers: int) -> bytes:
    """Return a request with that many headers."""
    lines = (f"X-Header-{number:03}: {'v' * 48}\r\n".encode() for number in range(headers))
    return b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(lines) + b"\r\n"


def read(head: bytes, piece: int) -> tuple[int, int]:
    """Feed a head in pieces; return how often the parser began, and how many bytes lay there."""
    calls = offered = 0
    parse_head = parsing.parse_head

    def counting(data: bytes, start: int) -> tuple[Request, int]:
        nonlocal calls, offered
        calls += 1
        offered += len(data) - start
        return parse_head(data, start)

    parser, request = RequestParser(), None
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
    print(f"| a head of {len(head):,} bytes comes in | the parser begins | and reads up to |")
    print("| --- | ---: | ---: |")
    for piece in PIECES:
        calls, offered = read(head, piece)
        size = "one piece" if piece >= len(head) else f"pieces of {piece:,}"
        print(f"| {size} | {calls:,} × | {offered:,} bytes |")


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
