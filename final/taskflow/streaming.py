"""Streams: responses that are made while they are sent, in memory that does not grow.

A piece is a few hundred rows, or fewer if they are long: enough to make the cost of sending small
for each row, and few enough to hold the event loop for about a millisecond. A client that stops
reading leaves one piece in memory, so its bytes are bounded too.
"""

import csv
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from io import StringIO
from typing import TypeVar

from taskflow.tasks import Task

T = TypeVar("T")

# Rows in a piece, at most.
ROWS = 500

# Bytes, or characters of CSV, after which a piece takes no other row.
PIECE = 64 * 1024

CSV = "text/csv; charset=utf-8"
NDJSON = "application/x-ndjson"
TASK_COLUMNS = "id,title,description,status,priority,dependencies,createdAt,updatedAt"

# A spreadsheet may take a text that begins with one of these for a formula. The last four are the
# full-width forms of the first four.
FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def in_pieces(items: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield the items in lists of up to ROWS, whose sizes without the last one are below PIECE."""
    piece: list[T] = []
    size = 0
    for item in items:
        piece.append(item)
        size += size_of(item)
        if size >= PIECE or len(piece) == ROWS:
            yield piece
            piece = []
            size = 0
    if piece:
        yield piece


def row_size(row: Sequence[object]) -> int:
    """Return the number of characters in the texts of a row."""
    return sum(len(value) for value in row if isinstance(value, str))


async def ndjson(lines: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield encoded values, one per line (https://github.com/ndjson/ndjson-spec)."""
    for piece in in_pieces(lines, len):
        yield b"\n".join(piece) + b"\n"


async def csv_table(columns: str, rows: Iterable[Sequence[object]]) -> AsyncGenerator[bytes, None]:
    """Yield the names of the columns and then the rows, as CSV (RFC 4180)."""
    yield columns.encode() + b"\r\n"
    for piece in in_pieces(rows, row_size):
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
