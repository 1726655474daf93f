"""Step 1: health, creating and reading tasks, the checks of their fields, and whose pages may."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from .api import TIME, Api, ids
from .changes import GRAPH, before


def check_invalid(api: Api, field: str, value: Any) -> None:
    answer = api.ask("POST", "/tasks", value={"title": "a task", field: value})
    api.refused(answer, "VALIDATION_ERROR", field)


# Health


def test_health_tells_status_time_and_age(api: Api) -> None:
    health = api.ask("GET", "/health").expect(200).json()
    assert set(health) == {"status", "timestamp", "uptimeSeconds"}
    assert health["status"] == "healthy"
    assert TIME.fullmatch(health["timestamp"])
    assert type(health["uptimeSeconds"]) in (int, float)
    assert health["uptimeSeconds"] >= 0
    later = api.ask("GET", "/health").expect(200).json()
    assert later["uptimeSeconds"] >= health["uptimeSeconds"]
    assert later["timestamp"] >= health["timestamp"]


# Creating and reading


def test_a_title_is_enough_for_a_task(api: Api) -> None:
    task = api.create(title="write the contract")
    assert set(task) == api.expected.task_fields
    assert str(uuid.UUID(task["id"])) == task["id"].lower()
    assert task["title"] == "write the contract"
    assert task["description"] == ""
    assert task["status"] == "pending"
    assert task["priority"] == 1
    assert TIME.fullmatch(task["createdAt"])
    assert task["updatedAt"] == task["createdAt"]


def test_a_created_task_is_found_where_location_says(api: Api) -> None:
    answer = api.ask("POST", "/tasks", value={"title": "find me"}).expect(201)
    task = answer.json()
    assert answer.field("location") == f"/tasks/{task['id']}"
    assert api.ask("GET", f"/tasks/{task['id']}").expect(200).json() == task


def test_every_field_comes_back_as_it_was_given(api: Api) -> None:
    fields = {
        "title": 'a "quoted" \\ title, \u00e9 \u4efb\u52a1 \U0001f680',
        "description": "two\nlines, a\ttab and </script>",
        "status": "in-progress",
        "priority": -7,
    }
    task = api.create(**fields)
    assert {name: task[name] for name in fields} == fields
    assert api.read(task) == task


def test_tasks_are_listed_in_order_of_creation(api: Api) -> None:
    before_them = api.tasks()
    tasks = api.create_all([{"title": f"task {n}", "priority": n % 3} for n in range(20)])
    assert api.tasks() == before_them + tasks
    assert len(set(ids(tasks))) == 20


# Checks of the fields


def test_a_title_is_needed(api: Api) -> None:
    for body in ({}, {"description": "no title"}):
        api.refused(api.ask("POST", "/tasks", value=body), "MISSING_REQUIRED_FIELD", "title")


def test_a_title_is_trimmed(api: Api) -> None:
    assert api.create(title="  \t trim me \n ")["title"] == "trim me"
    assert api.create(title="\u00e9")["title"] == "\u00e9"


def test_a_title_has_at_most_200_characters_after_trimming(api: Api) -> None:
    """Characters, not bytes."""
    assert api.create(title=" " * 50 + "x" * 200 + " " * 50)["title"] == "x" * 200
    assert api.create(title="\u00e9" * 200)["title"] == "\u00e9" * 200
    check_invalid(api, "title", "x" * 201)
    check_invalid(api, "title", "\u00e9" * 201)


@pytest.mark.parametrize("title", ["", "   ", " \t\n ", None, 1, True, ["a"], {"a": 1}])
def test_a_title_that_is_blank_or_no_text_is_refused(api: Api, title: Any) -> None:
    check_invalid(api, "title", title)


def test_a_description_has_at_most_10_000_characters(api: Api) -> None:
    assert api.create(description="\u00e9" * 10_000)["description"] == "\u00e9" * 10_000
    check_invalid(api, "description", "x" * 10_001)


@pytest.mark.parametrize("description", [None, 1, False, ["a"], {}])
def test_a_description_that_is_no_text_is_refused(api: Api, description: Any) -> None:
    check_invalid(api, "description", description)


@pytest.mark.parametrize("status", ["pending", "in-progress", "completed"])
def test_a_task_may_begin_in_any_status(api: Api, status: str) -> None:
    assert api.create(status=status)["status"] == status


@pytest.mark.parametrize("status", ["", "done", "Pending", "pending ", "in progress", None, 1, []])
def test_an_unknown_status_is_refused(api: Api, status: Any) -> None:
    check_invalid(api, "status", status)


@pytest.mark.parametrize("priority", [0, -1, 1_000_000_000, -1_000_000_000])
def test_a_priority_is_a_whole_number_within_a_thousand_millions(api: Api, priority: int) -> None:
    assert api.create(priority=priority)["priority"] == priority


@pytest.mark.parametrize(
    "priority", [1_000_000_001, -1_000_000_001, 10**30, True, False, 1.0, 1.5, "1", "", None, [1]]
)
def test_any_other_priority_is_refused(api: Api, priority: Any) -> None:
    check_invalid(api, "priority", priority)


def test_a_priority_with_an_exponent_is_no_whole_number(api: Api) -> None:
    answer = api.ask("POST", "/tasks", body=b'{"title": "a", "priority": 1e3}')
    api.refused(answer, "VALIDATION_ERROR", "priority")


@pytest.mark.parametrize("field", ["title", "description"])
@pytest.mark.parametrize("text", ["\x00", "a\x00b", "end\x00"])
def test_nul_in_a_text_is_refused(api: Api, field: str, text: str) -> None:
    check_invalid(api, field, text)


@pytest.mark.parametrize("key", ["colour", "Title", "created_at", "__proto__"])
def test_an_unknown_key_is_refused_by_name(api: Api, key: str) -> None:
    check_invalid(api, key, "a")


@pytest.mark.parametrize("key", ["id", "createdAt", "updatedAt"])
def test_what_the_server_gives_cannot_be_given_to_it(api: Api, key: str) -> None:
    task = api.create(title="an example of good values")
    check_invalid(api, key, task[key])


@before(GRAPH)
def test_dependencies_are_unknown_yet(api: Api) -> None:
    check_invalid(api, "dependencies", [])


def test_a_refused_task_is_not_created(api: Api) -> None:
    tasks = api.tasks()
    api.ask("POST", "/tasks", value={"title": "a", "priority": "high"}).expect(422)
    api.ask("POST", "/tasks", value={"title": "a", "colour": "red"}).expect(422)
    api.ask("POST", "/tasks", body=b'{"title": "a"').expect(400)
    assert api.tasks() == tasks


# Which refusal comes first


LARGE = "Content-Length: 2000000"


@pytest.mark.parametrize(
    ("request_line", "fields", "body", "code"),
    [
        ("POST /tasks", ["Content-Length: -1", "Origin: null"], b"", "BAD_REQUEST"),
        ("BREW /tasks", ["Origin: null"], b"", "NOT_IMPLEMENTED"),
        ("POST /nowhere", ["Origin: null"], b"", "FORBIDDEN_ORIGIN"),
        ("DELETE /health", ["Origin: null"], b"", "FORBIDDEN_ORIGIN"),
        ("POST /tasks", ["Origin: null", LARGE], b"", "FORBIDDEN_ORIGIN"),
        ("POST /nowhere", ["Content-Type: a/b", LARGE], b"", "NOT_FOUND"),
        ("PUT /tasks", ["Content-Type: a/b", LARGE], b"", "METHOD_NOT_ALLOWED"),
        ("POST /tasks", ["Content-Type: a/b", LARGE], b"", "PAYLOAD_TOO_LARGE"),
        ("POST /tasks", ["Content-Type: a/b", "Content-Length: 1"], b"{", "UNSUPPORTED_MEDIA_TYPE"),
        ("POST /tasks", ["Content-Length: 12"], b'{"a":1,"a":1', "INVALID_JSON"),
    ],
)
def test_of_several_refusals_the_first_in_order_is_given(
    api: Api, request_line: str, fields: list[str], body: bytes, code: str
) -> None:
    """Head, origin, path, method, size, type, JSON, fields."""
    method, path = request_line.split()
    connection = api.say(api.head(method, path, *fields) + body)
    api.refused(connection.answer(method), code)


# Pages of other sites


CHANGES = [("POST", "/tasks"), ("PUT", "/tasks/x"), ("PATCH", "/tasks/x"), ("DELETE", "/tasks/x")]


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_page_of_another_origin_cannot_change_anything(api: Api, method: str, path: str) -> None:
    """Another name, port or scheme is another origin; so is one that only begins like ours."""
    name, port = api.address
    path = path.replace("x", api.create(title="mine")["id"])
    tasks = api.tasks()
    for origin in (
        "null",
        "http://evil.example",
        f"http://evil.example:{port}",
        f"http://{name}",
        f"http://{name}:{port + 1}",
        f"https://{api.host}",
        f"{api.origin}.evil.example",
        f"http://evil.example/{api.host}",
        f"http://{api.host}@evil.example",
    ):
        if origin == api.origin:  # on port 80 the name alone is our own
            continue
        answer = api.ask(method, path, f"Origin: {origin}", value={"title": "theirs"})
        api.refused(answer, "FORBIDDEN_ORIGIN")
    assert api.tasks() == tasks


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_asks_for_no_origin(api: Api, method: str) -> None:
    """Browsers keep the answer from the foreign page by themselves."""
    for origin in ("null", "http://evil.example"):
        api.ask(method, "/tasks", f"Origin: {origin}").expect(200)


def test_our_own_page_may_create_tasks(api: Api) -> None:
    api.ask("POST", "/tasks", f"Origin: {api.origin}", value={"title": "ours"}).expect(201)


def test_our_own_origin_is_the_one_that_host_names(api: Api) -> None:
    port = api.address[1]
    for origin, status in ((f"http://localhost:{port}", 201), ("http://localhost:1", 403)):
        body = b'{"title": "by name"}'
        head = api.head("POST", "/tasks", f"Origin: {origin}", f"Content-Length: {len(body)}")
        renamed = head.replace(f"Host: {api.host}".encode(), f"Host: localhost:{port}".encode())
        api.say(renamed + body).answer("POST").expect(status)
