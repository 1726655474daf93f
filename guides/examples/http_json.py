"""The same bodies for the standard library's JSON reader and for that of step 1."""

import json

from taskflow.codec import decode_object
from taskflow.errors import InvalidJson

BODIES = {
    "the same key twice": b'{"title": "Wash", "title": "Iron"}',
    "NaN": b'{"priority": NaN}',
    "half of a surrogate pair": rb'{"title": "\ud800"}',
    "100,000 lists in one another": b'{"title": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a number of 4,000 digits": b'{"priority": ' + b"9" * 4_000 + b"}",
    "a list": b"[]",
}


def library(body: bytes) -> str:
    """Return what json.loads makes of it."""
    try:
        text = repr(json.loads(body))
    except RecursionError:
        return "`RecursionError`"
    return f"`{text}`" if len(text) < 60 else f"a value, {len(text):,} characters long"


def ours(body: bytes) -> str:
    """Return what step 1 makes of it."""
    try:
        return f"`{decode_object(body)}`"
    except InvalidJson as error:
        return f"{error.status}, {error!s}"


def compare() -> None:
    """Print a table of both."""
    print("| the body has | `json.loads` | step 1 |\n| --- | --- | --- |")
    for name, body in BODIES.items():
        print(f"| {name} | {library(body)} | {ours(body)} |")
