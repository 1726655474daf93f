"""Streams: responses that are made while they are sent, in memory that does not grow.

A piece is a hundred rows: enough to make the cost of sending small for each row, and few enough
to hold the event loop for a millisecond or two, and little memory for each client, even if every
description is as long as it may be.
"""

import csv
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import Any

from taskflow.tasks import Task

# Rows in a piece.
ROWS = 100

CSV = "text/csv; charset=utf-8"
NDJSON = "application/x-ndjson"
TASK_COLUMNS = "id,title,description,status,priority,dependencies,createdAt,updatedAt"

# A spreadsheet may take a text that begins with one of these for a formula. The last four are the
# full-width forms of the first four.
FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def in_pieces(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the items in lists of ROWS."""
    iterator = iter(items)
    while piece := list(islice(iterator, ROWS)):
        yield piece


async def ndjson(lines: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield encoded values, one per line (https://github.com/ndjson/ndjson-spec)."""
    for piece in in_pieces(lines):
        yield b"\n".join(piece) + b"\n"


async def csv_table(columns: str, rows: Iterable[Sequence[object]]) -> AsyncGenerator[bytes, None]:
    """Yield the names of the columns and then the rows, as CSV (RFC 4180)."""
    yield columns.encode() + b"\r\n"
    for piece in in_pieces(rows):
        text = StringIO(newline="")
        csv.writer(text).writerows(piece)
        yield text.getvalue().encode()


def task_row(task: Task) -> Sequence[object]:
    """Return a task as a row of CSV."""
    return (
        task.id,
        harmless(task.title),
        harmless(task.description),
        task.status,
        task.priority,
        ";".join(task.dependencies),
        task.created_at,
        task.updated_at,
    )


def harmless(text: str) -> str:
    """Return the text, after a quote if it begins as a formula may (OWASP, CSV Injection).

    Only the beginning of a field is looked at. A reader that splits fields at semicolons or tabs,
    although this is CSV with commas, can still find a formula inside one.
    """
    return "'" + text if text.startswith(FORMULA_STARTS) else text
