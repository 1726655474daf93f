"""The clock and the source of ids: the time and the name that every new thing gets."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from os import urandom

# The last time that another can follow: the calendar of Python ends with the year 9999.
LAST_BUT_ONE = "9999-12-31T23:59:59.998Z"

# The last time that another can follow: the calendar of Python ends with the year 9999.
LAST_BUT_ONE = "9999-12-31T23:59:59.998Z"

# The last time that another can follow: the calendar of Python ends with the year 9999.
LAST_BUT_ONE = "9999-12-31T23:59:59.998Z"


def utc_now(after: str = "") -> str:
    """Return the time as ISO 8601 in UTC with milliseconds, such as 2026-01-31T12:00:00.000Z.

    The result is at least one millisecond later than `after`, so two versions of a task never
    carry the same time, however quickly one follows the other. Only the last millisecond of the
    year 9999 is followed by itself.
    """
    now = _timestamp(time.time_ns() // 1_000_000)
    # All timestamps have the same form, so their order as text is their order in time.
    if now > after:
        return now
    later = datetime.fromisoformat(min(after, LAST_BUT_ONE)) + timedelta(milliseconds=1)
    return later.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def http_date() -> str:
    """Return the time in the form of the Date header (RFC 9110, 5.6.7)."""
    return _date(int(time.time()))


def new_id() -> str:
    """Return a random UUID in lower case (RFC 9562, 5.4), whose 122 bits nobody can predict.

    Assembled from hexadecimal digits, because `str(uuid4())` takes longer; so does asking the
    system for the digits of each id alone (benchmarks/final_parts.py compares all three).
    """
    digits = next(_DIGITS)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-8{digits[15:18]}-{digits[18:]}"


def _random_digits() -> Iterator[str]:
    """Yield 30 random hexadecimal digits, again and again. One system call serves 64 ids."""
    while True:
        digits = urandom(15 * 64).hex()
        for start in range(0, len(digits), 30):
            yield digits[start : start + 30]


_DIGITS = _random_digits()


# A busy server asks for the time far more often than the text of it changes.


@lru_cache(maxsize=1)
def _timestamp(milliseconds: int) -> str:
    second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{second}.{milliseconds % 1000:03}Z"


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(second))
