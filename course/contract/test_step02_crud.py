"""Step 2: a task can be changed and deleted."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from .api import Api, Task, ids, task_of

MERGING = pytest.mark.parametrize("method", ["PATCH", "PUT"])
"""Both merge: PUT does so too, as clients of the classic course expect."""

UNKNOWN = f"/tasks/{uuid.UUID(int=0)}"


def change(api: Api, method: str, task: Task, **fields: Any) -> Task:
    return task_of(api.ask(method, f"/tasks/{task['id']}", value=fields).expect(200))


def check_invalid(api: Api, method: str, field: str, value: Any) -> None:
    """Refused by name, and the good field beside it is not taken either."""
    task = api.create(title="unchanged")
    value = {"priority": 9, field: value}
    answer = api.ask(method, f"/tasks/{task['id']}", value=value)
    api.refused(answer, "VALIDATION_ERROR", field)
    assert api.read(task) == task


# Changing


@MERGING
@pytest.mark.parametrize(
    "fields",
    [
        {"title": "new"},
        {"description": "new \u00e9"},
        {"status": "in-progress"},
        {"priority": -5},
        {"title": "new", "description": "new", "status": "completed", "priority": 7},
    ],
)
def test_given_fields_are_merged(api: Api, method: str, fields: Task) -> None:
    task = api.create(title="old", description="old", priority=2)
    api.tick(task)
    changed = change(api, method, task, **fields)
    assert changed == {**task, **fields, "updatedAt": changed["updatedAt"]}
    assert changed["updatedAt"] > task["updatedAt"]
    assert api.read(task) == changed


@MERGING
def test_a_title_is_trimmed_when_it_is_changed(api: Api, method: str) -> None:
    task = api.create(title="old")
    assert change(api, method, task, title=" \t new ")["title"] == "new"


@MERGING
@pytest.mark.parametrize(
    "fields",
    [{}, {"title": "same"}, {"title": "  same "}, {"status": "pending", "priority": 3}],
    ids=["nothing", "title", "title untrimmed", "others"],
)
def test_a_change_that_changes_nothing_leaves_the_task_as_it_was(
    api: Api, method: str, fields: Task
) -> None:
    """Its `updatedAt` included."""
    task = api.create(title="same", priority=3)
    api.tick(task)
    assert change(api, method, task, **fields) == task
    assert api.read(task) == task


@pytest.mark.parametrize("first", ["pending", "in-progress", "completed"])
@pytest.mark.parametrize("second", ["pending", "in-progress", "completed"])
def test_any_status_may_become_any_other(api: Api, first: str, second: str) -> None:
    task = api.create(status=first)
    assert api.change(task, status=second)["status"] == second


def test_changes_do_not_alter_the_order_of_creation(empty: Api) -> None:
    tasks = empty.create_all([{"title": str(number)} for number in range(5)])
    empty.change(tasks[3], priority=100)
    empty.change(tasks[0], status="completed")
    empty.change(tasks[0], status="pending", title="again")
    assert ids(empty.tasks()) == ids(tasks)


@MERGING
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", " "),
        ("title", "x" * 201),
        ("title", None),
        ("title", "a\x00b"),
        ("description", "x" * 10_001),
        ("description", None),
        ("description", "\x00"),
        ("status", "done"),
        ("status", None),
        ("priority", 1_000_000_001),
        ("priority", True),
        ("priority", 1.0),
        ("priority", "1"),
        ("priority", None),
        ("colour", "red"),
        ("id", str(uuid.UUID(int=0))),
        ("createdAt", "2020-01-01T00:00:00.000Z"),
        ("updatedAt", "2020-01-01T00:00:00.000Z"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_change_is_checked_whole_before_anything_changes(
    api: Api, method: str, field: str, value: Any
) -> None:
    if field == "priority":
        task = api.create()
        answer = api.ask(method, f"/tasks/{task['id']}", value={"title": "b", field: value})
        api.refused(answer, "VALIDATION_ERROR", field)
        assert api.read(task) == task
    else:
        check_invalid(api, method, field, value)


@MERGING
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"priority": NaN}',
        b'{"priority": 1, "priority": 2}',
        b'\xef\xbb\xbf{"priority": 2}',
        b'{"title": "\\ud800"}',
        b'{"title": "\xff"}',
        b'{"priority": ' + b"1" * 101 + b"}",
        b'{"title": ' + b"[" * 32 + b"]" * 32 + b"}",
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_change_is_read_as_strictly_as_a_new_task(api: Api, method: str, body: bytes) -> None:
    task = api.create()
    api.refused(api.ask(method, f"/tasks/{task['id']}", body=body), "INVALID_JSON")
    assert api.read(task) == task


@MERGING
def test_a_change_must_be_json(api: Api, method: str) -> None:
    path = f"/tasks/{api.create()['id']}"
    answer = api.ask(method, path, "Content-Type: text/plain", value={"priority": 2})
    api.refused(answer, "UNSUPPORTED_MEDIA_TYPE")
    api.ask(method, path, "Content-Type: application/json", value={"priority": 2}).expect(200)


def test_a_merge_patch_is_only_for_patch(api: Api) -> None:
    """Its type has a name of its own (RFC 7396)."""
    path = f"/tasks/{api.create()['id']}"
    merge_patch = "Content-Type: application/merge-patch+json"
    answer = api.ask("PATCH", path, merge_patch, value={"priority": 2}).expect(200)
    assert answer.json()["priority"] == 2
    answer = api.ask("PUT", path, merge_patch, value={"priority": 3})
    api.refused(answer, "UNSUPPORTED_MEDIA_TYPE")


@MERGING
def test_a_compressed_change_is_refused(api: Api, method: str) -> None:
    task = api.create()
    answer = api.ask(method, f"/tasks/{task['id']}", "Content-Encoding: gzip", body=b"\x1f\x8b")
    api.refused(answer, "UNSUPPORTED_MEDIA_TYPE")
    assert answer.field("accept-encoding") == "identity"
    assert api.read(task) == task


def test_ids_are_compared_without_regard_to_case_in_changes_too(api: Api) -> None:
    task = api.create()
    path = f"/tasks/{task['id'].upper()}"
    for method in ("PATCH", "PUT"):
        changed = api.ask(method, path, value={"title": method}).expect(200).json()
        assert changed["id"] == task["id"]
    api.ask("DELETE", path).expect(204)
    api.refused(api.ask("GET", f"/tasks/{task['id']}"), "TASK_NOT_FOUND")


@MERGING
def test_a_change_over_1_mib_is_refused(api: Api, method: str) -> None:
    path = f"/tasks/{api.create()['id']}"
    connection = api.say(api.head(method, path, "Content-Length: 1048577"))
    api.refused(connection.answer(method), "PAYLOAD_TOO_LARGE")
    connection.ended()


# Deleting


def test_a_deleted_task_is_gone(api: Api) -> None:
    """And 204 has neither body nor length: the next answer follows at once."""
    first, task, last = api.create_all([{"title": str(number)} for number in range(3)])
    path = f"/tasks/{task['id']}"
    connection = api.say(api.request("DELETE", path) + api.request("GET", path))
    assert connection.answer("DELETE").expect(204).body == b""
    api.refused(connection.answer(), "TASK_NOT_FOUND")
    assert ids(api.tasks())[-2:] == ids([first, last])


def test_a_deleted_task_cannot_be_deleted_or_changed_again(api: Api) -> None:
    task = api.create()
    path = f"/tasks/{task['id']}"
    api.ask("DELETE", path).expect(204)
    api.refused(api.ask("DELETE", path), "TASK_NOT_FOUND")
    api.refused(api.ask("PATCH", path, value={"priority": 2}), "TASK_NOT_FOUND")
    api.refused(api.ask("PUT", path, value={"priority": 2}), "TASK_NOT_FOUND")


@pytest.mark.parametrize("task_id", [str(uuid.UUID(int=0)), "nonsense", "..", "a%20b"])
@pytest.mark.parametrize("method", ["DELETE", "PATCH", "PUT"])
def test_an_unknown_task_cannot_be_changed_or_deleted(api: Api, method: str, task_id: str) -> None:
    value = None if method == "DELETE" else {"priority": 2}
    api.refused(api.ask(method, f"/tasks/{task_id}", value=value), "TASK_NOT_FOUND")


# Which refusal comes first


@MERGING
@pytest.mark.parametrize(
    ("fields", "body", "code"),
    [
        (["Origin: null", "Content-Length: 2"], b"{}", "FORBIDDEN_ORIGIN"),
        (["Content-Length: 2000000"], b"", "PAYLOAD_TOO_LARGE"),
        (["Content-Type: a/b", "Content-Length: 2"], b"{}", "UNSUPPORTED_MEDIA_TYPE"),
        (["Content-Length: 2"], b"{,", "INVALID_JSON"),
        (["Content-Length: 7"], b'{"a":1}', "VALIDATION_ERROR"),
        (["Content-Length: 2"], b"{}", "TASK_NOT_FOUND"),
    ],
)
def test_the_task_is_looked_up_last(
    api: Api, method: str, fields: list[str], body: bytes, code: str
) -> None:
    api.refused(api.say(api.head(method, UNKNOWN, *fields) + body).answer(method), code)
