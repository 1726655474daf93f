"""The endpoints, asked in process: what each answers, and what it refuses in which order."""

import json
from datetime import UTC, datetime

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
    monkeypatch.setattr("taskflow.routes.MAX_TASKS", 2)
    tasks = [await client.created(), await client.created()]

    assert (await client.ask("POST", "/tasks", {"title": "third"})).status == 503
    assert await client.shown("/tasks") == tasks


async def test_paths_have_the_methods_of_the_contract(client: Client) -> None:
    expected = {
        "/health": "GET, HEAD, OPTIONS",
        "/tasks": "GET, HEAD, OPTIONS, POST",
        "/tasks/1": "GET, HEAD, OPTIONS",
        "*": "OPTIONS",
    }
    for path, methods in expected.items():
        response = await client.ask("OPTIONS", path)
        assert response.status == 204
        assert ", ".join(sorted(response.headers["Allow"].split(", "))) == methods
