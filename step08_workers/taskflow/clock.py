"""The clock and the source of ids: the time and the name that every new thing gets."""

import time
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import uuid4

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
    """Return a random UUID in lower case (RFC 9562, 5.4)."""
    return str(uuid4())


# A busy server asks for the time far more often than the text of it changes.


@lru_cache(maxsize=1)
def _timestamp(milliseconds: int) -> str:
    second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // 1000))
    return f"{second}.{milliseconds % 1000:03}Z"


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(second))
