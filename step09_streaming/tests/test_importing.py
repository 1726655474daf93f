"""The import: beside a model that looks at all lines again and again until nothing changes."""

import asyncio
import gc
import itertools
import json
import tracemalloc
from collections.abc import AsyncGenerator, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import taken

from taskflow import importing
from taskflow.background import in_background
from taskflow.errors import InvalidJson, PayloadTooLarge, TaskflowError, ValidationError
from taskflow.http import Request
from taskflow.importing import (
    MAX_LINE,
    MAX_REPORTED,
    TURN,
    WAITING,
    Import,
    lines_of,
    parse_task,
)
from taskflow.store import Store
from taskflow.streaming import ndjson
from taskflow.tasks import Status, Task

TIME = "2026-01-31T12:00:00.000Z"


def id_of(number: int) -> str:
    return str(UUID(int=number))


def line(number: int, *dependencies: int, **fields: object) -> bytes:
    """Return the line of a task whose id is the number, and so are those that it depends on."""
    ids = [id_of(dependency) for dependency in dependencies]
    value = {"id": id_of(number), "title": f"task {number}", "dependencies": ids, **fields}
    return json.dumps(value).encode()


def request_of(pieces: Iterable[bytes]) -> Request:
    """Return a request whose body comes in these pieces; an empty one would be its end."""
    rest = iter([*filter(None, pieces), b""])

    async def receive() -> bytes:
        return next(rest)

    return Request(receive=receive)


def lines(pieces: Iterable[bytes]) -> list[bytes]:
    async def collect() -> list[bytes]:
        return [line async for line in lines_of(request_of(pieces))]

    return asyncio.run(collect())


async def imported(store: Store, *body: bytes) -> Any:
    """Import these lines, and return what is answered."""
    return await Import(store).run(lines_of(request_of([b"\n".join(body)])))


async def exported(store: Store) -> bytes:
    return await taken(ndjson(task.json for task in store.snapshot()))


def titles(store: Store) -> list[str]:
    return [task.title for task in store.snapshot()]


def cut(data: bytes, positions: Iterable[int]) -> list[bytes]:
    ends = sorted({position % (len(data) + 1) for position in positions} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


# Lines.


@given(
    st.binary(max_size=60) | st.text("ab\n\r", max_size=30).map(str.encode),
    st.lists(st.integers(0, 99)),
)
def test_lines_are_the_same_however_the_bytes_are_cut(body: bytes, cuts: list[int]) -> None:
    assert lines(cut(body, cuts)) == body.split(b"\n")


def test_every_cut_gives_the_same_lines() -> None:
    body = b'{"a":1}\n\n{"b":2}\r\n\r\nlast'
    expected = [b'{"a":1}', b"", b'{"b":2}\r', b"\r", b"last"]
    assert lines(bytes([byte]) for byte in body) == expected
    for first in range(len(body) + 1):
        for second in range(first, len(body) + 1):
            assert lines([body[:first], body[first:second], body[second:]]) == expected


def test_a_line_may_have_1_mib_and_no_more() -> None:
    assert MAX_LINE == 1_048_576
    longest = b"x" * MAX_LINE
    assert lines([longest + b"\n" + longest]) == [longest, longest]
    for body in (
        longest + b"x",
        b"a\n" + longest + b"x",
        longest + b"x\na",
        b"a\n" + longest + b"x\n",
    ):
        for pieces in [body], [body[:700_000], body[700_000:]], [body[:-2], body[-2:]]:
            with pytest.raises(PayloadTooLarge):
                lines(pieces)


def test_a_line_that_will_be_too_long_is_refused_before_its_end() -> None:
    pieces = iter([b"x" * MAX_LINE, b"x"])  # and then nothing: `next` would fail

    async def receive() -> bytes:
        return next(pieces)

    async def first_line() -> None:
        with pytest.raises(PayloadTooLarge):
            await anext(lines_of(Request(receive=receive)))

    asyncio.run(first_line())


def test_a_line_byte_by_byte_is_copied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not again with each byte that arrives."""
    copied: list[int] = []

    def counting(data: bytearray) -> bytes:
        copied.append(len(data))
        return bytes(data)

    monkeypatch.setattr(importing, "bytes", counting, raising=False)
    body = b"x" * 5_000 + b"\n" + b"y" * 5_000

    assert lines([bytes([byte]) for byte in body]) == body.split(b"\n")

    assert sum(copied) == 10_000


@pytest.mark.parametrize("size", [1, 7, 1_000])
async def test_the_lines_before_one_that_is_too_long_are_taken_whatever_the_cuts(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """What has become of an import must not depend on how the bytes travelled."""
    monkeypatch.setattr(importing, "MAX_LINE", 10)
    body = b"one\ntwo\n" + b"x" * 11 + b"\nfour\n"
    seen: list[bytes] = []

    async def collect() -> None:
        pieces = (body[at : at + size] for at in range(0, len(body), size))
        async for line in lines_of(request_of(pieces)):
            seen.append(line)  # noqa: PERF401  what came before the refusal counts

    with pytest.raises(PayloadTooLarge):
        await collect()
    assert seen == [b"one", b"two"]


@pytest.mark.parametrize("size", [1, 10, 1_000])
def test_a_long_line_in_small_pieces_is_copied_once(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Otherwise the work would grow with the square of its length."""
    copied = 0

    def counted(value: Any) -> bytes:
        nonlocal copied
        copied += len(value)
        return bytes(value)

    monkeypatch.setattr(importing, "bytes", counted, raising=False)
    body = b"x" * 10_000
    assert lines(body[at : at + size] for at in range(0, len(body), size)) == [body]
    assert copied <= len(body)


# One line.


def test_a_line_may_carry_every_field_of_a_task() -> None:
    values = {
        "id": id_of(1),
        "title": " a title ",
        "description": "d",
        "status": "completed",
        "priority": -3,
        "dependencies": ["a", "b"],
        "createdAt": "2020-02-29T00:00:00.000Z",
        "updatedAt": "2021-12-31T23:59:59.999Z",
    }
    task = parse_task(json.dumps(values).encode(), 7)

    assert task.number == 7
    assert task.status is Status.COMPLETED
    assert json.loads(task.json) == values | {"title": "a title"}


def test_ids_in_upper_case_are_held_in_lower_case() -> None:
    values = {"title": "a", "id": id_of(10).upper(), "dependencies": [id_of(11).upper()]}

    task = parse_task(json.dumps(values).encode(), 1)

    assert task.id == id_of(10)
    assert task.dependencies == (id_of(11),)


def test_a_line_needs_a_title_alone() -> None:
    first, second = parse_task(b'{"title":"a"}', 1), parse_task(b'{"title":"a"}', 2)
    assert (first.description, first.status, first.priority) == ("", Status.PENDING, 1)
    assert first.id != second.id
    assert first.created_at == first.updated_at


def test_a_line_may_end_with_a_return() -> None:
    assert parse_task(b' {"title":"a"} \r', 1).title == "a"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"title": 1}, "title"),
        ({"priority": "1"}, "priority"),
        ({"colour": "red"}, "colour"),
        ({"number": 1}, "number"),
        ({"json": ""}, "json"),
        ({"created_at": TIME}, "created_at"),
        ({"dependencies": ["a", "a"]}, "dependencies"),
        *[
            ({"id": value}, "id")
            for value in (
                1,
                None,
                "",
                "x",
                id_of(10).upper().replace("A", "a") + "0",
                id_of(1).replace("-", ""),
                f" {id_of(1)}",
                id_of(1) + "\n",
                f"{{{id_of(1)}}}",
            )
        ],
        *[
            ({name: value}, name)
            for name in ("createdAt", "updatedAt")
            for value in (
                1,
                None,
                "",
                "2026-01-31",
                "2026-01-31T12:00:00Z",
                "2026-01-31T12:00:00.000",
                "2026-01-31T12:00:00.000+00:00",
                "2026-01-31T12:00:00.000000Z",
                "2026-01-31 12:00:00.000Z",
                "2026-01-31T12:00:00.000z",
                "2026-01-31T12:00:00.000Z\n",
                "2026-02-29T12:00:00.000Z",
                "2026-13-01T12:00:00.000Z",
                "2026-01-31T25:00:00.000Z",
                "2026-01-31T12:00:60.000Z",
                "0000-01-01T00:00:00.000Z",
                "２026-01-31T12:00:00.000Z",
            )
        ],
    ],
)
def test_a_bad_field_is_named(fields: dict[str, object], named: str) -> None:
    body = json.dumps({"title": "a", **fields}).encode()
    with pytest.raises(ValidationError) as caught:
        parse_task(body, 1)
    assert caught.value.details["field"] == named
    assert str(caught.value).startswith(f"{named}: ")


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b'{"title":"a"}x', b"\xff", b"\xef\xbb\xbf{}"])
def test_a_line_must_be_one_object(body: bytes) -> None:
    with pytest.raises(InvalidJson):
        parse_task(body, 1)


# Export, import, and export again.

MOMENTS = st.datetimes(datetime(1, 1, 1), datetime.max) | st.sampled_from(
    [datetime(9998, 12, 31, 23, 59, 59, 999_000), datetime.max]
)
TIMES = MOMENTS.map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z")
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5) | st.text(
    "\x85\u2028\u2029\ufeff\r\n\v\f\x1c", max_size=5
)


class Graph:
    """A store with tasks that depend on each other in all directions, but not in circles.

    Some were made by clients and others imported, with times of any year.
    """

    def __init__(self, data: st.DataObject) -> None:
        self.store = Store()
        tasks = []
        for _ in range(data.draw(st.integers(0, 8))):
            fields = {
                "title": data.draw(TEXTS.map(str.strip).filter(bool)),
                "description": data.draw(TEXTS),
                "status": data.draw(st.sampled_from(Status)),
                "priority": data.draw(st.integers(-2, 2)),
            }
            if data.draw(st.booleans()):
                fields |= {"createdAt": data.draw(TIMES), "updatedAt": data.draw(TIMES)}
            task = parse_task(json.dumps(fields).encode(), self.store.next_number())
            self.store.insert(task)
            tasks.append(task)
        order = data.draw(st.permutations(tasks))
        for at, task in enumerate(order):
            chosen = data.draw(st.lists(st.sampled_from(order[:at]), unique=True)) if at else []
            self.store.update(task.id, {"dependencies": tuple(other.id for other in chosen)})
        for task in data.draw(st.lists(st.sampled_from(tasks), unique=True)) if tasks else []:
            if data.draw(st.booleans()):
                self.store.delete(task.id)


@given(st.data(), st.lists(st.integers(0, 3_000), max_size=9))
def test_what_is_exported_and_imported_is_exported_as_the_same_bytes(
    data: st.DataObject, cuts: list[int]
) -> None:
    first, second = Graph(data).store, Store()

    async def carry() -> None:
        body = await exported(first)
        assert len(body.decode().splitlines()) == len(first)
        answer = await Import(second).run(lines_of(request_of(cut(body, cuts))))
        assert answer == {"created": len(first), "failedCount": 0, "failed": []}
        assert await exported(second) == body

    asyncio.run(carry())
    assert claims(first) == claims(second)  # the same are ready, in the same order
    assert [task.id for task in second.resolve()] == [task.id for task in first.resolve()]


def claims(store: Store) -> list[str]:
    """Return the ids in the order in which they are handed out."""
    claimed = []
    while (task := store.claim()) is not None:
        claimed.append(task.id)
    return claimed


# Beside the model.


LINES = st.lists(
    st.one_of(
        st.none(),  # blank
        st.just("no JSON"),
        st.tuples(st.integers(0, 6), st.lists(st.integers(0, 7), max_size=3, unique=True)),
    ),
    max_size=10,
)


@given(LINES)
def test_what_is_created_and_what_fails_is_what_the_model_says(entries: list[Any]) -> None:
    """The store has task 0 already, and nobody ever makes task 7."""
    body, claimed = [], dict[int, tuple[int, list[int]]]()
    failing = set()
    for number, entry in enumerate(entries, start=1):
        if entry is None:
            body.append(b" \r")
        elif entry == "no JSON":
            body.append(b"{")
            failing.add(number)
        else:
            task, dependencies = entry
            body.append(line(task, *dependencies))
            if task == 0 or task in claimed:
                failing.add(number)
            else:
                claimed[task] = number, dependencies
    there = {0}
    while more := {task for task in claimed if there.issuperset(claimed[task][1])} - there:
        there |= more
    failing |= {claimed[task][0] for task in claimed.keys() - there}
    store = Store()

    async def run() -> Any:
        await imported(store, line(0))
        return await imported(store, *body)

    answer = asyncio.run(run())

    assert answer["created"] == len(there) - 1
    assert answer["failedCount"] == len(failing)
    assert [failure["line"] for failure in answer["failed"]] == sorted(failing)
    in_file = sorted(there - {0}, key=lambda task: claimed[task][0])
    assert [task.id for task in store.snapshot()] == [id_of(task) for task in [0, *in_file]]
    assert store.page(99) == store.snapshot()


# A byte order mark.

MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize("before", [b"", b"\n", b" \r\n"])
def test_a_byte_order_mark_at_the_beginning_is_skipped(before: bytes) -> None:
    body = MARK + before + line(1)

    async def run() -> None:
        store = Store()
        pieces = (body[at : at + 1] for at in range(len(body)))
        answer = await Import(store).run(lines_of(request_of(pieces)))
        assert answer == {"created": 1, "failedCount": 0, "failed": []}
        assert titles(store) == ["task 1"]

    asyncio.run(run())


async def test_a_byte_order_mark_elsewhere_is_named() -> None:
    store = Store()
    answer = await imported(store, MARK + MARK + line(1), MARK + line(2), line(3))
    assert titles(store) == ["task 3"]
    assert [failure["line"] for failure in answer["failed"]] == [1, 2]
    assert all("byte order mark" in failure["error"] for failure in answer["failed"])


# What fails.


async def test_a_line_that_fails_is_told_of_and_the_others_are_taken() -> None:
    store = Store()
    answer = await imported(
        store,
        line(1),
        b"",
        b"no JSON",
        line(2, priority="high"),
        line(3, colour="red"),
        b'{"description":"no title"}',
        line(1),
        line(4, 99),
        line(5),
    )

    assert titles(store) == ["task 1", "task 5"]
    errors = {failure["line"]: failure["error"] for failure in answer.pop("failed")}
    assert answer == {"created": 2, "failedCount": 6}
    assert list(errors) == [3, 4, 5, 6, 7, 8]
    assert errors[3].startswith("this is not JSON")
    assert errors[4] == "priority: must be an integer"
    assert errors[5] == "colour: is not a field that can be set"
    assert errors[6] == "title: is required"
    assert errors[7] == "id: exists already"
    assert errors[8] == f"there is no task {id_of(99)}"


async def test_what_depends_on_a_line_that_failed_fails_too() -> None:
    store = Store()
    answer = await imported(
        store, line(1, 2), line(2, title=""), line(3, 1), line(4), line(5, 4, 3), line(6, 4)
    )
    assert titles(store) == ["task 4", "task 6"]
    assert [failure["line"] for failure in answer["failed"]] == [1, 2, 3, 5]


async def test_a_circle_fails_and_what_hangs_on_it() -> None:
    store = Store()
    answer = await imported(
        store, line(1, 2), line(2, 3), line(3, 1, 5), line(4, 1), line(5), line(6, 6), line(7, 5)
    )
    assert titles(store) == ["task 5", "task 7"]
    assert [failure["line"] for failure in answer["failed"]] == [1, 2, 3, 4, 6]


async def test_a_chain_may_be_long_in_the_wrong_direction() -> None:
    """Deeper than the stack of Python; and the order of creation is that of the lines."""
    store, count = Store(), 3_000
    answer = await imported(store, *(line(at, at + 1) for at in range(1, count)), line(count))
    assert (answer["created"], answer["failedCount"]) == (count, 0)
    assert titles(store) == [f"task {at}" for at in range(1, count + 1)]
    assert [task.title for task in store.queued()] == [f"task {count}"]


async def test_an_id_that_waits_is_taken() -> None:
    store = Store()
    answer = await imported(store, line(1, 2), line(1), line(2))
    assert answer["created"] == 2
    assert answer["failed"] == [{"line": 2, "error": "id: exists already"}]
    assert store.get(id_of(1)).dependencies == (id_of(2),)


async def test_an_id_that_somebody_else_takes_meanwhile_fails_its_line() -> None:
    store = Store()

    async def body() -> AsyncGenerator[bytes, None]:
        yield line(1, 2)
        await imported(store, line(1, title="theirs"))
        yield line(2)

    answer = await Import(store).run(body())
    assert answer["failed"] == [{"line": 1, "error": "id: exists already"}]
    assert titles(store) == ["theirs", "task 2"]


async def test_a_store_that_is_full_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskflow.store.MAX_TASKS", 2)
    store = Store()
    answer = await imported(store, line(1, 2), line(2), line(3), line(4))
    assert titles(store) == ["task 2", "task 3"]
    assert [failure["line"] for failure in answer["failed"]] == [1, 4]
    assert "takes no more" in answer["failed"][1]["error"]


async def test_nothing_is_imported_from_nothing() -> None:
    for body in b"", b"\n", b"\n \r\n\t\n\n":
        store = Store()
        assert await imported(store, body) == {"created": 0, "failedCount": 0, "failed": []}
        assert len(store) == 0


# Bounds.


async def test_only_the_first_1000_failures_are_told_of() -> None:
    assert MAX_REPORTED == 1_000
    store = Store()
    answer = await imported(store, *[b"{"] * (MAX_REPORTED + 7), line(1))
    assert (answer["created"], answer["failedCount"]) == (1, MAX_REPORTED + 7)
    assert [failure["line"] for failure in answer["failed"]] == list(range(1, MAX_REPORTED + 1))


USED_UP = "dependencies: too many wait for later tasks"


async def test_what_may_wait_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond, a task whose prerequisite has not come yet fails at once; others do not suffer."""
    monkeypatch.setattr(importing, "MAX_WAITING", 2 * await cost_of(line(1, 9)))
    store = Store()
    answer = await imported(store, line(1, 9), line(2, 9), line(3, 9), line(4), line(9))
    assert titles(store) == ["task 1", "task 2", "task 4", "task 9"]
    assert answer["failed"] == [{"line": 3, "error": USED_UP}]


async def cost_of(*body: bytes) -> int:
    """Return the bytes that these lines are counted with while they wait."""
    waiting = Import(Store())
    await waiting.run(lines_of(request_of([b"\n".join(body)])))
    return WAITING[waiting]


async def test_the_bound_is_for_all_imports_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what an import took is free as soon as its client has left, without the collector."""
    monkeypatch.setattr(importing, "MAX_WAITING", 2 * await cost_of(line(1, 9)))
    store = Store()
    arrived = asyncio.Event()

    async def stalled() -> AsyncGenerator[bytes, None]:
        yield line(1, 9)
        arrived.set()
        await asyncio.Event().wait()
        yield line(2)

    async def import_stalled() -> None:
        await Import(store).run(stalled())

    gc.disable()
    try:
        async with in_background(import_stalled()):
            await arrived.wait()
            answer = await imported(store, line(3, 9), line(4, 9), line(9))
        assert answer["failed"] == [{"line": 2, "error": USED_UP}]
        # The event loop holds what it has cancelled until its next turn.
        await asyncio.sleep(0)
        assert (await imported(store, line(5, 8), line(6, 8), line(8)))["failed"] == []
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("count", "description"), [(1, ""), (11, ""), (1_000, ""), (1, "x" * 9_999 + "\N{ROCKET}")]
)
async def test_what_waits_takes_no_more_memory_than_its_bound(
    monkeypatch: pytest.MonkeyPatch, count: int, description: str
) -> None:
    """Whatever it consists of: many small tasks, long lists of dependencies, or large texts."""
    monkeypatch.setattr(importing, "MAX_WAITING", 4 * MAX_LINE)

    async def body() -> AsyncGenerator[bytes, None]:
        numbers = itertools.count(10**6)
        counted = -1
        # Until a line fails, because it would be over the bound.
        while counted < WAITING.get(tested, 0):
            counted = WAITING.get(tested, 0)
            ids = [f"{next(numbers):x}" for _ in range(count)]
            yield json.dumps(
                {"title": "a", "description": description, "dependencies": ids}
            ).encode()

    tested = Import(Store())
    gc.collect()
    tracemalloc.start()
    try:
        answer = await tested.run(body())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert answer["failedCount"] > 1
    # The line that is being read takes memory too.
    assert peak < importing.MAX_WAITING + MAX_LINE


async def test_what_is_told_of_a_failure_is_short() -> None:
    """A thousand lines of 1 MiB that fail must not become an answer of a GiB."""
    long = "x" * 100_000
    answer = await imported(
        Store(),
        line(1, dependencies=[long]),
        line(2, **{long: 1}),
        line(3, id=long),
        line(4, status=long),
        line(5, title=long),
        long.encode(),
    )
    assert answer["failedCount"] == 6
    assert all(len(failure["error"]) < 200 for failure in answer["failed"])


async def test_others_have_their_turn_meanwhile() -> None:
    """Though all lines are there already, and also while what waits is added at the end."""
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def body(*dependencies: int) -> AsyncGenerator[bytes, None]:
        for number in range(10 * TURN):
            yield line(number + 1, *dependencies)
        at_the_end.append(turns)
        yield line(99_999)

    at_the_end: list[int] = []
    async with in_background(count_turns()):
        await Import(Store()).run(body())
        assert at_the_end[0] >= 9
        begun = turns
        await Import(Store()).run(body(99_999))
        assert at_the_end[1] - begun >= 9
        assert turns - at_the_end[1] >= 9


async def test_an_import_that_is_cut_keeps_what_was_created_and_ends() -> None:
    store = Store()

    async def body() -> AsyncGenerator[bytes, None]:
        yield line(1)
        yield line(2, 3)
        raise PayloadTooLarge("cut")

    with pytest.raises(TaskflowError):
        await Import(store).run(body())
    assert titles(store) == ["task 1"]


def test_the_number_of_a_line_is_its_place_in_the_order_of_creation() -> None:
    def numbers(store: Store) -> list[int]:
        return [task.number for task in store.snapshot()]

    store = Store()
    asyncio.run(imported(store, line(1, 3), line(2), line(3)))
    made: list[Task] = [store.create({"title": "after"})]
    assert numbers(store) == sorted(numbers(store))
    assert titles(store) == ["task 1", "task 2", "task 3", "after"]
    assert store.page(2, after=store.get(id_of(2)).number) == [store.get(id_of(3)), *made]
