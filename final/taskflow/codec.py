"""JSON in and out, the clock, and ids: the one way in which this program does each.

Input is read strictly (RFC 8259 and the advice of RFC 7493): what two readers could understand
differently is refused. Everything that could hurt is bounded before it is parsed.
"""

import json
import re
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from math import isfinite
from os import urandom

from taskflow.errors import InvalidJson

MAX_DEPTH = 32  # the outer object is 1
MAX_NUMBER_LENGTH = 100  # characters; int() of a longer one takes time that grows with its square

# A string, or other characters than brackets: all but the brackets that count for the depth. The
# possessive `++` never goes back, so that the time is linear in the text.
NOT_A_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[^][{}"]++', re.DOTALL)


def _object_without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise InvalidJson("an object has the same key twice")
    return result


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        raise InvalidJson(f"{text[:20]} is too long")
    return int(text)


def _number(text: str) -> float:
    """Return a number; not 1e999, nor the NaN and Infinity that Python takes for numbers."""
    if len(text) > MAX_NUMBER_LENGTH or not isfinite(number := float(text)):
        raise InvalidJson(f"{text[:20]} is too long, too large or no number at all")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_without_repeats,
    parse_int=_integer,
    parse_float=_number,
    parse_constant=_number,
)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encode(value: object) -> bytes:
    """Return the value as compact JSON in UTF-8."""
    return _ENCODER.encode(value).encode()


def encode_array(items: Iterable[bytes]) -> bytes:
    """Return a JSON array of values that are encoded already."""
    return b"[" + b",".join(items) + b"]"


def decode_object(body: bytes) -> dict[str, object]:
    """Return the one JSON object that the bytes hold. O(len(body)).

    Raises InvalidJson, also for what the standard library lets through: NaN, repeated keys,
    lone surrogates, numbers and nesting without bound.
    """
    try:
        text = body.decode()
        _check_depth(text)
        value = _DECODER.decode(text)
        if "\\u" in text:
            encode(value)  # half of a surrogate pair cannot be written as UTF-8
    except ValueError as error:
        raise InvalidJson(f"this is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidJson("this is JSON, but not an object")
    return value


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return  # true of almost every body: too few brackets to be too deep
    steps = (1 if bracket in "[{" else -1 for bracket in NOT_A_BRACKET.sub("", text))
    if max(accumulate(steps), default=0) > MAX_DEPTH:
        raise InvalidJson(f"this is nested more than {MAX_DEPTH} deep")


def utc_now(after: str = "") -> str:
    """Return the time as ISO 8601 in UTC with milliseconds, such as 2026-01-31T12:00:00.000Z.

    The result is later than `after`, if by one millisecond, so that two versions of a task
    never carry the same time, however fast they follow each other.
    """
    now = _to_the_millisecond(time.time_ns() // 1_000_000)
    if now > after:  # of one form, so the order of the texts is the order of the times
        return now
    later = datetime.fromisoformat(after) + timedelta(milliseconds=1)
    return later.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def http_date() -> str:
    """Return the time as the Date header wants it (RFC 9110, 5.6.7)."""
    return _to_the_second(int(time.time()))


# Each text is made once, and used for all requests of its millisecond or second.


@lru_cache(maxsize=1)
def _to_the_millisecond(milliseconds: int) -> str:
    second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{second}.{milliseconds % 1000:03}Z"


@lru_cache(maxsize=1)
def _to_the_second(second: int) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(second))


def new_id() -> str:
    """Return a UUID of version 4 (RFC 9562, 5.4), which nobody can foretell.

    Cut out of its digits, since `str(uuid4())` takes three times as long.
    """
    digits = urandom(15).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-8{digits[15:18]}-{digits[18:]}"
