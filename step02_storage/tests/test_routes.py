"""The endpoints, asked in process: what each answers, and what it refuses in which order."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from in_process import Client, error_of

from taskflow.http import MAX_BODY_BYTES

UNKNOWN = "a00f3a1e-1111-4111-8111-111111111111"


async def test_health_says_since_when(client: Client) -> None:
    first, second = await client.shown("/health"), await client.shown("/health")

    assert first.keys() == {"status", "timestamp", "uptimeSeconds"}
    assert first["status"] == "healthy"
    assert datetime.fromisoformat(first["timestamp"]).tzinfo is UTC
    assert 0 <= first["uptimeSeconds"] <= second["uptimeSeconds"]


# Making and reading tasks.


async def test_a_task_is_made_and_read(client: Client) -> None:
    response = await client.ask("POST", "/tasks", {"title": " write ", "priority": 7})
    task = json.loads(response.body)

    assert response.status == 201
    assert response.headers == {"Location": f"/tasks/{task['id']}"}
    assert (task["title"], task["priority"], task["status"]) == ("write", 7, "pending")
    assert await client.shown(f"/tasks/{task['id']}") == task
    assert await client.shown("/tasks") == [task]


async def test_tasks_are_listed_in_order_of_creation(client: Client) -> None:
    assert await client.shown("/tasks") == []
    tasks = [await client.created(title=f"{number}", priority=number) for number in range(5)]
    assert await client.shown("/tasks") == tasks


@pytest.mark.parametrize("target", [f"/tasks/{UNKNOWN}", "/tasks/1", "/tasks/%F0%9F%98%80"])
async def test_a_task_that_does_not_exist_is_not_found(client: Client, target: str) -> None:
    await client.created()
    assert (await client.ask("GET", target)).status == 404


async def test_every_fault_has_its_status_and_leaves_no_task(client: Client) -> None:
    for body, status in [
        (b"", 400),
        (b"[]", 400),
        (b'{"title":"a","title":"b"}', 400),
        (b"{}", 422),
        (b'{"title":""}', 422),
        (b'{"title":"a","colour":"red"}', 422),
        (b'{"title":"a","priority":true}', 422),
    ]:
        response = await client.ask("POST", "/tasks", body=body)
        assert (response.status, bool(error_of(response))) == (status, True)
    assert await client.shown("/tasks") == []


async def test_the_first_fault_in_the_order_of_the_contract_is_answered(client: Client) -> None:
    """The length of the body, its type, its JSON, and then its fields."""
    too_long, wrong_type = str(MAX_BODY_BYTES + 1), "text/plain"

    async def status(body: bytes, **headers: str) -> int:
        return (await client.ask("POST", "/tasks", body=body, **headers)).status

    assert await status(b"no JSON", content_length=too_long, content_type=wrong_type) == 413
    assert await status(b"no JSON", content_type=wrong_type) == 415
    assert await status(b'{"title":1,}') == 400
    assert await status(b'{"title":1}') == 422


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 201),
        ("Application/JSON; charset=utf-8", 201),
        ("application/json ;x", 201),
        ('application/json; x=1; charset="UTF-8"', 201),
        ("application/json; charset=utf8", 201),
        ("application/json; charset=utf-16", 415),
        ("application/json;charset=ISO-8859-1", 415),
        ("application/json; charset=utf-8; charset=utf-16", 415),
        ("", 415),
        ("text/plain", 415),
        ("application/jsonp", 415),
        ("application/x-www-form-urlencoded", 415),
    ],
)
async def test_the_type_of_a_body_must_be_json(
    client: Client, media_type: str, status: int
) -> None:
    response = await client.ask("POST", "/tasks", {"title": "x"}, content_type=media_type)
    assert response.status == status


@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip"])
async def test_a_compressed_body_is_refused_before_it_is_read(client: Client, coding: str) -> None:
    response = await client.ask("POST", "/tasks", body=b"\x1f\x8b", content_encoding=coding)

    assert response.status == 415
    assert response.headers["Accept-Encoding"] == "identity"
    assert await client.shown("/tasks") == []


async def test_a_body_may_say_that_it_is_not_compressed(client: Client) -> None:
    response = await client.ask("POST", "/tasks", {"title": "x"}, content_encoding="Identity")
    assert response.status == 201


async def test_an_id_is_compared_without_regard_to_case(client: Client) -> None:
    task = await client.created()
    assert await client.shown(f"/tasks/{task['id'].upper()}") == task


async def test_an_encoded_slash_separates_nothing(client: Client) -> None:
    task = await client.created()
    assert (await client.ask("GET", f"/tasks%2F{task['id']}")).status == 404
    assert (await client.ask("GET", "/%2ftasks")).status == 404


async def test_a_store_that_is_full_takes_no_more(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskflow.store.MAX_TASKS", 2)
    tasks = [await client.created(), await client.created()]

    assert (await client.ask("POST", "/tasks", {"title": "third"})).status == 503
    assert await client.shown("/tasks") == tasks


async def test_paths_have_the_methods_of_the_contract(client: Client) -> None:
    expected = {
        "/health": "GET, HEAD, OPTIONS",
        "/tasks": "GET, HEAD, OPTIONS, POST",
        "/tasks/1": "DELETE, GET, HEAD, OPTIONS, PATCH, PUT",
        "*": "OPTIONS",
    }
    for path, methods in expected.items():
        response = await client.ask("OPTIONS", path)
        assert response.status == 204
        assert ", ".join(sorted(response.headers["Allow"].split(", "))) == methods


# Changing and dropping tasks.


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_change_merges_the_given_fields(client: Client, method: str) -> None:
    task = await client.created(title="before", description="stays", priority=3)
    target = f"/tasks/{task['id']}"

    response = await client.ask(method, target, {"title": "after", "status": "completed"})
    after = json.loads(response.body)

    assert response.status == 200
    times = {"updatedAt": after["updatedAt"]}
    assert after == task | {"title": "after", "status": "completed"} | times
    assert after["updatedAt"] > task["updatedAt"]
    assert await client.shown(target) == after


async def test_a_change_that_changes_nothing_answers_the_task_as_it_was(client: Client) -> None:
    task = await client.created(title="same", priority=3)
    for fields in {}, {"title": " same "}, {"priority": 3, "status": "pending"}:
        response = await client.ask("PATCH", f"/tasks/{task['id']}", fields)
        assert (response.status, json.loads(response.body)) == (200, task)


async def test_a_bad_change_changes_nothing(client: Client) -> None:
    task = await client.created()
    target = f"/tasks/{task['id']}"

    bad = await client.ask("PATCH", target, {"title": "new", "priority": "high"})

    assert bad.status == 422
    assert await client.shown(target) == task


async def test_the_body_of_a_change_is_checked_before_its_task_is_looked_up(
    client: Client,
) -> None:
    target = f"/tasks/{UNKNOWN}"
    assert (await client.ask("PATCH", target, body=b"{")).status == 400
    assert (await client.ask("PATCH", target, {"title": ""})).status == 422
    assert (await client.ask("PATCH", target, {"title": "x"})).status == 404


async def test_a_merge_patch_is_only_for_patch(client: Client) -> None:
    target = f"/tasks/{(await client.created())['id'].upper()}"

    async def status(method: str, target: str) -> int:
        merge_patch = "application/merge-patch+json; charset=utf-8"
        return (await client.ask(method, target, {"title": "x"}, content_type=merge_patch)).status

    assert await status("PATCH", target) == 200
    assert await status("PUT", target) == 415
    assert await status("POST", "/tasks") == 415


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_compressed_change_changes_nothing(client: Client, method: str) -> None:
    task = await client.created()
    target = f"/tasks/{task['id']}"

    response = await client.ask(method, target, {"title": "x"}, content_encoding="gzip")

    assert (response.status, response.headers["Accept-Encoding"]) == (415, "identity")
    assert await client.shown(target) == task


async def test_a_deleted_task_is_gone(client: Client) -> None:
    gone, stays = await client.created(), await client.created()
    target = f"/tasks/{gone['id']}"

    response = await client.ask("DELETE", target)

    assert (response.status, response.body) == (204, b"")
    assert (await client.ask("GET", target)).status == 404
    assert (await client.ask("DELETE", target)).status == 404
    assert await client.shown("/tasks") == [stays]


# Paging.


async def follow(client: Client, target: str) -> list[list[Any]]:
    """Return the pages from here to the last one."""
    pages = []
    while target:
        response = await client.ask("GET", target)
        assert response.status == 200, response.body
        pages.append(json.loads(response.body))
        link = response.headers.get("Link", "")
        target = link and link.removeprefix("<").removesuffix('>; rel="next"')
    return pages


@pytest.mark.parametrize(
    ("limit", "sizes"), [(1, [1] * 6), (4, [4, 2]), (3, [3, 3]), (6, [6]), (10_000, [6])]
)
async def test_pages_hold_all_tasks_once(client: Client, limit: int, sizes: list[int]) -> None:
    tasks = [await client.created(title=f"{number}") for number in range(6)]

    pages = await follow(client, f"/tasks?limit={limit}")

    assert [len(page) for page in pages] == sizes
    assert [task for page in pages for task in page] == tasks


async def test_pages_of_one_status_link_to_the_same_status(client: Client) -> None:
    statuses = ["completed", "pending", "completed", "in-progress", "completed"]
    tasks = [await client.created(status=status) for status in statuses]

    pages = await follow(client, "/tasks?status=completed&limit=1")

    assert pages == [[tasks[0]], [tasks[2]], [tasks[4]]]


async def test_a_page_has_1000_tasks_unless_asked(client: Client) -> None:
    for number in range(1_001):
        await client.created(title=f"{number}")

    response = await client.ask("GET", "/tasks")

    tasks = json.loads(response.body)
    assert len(tasks) == 1_000
    assert response.headers["Link"] == '</tasks?limit=1000&cursor=1000>; rel="next"'


async def test_a_link_stays_good_when_its_page_is_deleted(client: Client) -> None:
    first, second, third = [await client.created(title=f"{number}") for number in range(3)]
    page = await client.ask("GET", f"/tasks?limit=1&after={first['id']}")
    target = page.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')

    await client.ask("DELETE", f"/tasks/{second['id']}")

    assert await client.shown(target) == [third]


async def test_an_id_is_compared_without_regard_to_case_as_a_cursor_too(client: Client) -> None:
    first, second = await client.created(), await client.created()
    assert await client.shown(f"/tasks?after={first['id'].upper()}") == [second]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=10001",
        "limit=-1",
        "limit=",
        "limit=ten",
        "limit=1&limit=1",
        "status=",
        "status=done",
        "status=pending&status=pending",
        "after=",
        f"after={UNKNOWN}",
        "after=&cursor=1",
        "cursor=",
        "cursor=-1",
        "cursor=first",
        f"cursor={2**53}",
        "cursor=1&cursor=1",
    ],
)
async def test_a_known_parameter_with_a_bad_value_is_refused(client: Client, query: str) -> None:
    response = await client.ask("GET", f"/tasks?{query}")
    assert response.status == 422
    assert error_of(response).startswith(query.partition("=")[0])


async def test_an_unknown_parameter_is_ignored(client: Client) -> None:
    assert await client.shown("/tasks?page=2&page=3&sort=") == []
