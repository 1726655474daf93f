"""JSON in and out: the only way in which this program reads or writes it.

Input is read strictly (RFC 8259, and the advice of RFC 7493): a text that two readers could
understand differently is refused. Everything that could do harm is bounded before it is parsed.
"""

import json
import re
from collections.abc import Iterable
from itertools import accumulate
from math import isfinite

from taskflow.errors import InvalidJson

# Levels of nesting. The outer object is the first.
MAX_DEPTH = 32

# Characters. The time that int() takes grows with the square of the length.
MAX_NUMBER_LENGTH = 100

# A string, or a run of characters other than brackets: everything that does not count for the
# depth. The possessive `++` never backtracks, so the time is linear in the length of the text.
NOT_A_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[^][{}"]++', re.DOTALL)


def _object_without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise InvalidJson("an object has the same key twice")
    return result


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        raise InvalidJson(f"the number {text[:20]} has more than {MAX_NUMBER_LENGTH} characters")
    return int(text)


def _number(text: str) -> float:
    """Return a finite number. Python's decoder would also let NaN, Infinity and 1e999 through."""
    if len(text) > MAX_NUMBER_LENGTH:
        raise InvalidJson(f"the number {text[:20]} has more than {MAX_NUMBER_LENGTH} characters")
    number = float(text)
    if not isfinite(number):
        raise InvalidJson(f"{text} is not a finite number")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_without_repeats,
    parse_int=_integer,
    parse_float=_number,
    parse_constant=_number,
)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_LINE_ENCODER = json.JSONEncoder(separators=(",", ":"))


def encode(value: object) -> bytes:
    """Return the value as compact JSON in UTF-8, on one line for readers of all kinds."""
    return in_one_line(_ENCODER.encode(value)).encode()


def in_one_line(text: str) -> str:
    """Return JSON with the three characters escaped that only some readers take for a line end."""
    if text.isascii():
        return text
    return text.replace("\x85", r"\u0085").replace("\u2028", r"\u2028").replace("\u2029", r"\u2029")


def encode_line(value: object) -> str:
    """Return the value as JSON for a log: ASCII, in which no text can end the line."""
    return _LINE_ENCODER.encode(value)


def encode_array(items: Iterable[bytes]) -> list[bytes]:
    """Return a JSON array of encoded values, as pieces that are not joined. O(items)."""
    pieces = [piece for item in items for piece in (b",", item)]
    return [b"[", *pieces[1:], b"]"]


def decode_object(body: bytes) -> dict[str, object]:
    """Return the one JSON object that the bytes hold. O(len(body)).

    Raises InvalidJson, also for what the standard library lets through: NaN, repeated keys,
    lone surrogates, and numbers and nesting without a limit.
    """
    try:
        text = body.decode()
        if text.startswith("\ufeff"):
            raise InvalidJson("this begins with a byte order mark, which is not JSON")
        _check_depth(text)
        value = _DECODER.decode(text)
        if "\\u" in text:
            # Fails for half of a surrogate pair, which UTF-8 cannot represent.
            encode(value)
    except ValueError as error:
        raise InvalidJson(f"this is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidJson("this is JSON, but not an object")
    return value


def _check_depth(text: str) -> None:
    # Almost every body has too few brackets to be too deep.
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    steps = (1 if bracket in "[{" else -1 for bracket in NOT_A_BRACKET.sub("", text))
    if max(accumulate(steps), default=0) > MAX_DEPTH:
        raise InvalidJson(f"this is nested more than {MAX_DEPTH} levels deep")
