"""Answers that are made while they are sent, a piece at a time, in memory that does not grow.

A piece is a few hundred rows: so many that sending one costs little for each of them, and so few
that making one holds the event loop for a millisecond only.
"""

import csv
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import Any

from taskflow.tasks import Task

ROWS = 500  # in a piece
CSV = "text/csv; charset=utf-8"
NDJSON = "application/x-ndjson"
TASK_COLUMNS = "id,title,description,status,priority,dependencies,createdAt,updatedAt"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def in_pieces(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the items in lists of ROWS."""
    rest = iter(items)
    while piece := list(islice(rest, ROWS)):
        yield piece


async def ndjson(lines: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield values that are JSON already, one a line (https://github.com/ndjson/ndjson-spec)."""
    for piece in in_pieces(lines):
        yield b"\n".join(piece) + b"\n"


async def csv_table(columns: str, rows: Iterable[Sequence[object]]) -> AsyncGenerator[bytes, None]:
    """Yield the names of the columns and the rows as CSV (RFC 4180)."""
    yield columns.encode() + b"\r\n"
    for piece in in_pieces(rows):
        text = StringIO(newline="")
        csv.writer(text).writerows(piece)
        yield text.getvalue().encode()


def task_row(task: Task) -> Sequence[object]:
    """Return a task as a row of CSV."""
    texts = task.id, harmless(task.title), harmless(task.description), task.status, task.priority
    return *texts, ";".join(task.dependencies), task.created_at, task.updated_at


def harmless(text: str) -> str:
    """Return the text with a quote before what a spreadsheet would run (OWASP, CSV Injection)."""
    return "'" + text if text.startswith(FORMULA_STARTS) else text
