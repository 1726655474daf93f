"""Step 9: the import: tasks as lines of JSON, of which each stands or fails for itself."""

from __future__ import annotations

import json
import uuid
from itertools import pairwise
from typing import Any

import pytest

from .api import TIME, Api, Task, ids
from .conftest import Launch
from .test_step01_framing import MIB
from .test_step09_chunked import LAST, chunk, in_chunks

IMPORT = "/tasks/import"
TYPE = "Content-Type: application/x-ndjson"
STREAM = "/tasks/stream.ndjson"
MARK = b"\xef\xbb\xbf"  # the byte order mark, in UTF-8


def new_id() -> str:
    return str(uuid.uuid4())


def line(**fields: Any) -> bytes:
    """A task as a line."""
    return json.dumps({"title": "a task", **fields}).encode()


def told(value: Any) -> tuple[int, dict[int, str]]:
    """How many were created, and what failed: the lines and why. In the right shape."""
    assert set(value) == {"created", "failedCount", "failed"}
    assert all(set(failure) == {"line", "error"} for failure in value["failed"])
    numbers = [failure["line"] for failure in value["failed"]]
    assert numbers == sorted(set(numbers)), "expected each line once, in their order"
    errors = {failure["line"]: failure["error"] for failure in value["failed"]}
    assert all(isinstance(error, str) and error for error in errors.values())
    assert value["failedCount"] >= len(errors)
    return value["created"], errors


def send(api: Api, body: bytes) -> tuple[int, dict[int, str]]:
    """Import a body whose failures are all told of."""
    value = api.ask("POST", IMPORT, TYPE, body=body).expect(200).json()
    created, errors = told(value)
    assert value["failedCount"] == len(errors)
    return created, errors


def titles(api: Api) -> list[str]:
    return [task["title"] for task in api.tasks()]


# What a line may say


def test_each_line_is_a_task_and_the_answer_counts_them(empty: Api) -> None:
    body = b"\n".join(line(title=f"{number}") for number in range(3)) + b"\n"
    assert send(empty, body) == (3, {})
    assert titles(empty) == ["0", "1", "2"]
    for task in empty.tasks():
        assert str(uuid.UUID(task["id"])) == task["id"]
        assert TIME.fullmatch(task["createdAt"])
        assert {name: task[name] for name in ("status", "priority", "description")} == {
            "status": "pending",
            "priority": 1,
            "description": "",
        }


def test_a_line_may_carry_every_field_of_a_task(empty: Api) -> None:
    first = {
        "id": new_id(),
        "title": "first",
        "description": "d",
        "status": "completed",
        "priority": -9,
        "dependencies": [],
        "createdAt": "2020-02-29T23:59:59.999Z",
        "updatedAt": "2021-01-01T00:00:00.000Z",
    }
    second = first | {"id": new_id(), "status": "in-progress", "dependencies": [first["id"]]}
    assert send(empty, line(**first) + b"\n" + line(**second)) == (2, {})
    assert empty.tasks() == [first, second]


def test_an_imported_task_is_like_any_other(empty: Api) -> None:
    """Changed, claimed, waited for, and deleted."""
    first, second = new_id(), new_id()
    old = "2001-01-01T00:00:00.000Z"
    body = [line(id=second, priority=9, dependencies=[first]), line(id=first, updatedAt=old)]
    assert send(empty, b"\n".join(body)) == (2, {})
    assert empty.ask("GET", "/tasks/next").expect(200).json()["id"] == first
    claimed = empty.ask("POST", "/tasks/claim").expect(200).json()
    assert claimed["id"] == first
    assert claimed["updatedAt"] > old
    empty.change(claimed, status="completed")
    assert empty.ask("POST", "/tasks/claim").expect(200).json()["id"] == second
    cycle = empty.ask("PATCH", f"/tasks/{first}", value={"dependencies": [second]})
    empty.refused(cycle, "CYCLE_DETECTED")
    empty.ask("DELETE", f"/tasks/{first}").expect(204)
    assert empty.tasks()[0]["dependencies"] == []


def test_ties_are_claimed_in_the_order_of_the_lines(empty: Api) -> None:
    """Also of lines that had to wait for others, and behind what was there before."""
    there = empty.create(title="there")
    last = new_id()
    body = [line(title="1", dependencies=[last]), line(title="2"), line(title="3", id=last)]
    assert send(empty, b"\n".join(body)) == (3, {})
    after = empty.create(title="after")
    assert titles(empty) == ["there", "1", "2", "3", "after"]
    empty.ask("PATCH", f"/tasks/{last}", value={"status": "completed"}).expect(200)
    claimed = [empty.ask("POST", "/tasks/claim").expect(200).json() for _ in range(4)]
    assert [task["title"] for task in claimed] == ["there", "1", "2", "after"]
    assert (claimed[0]["id"], claimed[3]["id"]) == (there["id"], after["id"])
    empty.ask("POST", "/tasks/claim").expect(204)


# Lines


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"\r\n\n \t\r\n",
        line(),
        line() + b"\n",
        line() + b"\r\n",
        b"\n\n" + line() + b"\n\n\n" + line() + b"\r\n\r\n",
        b"  " + line() + b" \t\r\n\t" + line() + b"\t",
    ],
)
def test_blank_lines_and_returns_do_not_matter_nor_does_the_last_line_end(
    empty: Api, body: bytes
) -> None:
    count = body.count(b"title")
    assert send(empty, body) == (count, {})
    assert len(empty.tasks()) == count


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("start", [b"", b"\r\n", b" \t"])
def test_a_byte_order_mark_before_the_first_line_is_skipped(
    empty: Api, start: bytes, end: bytes
) -> None:
    """Once; a second one, or one before another line, belongs to its line."""
    assert send(empty, MARK + start + line(title="first") + end) == (1, {})
    created, errors = send(empty, MARK + MARK + line() + b"\n" + line(title="second"))
    assert (created, list(errors)) == (1, [1])
    assert "byte order mark" in errors[1]
    assert titles(empty) == ["first", "second"]


def test_a_file_of_a_byte_order_mark_alone_is_empty(empty: Api) -> None:
    assert send(empty, MARK) == send(empty, MARK + b"\n") == (0, {})


def test_blank_lines_count_for_the_numbers_of_lines(empty: Api) -> None:
    body = b"\n\r\nno JSON\n" + line() + b"\n \n{}\n"
    created, errors = send(empty, body)
    assert (created, list(errors)) == (1, [3, 6])


def test_the_bytes_may_be_cut_anywhere(empty: Api) -> None:
    """Inside of a character, between CR and LF, and between two lines."""
    body = line(title="\u00e9") + b"\r\n" + json.dumps({"title": "\u4e16"}).encode() + b"\n\n{"
    body = body.replace(b"\\u4e16", "\u4e16".encode())
    connection = empty.connect()
    for at in range(1, len(body)):
        head = empty.head("POST", IMPORT, TYPE, f"Content-Length: {len(body)}")
        empty.send_apart(connection, [head + body[:at]])
        connection.send(body[at:])
        created, errors = told(connection.answer("POST").expect(200).json())
        assert (created, list(errors)) == (2, [4])
    assert titles(empty) == ["\u00e9", "\u4e16"] * (len(body) - 1)


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_an_import_may_come_in_chunks(empty: Api, size: int) -> None:
    body = b"\n".join([line(title="1"), b"{", line(title="2")])
    head = empty.head("POST", IMPORT, TYPE, "Transfer-Encoding: chunked")
    connection = empty.say(head + in_chunks(body, size) + empty.request("GET", "/health"))
    created, errors = told(connection.answer("POST").expect(200).json())
    assert (created, list(errors)) == (2, [2])
    connection.answer().expect(200)
    assert titles(empty) == ["1", "2"]


def test_a_client_that_asks_is_told_to_send_its_lines(empty: Api) -> None:
    fields = [TYPE, "Transfer-Encoding: chunked", "Expect: 100-continue"]
    connection = empty.say(empty.head("POST", IMPORT, *fields))
    assert connection.interim() == 100
    connection.send(chunk(line()) + LAST)
    assert told(connection.answer("POST").expect(200).json()) == (1, {})


# Lines that fail

BAD_LINES = [
    (b"no JSON", ""),
    (b"[]", ""),
    (b'{"title": "a"} {"title": "b"}', ""),
    (b'{"title": "a", "title": "b"}', ""),
    (b'{"title": NaN}', ""),
    (b'{"title": "\xff"}', ""),
    (MARK + b'{"title": "a"}', "byte order mark"),
    (b'{"title": "\\ud800"}', ""),
    (b'{"title": ' + b"[" * 40 + b"]" * 40 + b"}", ""),
    (b"{}", "title"),
    (line(title=" "), "title"),
    (line(title="x" * 201), "title"),
    (line(title="\0"), "title"),
    (line(description="x" * 10_001), "description"),
    (line(status="done"), "status"),
    (line(priority="1"), "priority"),
    (line(priority=True), "priority"),
    (line(priority=1_000_000_001), "priority"),
    (line(dependencies="x"), "dependencies"),
    (line(dependencies=["a", "a"]), "dependencies"),
    (line(colour="red"), "colour"),
    (line(number=1), "number"),
    *[(line(id=value), "id") for value in ("", "1", 1, None, "x" * 36, "../../etc")],
    *[
        (line(**{name: value}), name)
        for name in ("createdAt", "updatedAt")
        for value in ("", "now", 0, None, "2026-01-31", "2026-02-30T00:00:00.000Z", "=1+1")
    ],
]


@pytest.mark.parametrize(("bad", "field"), BAD_LINES, ids=lambda value: repr(value)[:40])
def test_a_line_that_is_wrong_fails_and_the_others_do_not_suffer(
    empty: Api, bad: bytes, field: str
) -> None:
    """What is told of it names the field."""
    created, errors = send(empty, b"\n".join([line(title="1"), bad, line(title="3")]))
    assert (created, list(errors)) == (2, [2])
    assert field in errors[2]
    assert titles(empty) == ["1", "3"]


def test_an_id_that_exists_fails_its_line(empty: Api) -> None:
    """In the store, or further up in the file; the first one stays."""
    task, new = empty.create(title="mine"), new_id()
    body = [line(id=task["id"]), line(id=new, title="first"), line(id=new, title="again"), line()]
    created, errors = send(empty, b"\n".join(body))
    assert (created, list(errors)) == (2, [1, 3])
    assert "id" in errors[1]
    assert titles(empty) == ["mine", "first", "a task"]
    assert empty.read(task) == task


def test_ids_in_upper_case_are_the_same_ids(empty: Api) -> None:
    """Of tasks and of what they depend on, which may come later; they are kept in lower case."""
    task, later = new_id(), new_id()
    body = [
        line(id=task.upper(), title="first", dependencies=[later.upper()]),
        line(id=later, title="later"),
        line(id=task, title="again"),
    ]
    created, errors = send(empty, b"\n".join(body))
    assert (created, list(errors)) == (2, [3])
    tasks = {shown["title"]: shown for shown in empty.tasks()}
    assert (tasks["first"]["id"], tasks["first"]["dependencies"]) == (task, [later])


def test_an_id_that_waits_for_a_line_further_down_exists_too(empty: Api) -> None:
    task, later = new_id(), new_id()
    body = [line(id=task, title="first", dependencies=[later]), line(id=task), line(id=later)]
    created, errors = send(empty, b"\n".join(body))
    assert (created, list(errors)) == (2, [2])
    assert titles(empty) == ["first", "a task"]


def test_the_same_file_twice_creates_nothing_the_second_time(empty: Api) -> None:
    empty.create_all([{"title": f"{number}"} for number in range(5)])
    body = empty.ask("GET", STREAM).body
    created, errors = send(empty, body)
    assert (created, list(errors)) == (0, [1, 2, 3, 4, 5])
    assert empty.ask("GET", STREAM).body == body


# Dependencies


def test_a_line_may_depend_on_what_is_anywhere(empty: Api) -> None:
    """In the store, further up, further down, and all of them together."""
    there, up, down = empty.create(title="there"), new_id(), new_id()
    body = [
        line(title="up", id=up, dependencies=[there["id"]]),
        line(title="all", dependencies=[down, there["id"], up]),
        line(title="down", id=down, dependencies=[up]),
    ]
    assert send(empty, b"\n".join(body)) == (3, {})
    tasks = {task["title"]: task for task in empty.tasks()}
    assert list(tasks) == ["there", "up", "all", "down"]
    assert tasks["all"]["dependencies"] == [down, there["id"], up]
    order = empty.ask("GET", "/tasks/resolve").expect(200).json()["orderedTaskIds"]
    assert order == [there["id"], up, down, tasks["all"]["id"]]


def test_a_dependency_that_is_nowhere_fails_its_line(empty: Api) -> None:
    for nowhere in (new_id(), "x", ""):
        created, errors = send(empty, line(title="fails", dependencies=[nowhere]) + b"\n" + line())
        assert (created, list(errors)) == (1, [1])
        assert nowhere in errors[1]
    assert titles(empty) == ["a task"] * 3


def test_what_depends_on_a_line_that_failed_fails_too(empty: Api) -> None:
    """Directly or not, further up or down."""
    failed, second, third, good = new_id(), new_id(), new_id(), new_id()
    body = [
        line(title="1", id=third, dependencies=[second]),
        line(title="2", id=second, dependencies=[good, failed]),
        line(title="3", id=failed, priority="high"),
        line(title="4", id=good),
        line(title="5", dependencies=[third]),
        line(title="6", dependencies=[good]),
    ]
    created, errors = send(empty, b"\n".join(body))
    assert (created, list(errors)) == (2, [1, 2, 3, 5])
    assert titles(empty) == ["4", "6"]


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_a_circle_in_the_file_fails(empty: Api, size: int) -> None:
    """And what hangs on it; what it hangs on does not."""
    circle, good = [new_id() for _ in range(size)], new_id()
    body = [
        line(title="in", id=task, dependencies=[circle[at - 1], good])
        for at, task in enumerate(circle)
    ]
    body += [line(title="on", dependencies=[circle[0]]), line(title="good", id=good)]
    created, errors = send(empty, b"\n".join(body))
    assert (created, list(errors)) == (1, list(range(1, size + 2)))
    assert titles(empty) == ["good"]


@pytest.mark.parametrize("forwards", [True, False])
def test_a_chain_may_be_long_in_either_direction(empty: Api, forwards: bool) -> None:
    chain = [new_id() for _ in range(5_000)]
    body = [line(id=chain[0])]
    body += [line(id=task, dependencies=[before]) for before, task in pairwise(chain)]
    if not forwards:
        body.reverse()
    assert send(empty, b"\n".join(body)) == (5_000, {})
    assert ids(empty.tasks()) == (chain if forwards else chain[::-1])
    order = empty.ask("GET", "/tasks/resolve").expect(200).json()["orderedTaskIds"]
    assert order == chain
    assert empty.ask("GET", "/tasks/next").expect(200).json()["id"] == chain[0]


# Out and in again


def prepare(api: Api) -> list[Task]:
    """Tasks of all kinds, which depend on each other in both directions."""
    statuses = ("pending", "in-progress", "completed")
    kinds = [
        {
            "title": f"{number} \u00e9\u2028\\\"',=",
            "description": "=1+1\r\n\u4e16\U0001f680\t" * (number % 4),
            "priority": (number * 37) % 11 - 5,
            "status": statuses[number % 3],
        }
        for number in range(30)
    ]
    tasks = api.create_all(kinds)
    for at, task in enumerate(tasks):
        others = [tasks[other]["id"] for other in range(30) if other % 7 > at % 7][: at % 5]
        api.change(task, dependencies=others)
    api.delete(tasks[3], tasks[17])
    return api.tasks()


def claims(api: Api) -> list[str]:
    """The ids in the order in which they are handed out."""
    claimed = []
    while (answer := api.ask("POST", "/tasks/claim")).status == 200:
        claimed.append(answer.json()["id"])
    return claimed


def test_what_is_exported_and_imported_is_exported_as_the_same_bytes(empty: Api) -> None:
    """And is as ready as before, in the same order."""
    tasks = prepare(empty)
    assert any(
        task["dependencies"] and ids(tasks).index(task["dependencies"][0]) > at
        for at, task in enumerate(tasks)
    )
    first = empty.ask("GET", STREAM).expect(200).body
    as_csv = empty.ask("GET", "/tasks/export.csv").expect(200).body
    handed_out = claims(empty)
    empty.delete(*empty.tasks())

    assert send(empty, first) == (len(tasks), {})
    assert empty.tasks() == tasks
    assert empty.ask("GET", STREAM).expect(200).body == first
    assert empty.ask("GET", "/tasks/export.csv").expect(200).body == as_csv
    assert claims(empty) == handed_out


@pytest.mark.parametrize(
    "updated", ["9998-12-31T23:59:59.999Z", "9999-12-31T23:59:59.998Z", "9999-12-31T23:59:59.999Z"]
)
def test_a_task_of_the_last_year_of_the_calendar_can_be_changed_and_carried(
    empty: Api, updated: str
) -> None:
    """The change has a later time, as long as there is one; and what is written can be read."""
    body = line(createdAt="9999-12-31T23:59:59.999Z", updatedAt=updated)
    assert send(empty, body) == (1, {})
    [task] = empty.tasks()
    changed = empty.change(task, title="changed")
    last = "9999-12-31T23:59:59.999Z"
    assert updated < changed["updatedAt"] <= last or updated == changed["updatedAt"] == last
    exported = empty.ask("GET", STREAM).expect(200).body
    empty.delete(changed)
    assert send(empty, exported) == (1, {})
    assert empty.ask("GET", STREAM).expect(200).body == exported


def test_so_it_is_between_two_servers(empty: Api, launch: Launch) -> None:
    prepare(empty)
    body = empty.ask("GET", STREAM).expect(200).body
    other, _ = launch()
    send(other, body)
    assert other.ask("GET", STREAM).expect(200).body == body


# Bounds


def test_1000_failures_are_told_of_one_by_one(empty: Api) -> None:
    body = b"\n".join([line(), *[b"{"] * 1_234, line()])
    value = empty.ask("POST", IMPORT, TYPE, body=body).expect(200).json()
    created, errors = told(value)
    assert (created, value["failedCount"]) == (2, 1_234)
    assert list(errors) == list(range(2, 1_002))


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_of_1_mib_is_read(empty: Api, end: bytes) -> None:
    """The body may be larger."""
    long = line(title="long").ljust(MIB)
    assert send(empty, long + b"\n" + long + end) == (2, {})


@pytest.mark.parametrize("rest", [b"\n" + line(), b"\n", b"", b" " * 3 * MIB])
def test_a_line_over_1_mib_is_refused(empty: Api, rest: bytes) -> None:
    body = line(title="long").ljust(MIB + 1) + rest
    empty.refused(empty.ask("POST", IMPORT, TYPE, body=body), "PAYLOAD_TOO_LARGE")
    assert empty.tasks() == []


def test_a_line_without_an_end_is_refused_before_it_ends(empty: Api) -> None:
    head = empty.head("POST", IMPORT, TYPE, "Transfer-Encoding: chunked")
    connection = empty.say(head + chunk(b" " * 100_000) * 11)
    empty.refused(connection.answer("POST"), "PAYLOAD_TOO_LARGE")
    connection.ended()


def test_a_large_import_costs_no_memory(empty: Api) -> None:
    """Its lines are taken as they come: 96 MB of them, all blank but the last."""
    head = empty.head("POST", IMPORT, TYPE, "Transfer-Encoding: chunked")
    connection = empty.say(head)
    blank = chunk(b" " * 1_000_000 + b"\n")
    connection.send(blank)
    before = resident(empty)
    for _ in range(95):
        connection.send(blank)
    grown = resident(empty) - before
    connection.send(chunk(line()) + LAST)
    assert told(connection.answer("POST").expect(200).json()) == (1, {})
    assert grown < 32_000_000, f"expected little more memory, it is {grown:,} bytes more"


def test_what_waits_for_unknown_tasks_costs_64_mib_at_most(launch: Launch) -> None:
    """In all imports together, at what it really costs: 70 MB of lines with 1,000 unknown ids."""
    api, _ = launch("--body-timeout", "60")
    before = resident(api)
    unknown = [new_id() for _ in range(1_000)]
    body = b"\n".join([line(dependencies=unknown)] * 900) + b"\n"
    head = api.head("POST", IMPORT, TYPE, "Transfer-Encoding: chunked")
    connections = [api.say(head + chunk(body)) for _ in range(2)]
    for connection in connections:
        connection.send(LAST)
        created, errors = told(connection.answer("POST").expect(200).json())
        assert (created, len(errors)) == (0, 900)
    grown = resident(api) - before
    assert grown < 150 * MIB, f"expected 64 MiB and the body, it is {grown:,} bytes more"


def resident(api: Api) -> int:
    """Bytes."""
    return int(api.ask("GET", "/tasks/system/memory").json()["process"]["residentBytes"])


def test_others_are_served_while_an_import_goes_on(empty: Api) -> None:
    """And see what it has created so far."""
    head = empty.head("POST", IMPORT, TYPE, "Transfer-Encoding: chunked")
    connection = empty.connect()
    empty.send_apart(connection, [head + chunk(line(title="first") + b"\n" + line()[:9])])
    empty.create(title="between")
    connection.send(chunk(line()[9:]) + LAST)
    assert told(connection.answer("POST").expect(200).json()) == (2, {})
    assert titles(empty) == ["first", "between", "a task"]


# What is refused as a whole


@pytest.mark.parametrize(
    "declared", ["application/x-ndjson; charset=utf-8", "APPLICATION/X-NDJSON"]
)
def test_the_type_may_be_written_in_other_ways(empty: Api, declared: str) -> None:
    answer = empty.ask("POST", IMPORT, f"Content-Type: {declared}", body=line())
    assert told(answer.expect(200).json()) == (1, {})


def test_the_type_may_be_left_out(empty: Api) -> None:
    assert told(empty.ask("POST", IMPORT, body=line()).expect(200).json()) == (1, {})


@pytest.mark.parametrize(
    "declared",
    [
        "application/json",
        "text/plain",
        "text/csv",
        "application/x-ndjsonx",
        "",
        "application/x-ndjson; charset=utf-16",
    ],
)
def test_a_body_of_another_type_is_refused(empty: Api, declared: str) -> None:
    """Before it is sent, and before what is wrong in it."""
    for body in (line(), b"no JSON"):
        answer = empty.ask("POST", IMPORT, f"Content-Type: {declared}", body=body)
        empty.refused(answer, "UNSUPPORTED_MEDIA_TYPE")
    fields = [f"Content-Type: {declared}", "Content-Length: 9", "Expect: 100-continue"]
    answer = empty.say(empty.head("POST", IMPORT, *fields)).answer("POST")
    empty.refused(answer, "UNSUPPORTED_MEDIA_TYPE")
    assert answer.interim == ()
    assert empty.tasks() == []


def test_a_compressed_import_is_refused_before_it_is_sent(empty: Api) -> None:
    fields = [TYPE, "Content-Encoding: gzip", "Content-Length: 9", "Expect: 100-continue"]
    answer = empty.say(empty.head("POST", IMPORT, *fields)).answer("POST")
    empty.refused(answer, "UNSUPPORTED_MEDIA_TYPE")
    assert answer.field("accept-encoding") == "identity"
    assert answer.interim == ()


def test_only_an_admin_imports(empty: Api, user: Api, stranger: Api) -> None:
    for asker, code in ((user, "INSUFFICIENT_PERMISSIONS"), (stranger, "INVALID_TOKEN")):
        asker.refused(asker.ask("POST", IMPORT, TYPE, body=line()), code)
        asker.refused(asker.ask("POST", IMPORT, "Content-Type: a/b", body=line()), code)
    assert empty.tasks() == []


def test_a_page_of_another_origin_imports_nothing(empty: Api) -> None:
    answer = empty.ask("POST", IMPORT, TYPE, "Origin: http://evil.example", body=line())
    empty.refused(answer, "FORBIDDEN_ORIGIN")
    assert empty.tasks() == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_the_path_of_the_import_is_none_of_a_task(api: Api, method: str) -> None:
    answer = api.ask(method, IMPORT)
    api.refused(answer, "METHOD_NOT_ALLOWED")
    assert answer.options("allow") == {"POST", "OPTIONS"}


def test_an_import_whose_chunks_are_broken_is_refused(api: Api) -> None:
    head = api.head("POST", IMPORT, TYPE, "Transfer-Encoding: chunked")
    api.refused_message(head + chunk(line() + b"\n") + b"x\r\n", "BAD_REQUEST")


def test_an_import_that_stalls_is_refused(launch: Launch) -> None:
    api, _ = launch("--body-timeout", "0.4")
    body = line() + b"\n"
    stalled = [
        api.say(api.head("POST", IMPORT, TYPE, "Content-Length: 1000") + body),
        api.say(api.head("POST", IMPORT, TYPE, "Transfer-Encoding: chunked") + chunk(body)),
    ]
    for connection in stalled:
        api.refused(connection.answer("POST"), "REQUEST_TIMEOUT")
        connection.ended()
    api.ask("GET", "/health").expect(200)


def test_a_client_that_leaves_an_import_frees_the_server(api: Api) -> None:
    head = api.head("POST", IMPORT, TYPE, "Transfer-Encoding: chunked")
    for _ in range(20):
        connection = api.connect()
        api.send_apart(connection, [head + chunk(line())])
        connection.reset()
    assert send(api, line()) == (1, {})
