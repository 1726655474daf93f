"""Answers in pieces: read back by common readers, and made only as they are taken."""

import asyncio
import csv
import json
import math
from collections.abc import AsyncGenerator, Iterator, Sequence
from io import StringIO
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import taken

from taskflow.streaming import (
    PIECE,
    ROWS,
    TASK_COLUMNS,
    csv_table,
    harmless,
    in_pieces,
    ndjson,
    task_row,
)
from taskflow.tasks import Status, new_task

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20) | st.text(
    "\",;\r\n\t =+-@\uff1d\uff0b\uff0d\uff20'\\", max_size=8
)


class Counted:
    """An endless source that counts what was taken from it."""

    def __init__(self) -> None:
        self.taken = 0

    def __iter__(self) -> Iterator[int]:
        for number in count():
            self.taken += 1
            yield number


async def pieces_of(stream: AsyncGenerator[bytes, None]) -> list[bytes]:
    return [piece async for piece in stream]


def rows_of(text: bytes) -> list[list[str]]:
    """Read CSV as the standard library does, and strictly."""
    return list(csv.reader(StringIO(text.decode(), newline=""), strict=True))


# Pieces.


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        (0, []),
        (1, [1]),
        (ROWS, [ROWS]),
        (ROWS + 1, [ROWS, 1]),
        (3 * ROWS, [ROWS] * 3),
    ],
)
def test_items_come_in_lists_of_rows(size: int, sizes: list[int]) -> None:
    pieces = list(in_pieces(range(size), lambda _: 1))
    assert [len(piece) for piece in pieces] == sizes
    assert [item for piece in pieces for item in piece] == list(range(size))


@pytest.mark.parametrize("size", [1_000, 10_000, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
async def test_long_rows_come_in_pieces_of_few(size: int) -> None:
    """Each client that stops reading leaves one piece in memory, however long the rows are."""
    line = b"x" * size
    lines = await pieces_of(ndjson([line] * 100))
    rows = await pieces_of(csv_table("a", [[line.decode()]] * 100))
    assert b"".join(lines) == (line + b"\n") * 100
    assert b"".join(rows) == b"a\r\n" + (line + b"\r\n") * 100
    assert max(map(len, lines + rows)) < PIECE + 2 * ROWS + size
    assert len(lines) == len(rows) - 1 == math.ceil(100 / math.ceil(PIECE / size))


async def test_no_more_is_made_than_the_next_piece_takes() -> None:
    """So that a stream without an end costs no more memory than one piece."""
    lines, rows = Counted(), Counted()
    as_lines = ndjson(b"%d" % number for number in lines)
    as_rows = csv_table("number", ([number] for number in rows))
    assert lines.taken == rows.taken == 0
    assert await anext(as_rows) == b"number\r\n"
    assert rows.taken == 0
    for turn in range(1, 4):
        assert (await anext(as_lines)).count(b"\n") == ROWS
        assert (await anext(as_rows)).count(b"\r\n") == ROWS
        assert lines.taken == rows.taken == turn * ROWS
    await as_lines.aclose()
    await as_rows.aclose()


async def test_no_piece_is_empty() -> None:
    """For an empty chunk would be the end."""
    for size in 0, 1, ROWS, ROWS + 1:
        lines = await pieces_of(ndjson([b"{}"] * size))
        rows = await pieces_of(csv_table("a", [[""]] * size))
        assert all(lines)
        assert all(rows)


# NDJSON.


@pytest.mark.parametrize("size", [0, 1, 2, ROWS, ROWS + 1])
async def test_every_line_has_its_end(size: int) -> None:
    lines = [json.dumps({"number": number}).encode() for number in range(size)]
    assert await taken(ndjson(lines)) == b"".join(line + b"\n" for line in lines)


# CSV.


async def read_back(columns: str, rows: Sequence[Sequence[object]]) -> list[list[str]]:
    return rows_of(await taken(csv_table(columns, rows)))


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=4), max_size=5))
def test_any_text_is_read_back_as_it_was(rows: list[list[str]]) -> None:
    assert asyncio.run(read_back("a,b", rows)) == [["a", "b"], *rows]


async def test_csv_is_written_as_rfc_4180_wants_it() -> None:
    rows = [[1, "plain", ""], [2, 'a "quoted" one', "a,b"], [3, "two\r\nlines", "a\nb"]]
    assert await taken(csv_table("id,title,description", rows)) == (
        b"id,title,description\r\n"
        b"1,plain,\r\n"
        b'2,"a ""quoted"" one","a,b"\r\n'
        b'3,"two\r\nlines","a\nb"\r\n'
    )


# What a spreadsheet would run.


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_text_that_a_spreadsheet_would_run_gets_a_quote(start: str) -> None:
    assert harmless(start) == "'" + start
    assert harmless(start + "cmd|' /C calc'!A0") == "'" + start + "cmd|' /C calc'!A0"


@pytest.mark.parametrize("text", ["", "a", "a=b", " =b", "'=b", "1-1", '"=b', "é"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


@given(TEXTS)
def test_no_text_begins_as_a_formula_does_and_only_a_quote_is_added(text: str) -> None:
    after = harmless(text)
    assert not after.startswith(FORMULA_STARTS)
    assert after in (text, "'" + text)


def test_a_task_is_a_row_under_the_names_of_its_columns() -> None:
    task = new_task(
        7,
        {
            "title": "=1+1",
            "description": "@all",
            "status": Status.IN_PROGRESS,
            "priority": -5,
            "dependencies": ("a", "b"),
        },
    )
    assert dict(zip(TASK_COLUMNS.split(","), task_row(task), strict=True)) == {
        "id": task.id,
        "title": "'=1+1",
        "description": "'@all",
        "status": "in-progress",
        "priority": -5,
        "dependencies": "a;b",
        "createdAt": task.created_at,
        "updatedAt": task.updated_at,
    }


@given(title=TEXTS, description=TEXTS)
def test_a_task_is_read_back_from_csv(title: str, description: str) -> None:
    task = new_task(1, {"title": title, "description": description})

    [_, row] = asyncio.run(read_back(TASK_COLUMNS, [task_row(task)]))

    times = [task.created_at, task.updated_at]
    texts = [harmless(title), harmless(description)]
    assert row == [task.id, *texts, "pending", "1", "", *times]
