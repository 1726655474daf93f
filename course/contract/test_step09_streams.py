"""Step 9: answers that are made while they are sent: what is in them, and who takes them how."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest

from .answer import Answer, ContractError
from .api import MORE_THAN_BUFFERS, Api, Task, ids
from .client import Connection
from .conftest import Launch
from .test_step06_log import access_lines
from .test_step09_chunked import LAST

CSV = "/tasks/export.csv"
NDJSON = "/tasks/stream.ndjson"
DEMO_CSV = "/demo/stream/csv"
DEMO_NDJSON = "/demo/stream/ndjson"
STREAMS = [CSV, NDJSON, DEMO_CSV, DEMO_NDJSON]
LONG = f"{DEMO_NDJSON}?count=300000"  # more bytes than the buffers of a slow reader take

HEADER = "id,title,description,status,priority,dependencies,createdAt,updatedAt"
SLACK = 5.0
"""Seconds that a server may be late. Never waited out when all is well."""


def media_type(answer: Answer) -> str:
    return (answer.field("content-type") or "").lower().replace(" ", "")


def export(api: Api) -> list[dict[str, str]]:
    """The rows of the export, by the names of their columns, as a strict reader reads them."""
    answer = api.ask("GET", CSV).expect(200)
    assert media_type(answer) == "text/csv;charset=utf-8"
    text = answer.body.decode()
    assert text.startswith(HEADER + "\r\n")
    assert text.endswith("\r\n")
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def stream(api: Api) -> list[Task]:
    """The tasks of the stream, one of each line."""
    answer = api.ask("GET", NDJSON).expect(200)
    assert media_type(answer) == "application/x-ndjson"
    return objects(answer.body)


def objects(body: bytes) -> list[Any]:
    """The values of lines, each of which has its end."""
    *lines, rest = body.split(b"\n")
    assert rest == b""
    return [json.loads(line) for line in lines]


def row_of(task: Task, **other: str) -> dict[str, str]:
    """What the export says of a task without anything that a spreadsheet would run."""
    texts = {name: str(value) for name, value in task.items()}
    return texts | {"dependencies": ";".join(task["dependencies"])} | other


# The export


def test_the_export_has_a_row_for_each_task_in_order_of_creation(empty: Api, user: Api) -> None:
    first = empty.create(title="first", priority=-7)
    tasks = empty.create_all(
        [
            {"title": 'with "quotes", commas', "description": "and\r\nlines\nof all \rkinds"},
            {"title": "\u00e9\u4e16\U0001f680\u2028", "description": '"', "status": "completed"},
            {"title": ",", "description": "", "priority": 1_000_000_000},
            {"title": "second to last", "dependencies": [first["id"]], "status": "in-progress"},
        ]
    )
    last = empty.create(title="last", dependencies=[tasks[1]["id"], first["id"], tasks[0]["id"]])
    for reader in (empty, user):
        assert export(reader) == [row_of(task) for task in (first, *tasks, last)]


def test_the_export_of_nothing_has_its_header(empty: Api) -> None:
    assert empty.ask("GET", CSV).expect(200).body.decode() == HEADER + "\r\n"


def test_the_export_is_a_file_to_keep(api: Api) -> None:
    disposition = api.ask("GET", CSV).expect(200).field("content-disposition") or ""
    assert disposition.split(";")[0].strip().lower() == "attachment"


def test_the_order_is_that_of_creation_whatever_happened_since(empty: Api) -> None:
    tasks = empty.create_all([{"title": f"{number}"} for number in range(6)])
    empty.delete(tasks[1])
    tasks[4] = empty.change(tasks[4], priority=100)
    tasks[0] = empty.change(tasks[0], dependencies=[tasks[5]["id"]])
    expected = [tasks[0], *tasks[2:]]
    assert export(empty) == [row_of(task) for task in expected]
    assert stream(empty) == expected


@pytest.mark.parametrize("start", [*"=+-@", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_what_a_spreadsheet_would_run_gets_a_quote(empty: Api, start: str) -> None:
    """A title is trimmed before; a quote inside, or one that is there already, changes nothing."""
    text = f'{start}HYPERLINK("http://evil.example", "1")'
    empty.create(title=f" \t{text}", description=text)
    empty.create(title=f"a{text}", description=f" {text}")
    empty.create(title=f"'{text}", description=start)
    assert [(row["title"], row["description"]) for row in export(empty)] == [
        (f"'{text}", f"'{text}"),
        (f"a{text}", f" {text}"),
        (f"'{text}", f"'{start}"),
    ]
    assert [task["title"] for task in stream(empty)] == [text, f"a{text}", f"'{text}"]


@pytest.mark.parametrize("start", ["\t", "\r", "\n", "\r\n", "\t=", "\n="])
def test_so_does_a_description_that_begins_with_a_tab_or_a_return(empty: Api, start: str) -> None:
    """A title cannot: it is trimmed."""
    empty.create(title=f"{start}title", description=f"{start}text")
    [row] = export(empty)
    assert row["title"] == f"{start}title".strip().replace("=", "'=")
    assert row["description"] == f"'{start}text"


def test_a_low_priority_is_no_formula(empty: Api) -> None:
    """Numbers stay numbers."""
    empty.create(priority=-1_000_000_000)
    assert export(empty)[0]["priority"] == "-1000000000"


# The stream


def test_the_stream_has_a_line_for_each_task(empty: Api, user: Api) -> None:
    first = empty.create(title="=1+1", description="two\nlines\r\u2028")
    second = empty.create(dependencies=[first["id"]], status="completed")
    for reader in (empty, user):
        assert stream(reader) == [first, second]


def test_a_task_is_one_line_wherever_a_reader_splits_lines(empty: Api) -> None:
    """Some split at every line end of Unicode; JSON may escape these characters, and must here."""
    text = "a\x85b\u2028c\u2029d\v\fe\x1c\x1d\x1ef\r\n"
    task = empty.create(title=text.strip(), description=text)
    lines = empty.ask("GET", NDJSON).expect(200).body.decode().splitlines()
    assert [json.loads(line) for line in lines] == [task]
    assert len(empty.ask("GET", f"/tasks/{task['id']}").body.decode().splitlines()) == 1
    assert len(empty.ask("GET", "/tasks").body.decode().splitlines()) == 1


def test_the_stream_of_nothing_is_empty(empty: Api) -> None:
    assert empty.ask("GET", NDJSON).expect(200).body == b""


def test_all_tasks_come_however_many_they_are(empty: Api) -> None:
    """There are no pages."""
    tasks = empty.create_all([{"title": f"{number}"} for number in range(2_345)])
    assert ids(stream(empty)) == [row["id"] for row in export(empty)] == ids(tasks)


# Rows that are made up


@pytest.mark.parametrize("count", [None, 1, 2, 999, 1_000, 1_001, 300_000])
def test_as_many_rows_are_made_up_as_asked_for(user: Api, count: int | None) -> None:
    """50,000 unless told."""
    query = "?unknown=1" if count is None else f"?count={count}"
    expected = 50_000 if count is None else count
    table = user.ask("GET", DEMO_CSV + query).expect(200)
    assert media_type(table) == "text/csv;charset=utf-8"
    header, *rows = csv.reader(StringIO(table.body.decode(), newline=""), strict=True)
    assert len(rows) == expected
    assert {len(row) for row in rows} == {len(header)}
    lines = user.ask("GET", DEMO_NDJSON + query).expect(200)
    assert media_type(lines) == "application/x-ndjson"
    values = objects(lines.body)
    assert len(values) == expected
    assert all(isinstance(value, dict) for value in values)


@pytest.mark.parametrize("path", [DEMO_CSV, DEMO_NDJSON])
@pytest.mark.parametrize(
    "count", ["0", "300001", "-1", "1.5", "1e3", "", "many", "1&count=1", "9" * 40]
)
def test_a_count_out_of_range_is_refused(api: Api, path: str, count: str) -> None:
    api.refused(api.ask("GET", f"{path}?count={count}"), "VALIDATION_ERROR", "count")


# As messages


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_keeps_the_connection_and_the_next_answer_follows(api: Api, path: str) -> None:
    api.create()
    request = api.request("GET", path)
    connection = api.say(request + api.request("GET", "/health") + request)
    first = connection.answer().expect(200)
    assert connection.answer().expect(200).json()["status"] == "healthy"
    assert connection.answer().expect(200).body == first.body
    assert first.body
    assert first.field("content-length") is None
    api.request_id(first)


@pytest.mark.parametrize("path", STREAMS)
def test_a_client_that_closes_gets_the_whole_stream_first(api: Api, path: str) -> None:
    expected = api.ask("GET", path).body
    closing = api.say(api.request("GET", path, "Connection: close"))
    ending = api.say(api.request("GET", path))
    ending.end()
    for connection in (closing, ending):
        assert connection.answer().expect(200).body == expected
        connection.ended()


@pytest.mark.parametrize("path", STREAMS)
@pytest.mark.parametrize("fields", [[], ["Connection: keep-alive"]])
def test_a_client_of_1_0_knows_the_end_by_the_connection(
    api: Api, path: str, fields: list[str]
) -> None:
    """It knows no chunks, so it cannot keep the connection."""
    expected = api.ask("GET", path).body
    connection = api.say(api.head("GET", path, *fields, version="HTTP/1.0"))
    answer = connection.answer().expect(200)
    assert answer.field("transfer-encoding") is answer.field("content-length") is None
    assert answer.options("connection") <= {"close"}
    assert answer.body == expected


@pytest.mark.parametrize("path", STREAMS)
def test_head_has_the_fields_of_get_and_no_body(api: Api, path: str) -> None:
    connection = api.say(api.request("HEAD", path) + api.request("GET", path))
    headed, got = connection.answer("HEAD"), connection.answer()
    assert headed.status == got.status == 200
    vary = api.expected.fields_that_vary
    assert [field for field in headed.fields if field[0] not in vary] == [
        field for field in got.fields if field[0] not in vary
    ]


def test_head_of_a_long_stream_costs_nothing(api: Api) -> None:
    connection = api.say(api.request("HEAD", LONG) * 50 + api.request("GET", "/health"))
    for _ in range(50):
        connection.answer("HEAD").expect(200)
    connection.answer().expect(200)


@pytest.mark.parametrize("path", STREAMS)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
def test_a_stream_is_only_read(api: Api, path: str, method: str) -> None:
    """And its path is none of a task."""
    answer = api.ask(method, path)
    api.refused(answer, "METHOD_NOT_ALLOWED")
    assert answer.options("allow") == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_needs_a_token(stranger: Api, path: str) -> None:
    stranger.refused(stranger.ask("GET", path), "INVALID_TOKEN")


# What changes meanwhile


def fill(api: Api) -> list[str]:
    """Import more than all buffers hold; return the ids."""
    text = "x" * 10_000
    value = [{"title": f"{at}", "description": text} for at in range(MORE_THAN_BUFFERS // 10_000)]
    body = b"\n".join(json.dumps(fields).encode() for fields in value)
    fields = "Content-Type: application/x-ndjson"
    answer = api.ask("POST", "/tasks/import", fields, body=body).expect(200).json()
    assert answer["created"] == len(value)
    return ids(api.tasks("/tasks?limit=1000"))


@pytest.mark.parametrize("path", [CSV, NDJSON])
def test_a_stream_is_of_the_tasks_as_they_were_at_its_beginning(empty: Api, path: str) -> None:
    """Whatever is created, changed and deleted before its reader comes to the end."""
    tasks = fill(empty)
    before = empty.ask("GET", path).expect(200).body
    slow = empty.connect(buffers=65_536)
    slow.send(empty.request("GET", path))
    answer = slow.begun().expect(200)

    for task_id in (tasks[0], tasks[len(tasks) // 2], tasks[-1]):
        empty.ask("DELETE", f"/tasks/{task_id}").expect(204)
    for task_id in (tasks[1], tasks[-2]):
        value = {"title": "changed", "status": "completed", "dependencies": [tasks[2]]}
        empty.ask("PATCH", f"/tasks/{task_id}", value=value).expect(200)
    empty.create(title="added")

    assert slow.whole(answer).body == before
    assert empty.ask("GET", path).expect(200).body != before
    empty.delete(*empty.tasks("/tasks?limit=1000"))


# Readers that stop, and readers that leave


def stopped(api: Api, target: str = LONG) -> Connection:
    """A reader that takes the head of a long stream, and nothing more."""
    connection = api.connect(buffers=65_536)
    connection.send(api.request("GET", target))
    connection.begun().expect(200)
    return connection


def test_a_reader_that_stops_delays_nobody_and_gets_the_rest_later(api: Api) -> None:
    expected = api.ask("GET", LONG).body
    readers = [api.connect(buffers=65_536) for _ in range(2)]
    for reader in readers:
        reader.send(api.request("GET", LONG))
    begun = [reader.begun().expect(200) for reader in readers]
    task = api.create()
    for _ in range(50):
        assert api.read(task) == task
    assert api.ask("GET", LONG).body == expected
    for reader, answer in zip(readers, begun, strict=True):
        assert reader.whole(answer).body == expected


def resident(api: Api) -> int:
    """Bytes."""
    return int(api.ask("GET", "/tasks/system/memory").json()["process"]["residentBytes"])


def test_readers_that_stop_cost_no_memory(api: Api) -> None:
    """What they do not take is not made: 20 whole streams would be 250 MB."""
    api.ask("GET", LONG).expect(200)
    before = resident(api)
    readers = [stopped(api) for _ in range(20)]
    grown = resident(api) - before
    for reader in readers:
        reader.reset()
    assert grown < 60_000_000, f"expected little more memory, it is {grown:,} bytes more"


@pytest.mark.parametrize("leave", [Connection.reset, Connection.close])
def test_a_reader_that_leaves_frees_the_server(
    launch: Launch, leave: Callable[[Connection], None]
) -> None:
    """Its connection is free for another; with a stream that went on, it would not be."""
    api, _ = launch("--max-connections", "2")
    for _ in range(8):
        leave(begun_in_time(api))


def begun_in_time(api: Api, target: str = LONG) -> Connection:
    """A reader that was let in, once there was room for it."""
    for _ in range(500):
        reader = api.connect(buffers=65_536)
        reader.send(api.request("GET", target))
        if reader.begun().status == 200:
            return reader
        reader.close()
    raise ContractError("expected the connections of those who left to be free")


def test_a_reader_that_stops_for_too_long_is_dropped(launch: Launch) -> None:
    """Others are served meanwhile and after; what the reader can still get is not whole."""
    api, process = launch("--write-timeout", "0.4", "--idle-timeout", "30")
    task = api.create()
    deaf = stopped(api)
    deadline = time.monotonic() + SLACK
    while DEMO_NDJSON not in process.log:  # its line is there when the answer is over
        assert time.monotonic() < deadline, "expected the server to drop the connection"
        assert api.read(task) == task
    check_cut(deaf)
    assert api.read(task) == task
    [line] = [line for line in access_lines(process) if line["path"] == DEMO_NDJSON]
    assert line["status"] == 200
    assert 0 < line["bytes"] < 10_000_000


def check_cut(connection: Connection) -> None:
    """The answer that has begun ends before its end."""
    try:
        received = connection.rest()
    except ContractError as error:
        assert "reset" in str(error)  # noqa: PT017  the other way to end
    else:
        assert not received.endswith(LAST), "expected an answer that is not whole"


def test_a_reader_that_takes_a_little_now_and_then_is_not_dropped(launch: Launch) -> None:
    api, _ = launch("--write-timeout", "1", "--idle-timeout", "30")
    expected = api.ask("GET", LONG).body
    slow = api.connect(buffers=65_536)
    slow.send(api.head("GET", LONG, version="HTTP/1.0"))
    slow.begun().expect(200)
    taken = b""
    for _ in range(12):  # longer in all than the deadline
        assert not slow.dropped(within=0.15), "expected the server to go on"
        taken += slow.take(400_000)
    assert taken + slow.rest() == expected


# The log


def test_the_line_of_a_stream_has_the_bytes_that_were_sent(launch: Launch) -> None:
    """Those of its body, without what frames the chunks; and how long all of it took."""
    api, process = launch()
    api.create_all([{"title": f"{number}", "description": '"'} for number in range(1_234)])
    sizes = [len(api.ask("GET", path, f"X-Request-Id: s-{path[-4:]}").body) for path in STREAMS]
    api.ask("HEAD", CSV, "X-Request-Id: headed").expect(200)
    old = api.say(api.head("GET", CSV, "X-Request-Id: old", version="HTTP/1.0")).answer().body
    lines = access_lines(process)[1_234:]
    assert [line["bytes"] for line in lines] == [*sizes, 0, len(old)]
    assert [line["path"] for line in lines] == [*STREAMS, CSV, CSV]
    assert {line["status"] for line in lines} == {200}


def test_a_stream_that_its_reader_left_has_a_line_too(launch: Launch) -> None:
    api, process = launch()
    whole = len(api.ask("GET", LONG).body)
    gone = stopped(api, f"{LONG}&and=gone")
    gone.reset()
    api.ask("GET", "/health").expect(200)
    lines = [line for line in access_lines(process) if line["path"] == DEMO_NDJSON]
    assert lines[0]["bytes"] == whole
    assert 0 < lines[1]["bytes"] < whole
