"""The clock and the source of ids: the time and the name that every new thing gets."""

import time
from functools import lru_cache
from uuid import uuid4


def utc_now() -> str:
    """Return the time as ISO 8601 in UTC with milliseconds, such as 2026-01-31T12:00:00.000Z."""
    return _timestamp(time.time_ns() // 1_000_000)


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
