"""The endpoints, asked in process: what each answers, and what it refuses in which order."""

import csv
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from in_process import TOKENS, Client, code_of, details_of, error_of, new_client, taken

from taskflow.http import MAX_BODY_BYTES
from taskflow.store import Store

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
    assert response.headers["Location"] == f"/tasks/{task['id']}"
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
    for body, status, code in [
        (b"", 400, "INVALID_JSON"),
        (b"[]", 400, "INVALID_JSON"),
        (b'{"title":"a","title":"b"}', 400, "INVALID_JSON"),
        (b"{}", 422, "MISSING_REQUIRED_FIELD"),
        (b'{"title":""}', 422, "VALIDATION_ERROR"),
        (b'{"title":"a","colour":"red"}', 422, "VALIDATION_ERROR"),
        (b'{"title":"a","priority":true}', 422, "VALIDATION_ERROR"),
    ]:
        response = await client.ask("POST", "/tasks", body=body)
        assert (response.status, code_of(response)) == (status, code)
        assert error_of(response)
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
        "/tasks/next": "GET, HEAD, OPTIONS",
        "/tasks/peek": "GET, HEAD, OPTIONS",
        "/tasks/queue": "GET, HEAD, OPTIONS",
        "/tasks/claim": "OPTIONS, POST",
        "/tasks/resolve": "GET, HEAD, OPTIONS",
        "/tasks/1/resolve": "GET, HEAD, OPTIONS",
        "/tasks/export.csv": "GET, HEAD, OPTIONS",
        "/tasks/stream.ndjson": "GET, HEAD, OPTIONS",
        "/tasks/import": "OPTIONS, POST",
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


# The queue.

EMPTY = {"message": "Queue is empty"}


@pytest.mark.parametrize("target", ["/tasks/next", "/tasks/peek"])
async def test_the_most_urgent_task_is_shown_and_stays(client: Client, target: str) -> None:
    assert await client.shown(target) == EMPTY
    for priority in 1, 9, 5:
        await client.created(title=f"{priority}", priority=priority)

    assert (await client.shown(target))["title"] == "9"
    assert (await client.shown(target))["title"] == "9"


async def test_the_queue_is_shown_root_first(client: Client) -> None:
    assert await client.shown("/tasks/queue") == []
    for priority in 1, 9, 5:
        await client.created(priority=priority)
    await client.created(priority=100, status="completed")

    assert [task["priority"] for task in await client.shown("/tasks/queue")] == [9, 1, 5]


async def test_the_beginning_of_the_queue_says_how_many_are_ready(client: Client) -> None:
    for priority in 1, 9, 5:
        await client.created(priority=priority)
    await client.created(status="completed")

    response = await client.ask("GET", "/tasks/queue?limit=2")

    assert [task["priority"] for task in json.loads(response.body)] == [9, 1]
    assert response.headers["X-Total-Count"] == "3"


async def test_the_queue_shows_1000_tasks_unless_asked(client: Client) -> None:
    for number in range(1_001):
        await client.created(title=f"{number}")

    response = await client.ask("GET", "/tasks/queue")

    assert len(json.loads(response.body)) == 1_000
    assert response.headers["X-Total-Count"] == "1001"
    assert len(await client.shown("/tasks/queue?limit=10000")) == 1_001


@pytest.mark.parametrize("query", ["limit=0", "limit=10001", "limit=", "limit=1&limit=2"])
async def test_the_queue_refuses_a_bad_limit(client: Client, query: str) -> None:
    response = await client.ask("GET", f"/tasks/queue?{query}")
    assert response.status == 422
    assert error_of(response).startswith("limit")


async def test_claims_hand_out_every_task_once_and_the_most_urgent_first(client: Client) -> None:
    for priority in 1, 9, 5, 9:
        await client.created(priority=priority)
    waiting = await client.shown("/tasks")

    claimed = []
    while (response := await client.ask("POST", "/tasks/claim")).status == 200:
        claimed.append(json.loads(response.body))

    assert (response.status, response.body) == (204, b"")
    assert [task["id"] for task in claimed] == [waiting[at]["id"] for at in (1, 3, 2, 0)]
    assert {task["status"] for task in claimed} == {"in-progress"}
    assert await client.shown("/tasks/next") == EMPTY


async def test_a_claim_ignores_a_small_body(client: Client) -> None:
    await client.created()
    assert (await client.ask("POST", "/tasks/claim", body=b"no JSON")).status == 200


# Dependencies.


async def test_a_task_waits_for_what_it_depends_on(client: Client) -> None:
    first = await client.created(title="first")
    second = await client.created(title="second", priority=9, dependencies=[first["id"]])
    assert second["dependencies"] == [first["id"]]
    assert (await client.shown("/tasks/next"))["title"] == "first"

    await client.ask("PATCH", f"/tasks/{first['id']}", {"status": "completed"})

    assert (await client.shown("/tasks/next"))["title"] == "second"


async def test_ids_of_dependencies_are_compared_without_regard_to_case(client: Client) -> None:
    first = await client.created()
    upper = first["id"].upper()

    second = await client.created(dependencies=[upper])

    assert second["dependencies"] == [first["id"]]
    assert (await client.shown(f"/tasks/{upper}/resolve"))["scopedTaskId"] == first["id"]
    change = {"dependencies": [second["id"].upper()]}
    assert (await client.ask("PATCH", f"/tasks/{upper}", change)).status == 409


async def test_a_dependency_on_an_unknown_task_is_refused(client: Client) -> None:
    task = await client.created()
    target = f"/tasks/{task['id']}"

    created = await client.ask("POST", "/tasks", {"title": "x", "dependencies": [UNKNOWN]})
    updated = await client.ask("PATCH", target, {"title": "x", "dependencies": [UNKNOWN]})
    unknown = await client.ask("PATCH", f"/tasks/{UNKNOWN}", {"dependencies": [UNKNOWN]})

    for response in created, updated, unknown:
        assert (response.status, code_of(response)) == (422, "MISSING_DEPENDENCY")
        assert details_of(response) == {"missingTaskId": UNKNOWN}
    assert UNKNOWN in error_of(created)
    assert await client.shown("/tasks") == [task]


async def test_a_cycle_is_refused_and_nothing_changes(client: Client) -> None:
    first = await client.created()
    second = await client.created(dependencies=[first["id"]])

    for wanted, path in [
        ([second["id"]], [first["id"], second["id"], first["id"]]),
        ([first["id"]], [first["id"], first["id"]]),
    ]:
        response = await client.ask(
            "PATCH", f"/tasks/{first['id']}", {"title": "new", "dependencies": wanted}
        )
        assert (response.status, code_of(response)) == (409, "CYCLE_DETECTED")
        assert details_of(response) == {"cyclePath": path}
    assert await client.shown("/tasks") == [first, second]


async def test_a_deleted_task_leaves_the_lists_of_others(client: Client) -> None:
    first, other = await client.created(), await client.created()
    second = await client.created(dependencies=[first["id"], other["id"]])

    assert (await client.ask("DELETE", f"/tasks/{first['id']}")).status == 204

    after = await client.shown(f"/tasks/{second['id']}")
    assert after["dependencies"] == [other["id"]]
    assert after["updatedAt"] > second["updatedAt"]


async def test_resolving_answers_each_task_after_what_it_depends_on(client: Client) -> None:
    base = await client.created(title="base")
    left = await client.created(title="left", dependencies=[base["id"]])
    right = await client.created(title="right", dependencies=[base["id"]])
    await client.ask("PATCH", f"/tasks/{left['id']}", {"dependencies": [right["id"], base["id"]]})
    tasks = {task["title"]: task for task in await client.shown("/tasks")}

    everything = await client.shown("/tasks/resolve")
    one = await client.shown(f"/tasks/{right['id']}/resolve")

    expected = [tasks["base"], tasks["right"], tasks["left"]]
    assert everything == {
        "scope": "all",
        "scopedTaskId": None,
        "totalTasksInOrder": 3,
        "orderedTaskIds": [task["id"] for task in expected],
        "orderedTasks": expected,
    }
    assert (one["scope"], one["scopedTaskId"]) == ("task", right["id"])
    assert one["orderedTasks"] == expected[:2]


async def test_resolving_without_tasks_is_empty_and_of_an_unknown_one_404(client: Client) -> None:
    assert (await client.shown("/tasks/resolve"))["orderedTasks"] == []
    assert (await client.ask("GET", f"/tasks/{UNKNOWN}/resolve")).status == 404


async def test_an_order_over_its_bound_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskflow.store.MAX_RESOLVED", 2)
    first = await client.created()
    second = await client.created(dependencies=[first["id"]])
    assert (await client.ask("GET", "/tasks/resolve")).status == 200

    await client.created(dependencies=[second["id"]])

    assert (await client.ask("GET", "/tasks/resolve")).status == 422
    assert (await client.ask("GET", f"/tasks/{second['id']}/resolve")).status == 200


async def test_an_order_is_kept_until_a_task_changes(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await client.created(title="first")
    second = await client.created(title="second", dependencies=[first["id"]])
    target = f"/tasks/{second['id']}/resolve"
    before = await client.shown(target)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "resolve", None)  # a call would fail
        assert await client.shown(target) == before

    await client.ask("PATCH", f"/tasks/{first['id']}", {"title": "changed"})

    assert (await client.shown(target))["orderedTasks"][0]["title"] == "changed"
    await client.ask("DELETE", f"/tasks/{second['id']}")
    assert (await client.ask("GET", target)).status == 404


# Streams.


def rows_of(text: bytes) -> list[dict[str, str]]:
    """Read CSV as the standard library does, and strictly."""
    return list(csv.DictReader(StringIO(text.decode(), newline=""), strict=True))


async def test_all_tasks_are_exported_for_a_spreadsheet(client: Client) -> None:
    first = await client.created(title='a, "b"', description="two\nlines", priority=-1)
    second = await client.created(title="=1+1", status="completed")
    third = await client.created(dependencies=[second["id"], first["id"]], description="-")

    response = await client.ask("GET", "/tasks/export.csv")

    assert (response.status, response.content_type) == (200, "text/csv; charset=utf-8")
    assert response.headers["Content-Disposition"] == 'attachment; filename="tasks.csv"'
    joined = {"dependencies": f"{second['id']};{first['id']}"}
    assert rows_of(response.body) == [
        first | {"priority": "-1", "dependencies": ""},
        second | {"title": "'=1+1", "priority": "1", "dependencies": ""},
        third | {"description": "'-", "priority": "1"} | joined,
    ]


async def test_all_tasks_are_streamed_one_a_line(client: Client) -> None:
    first = await client.created(title="a\u2028b", description="two\nlines")
    second = await client.created(dependencies=[first["id"]])

    response = await client.ask("GET", "/tasks/stream.ndjson")

    assert (response.status, response.content_type) == (200, "application/x-ndjson")
    lines = response.body.split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == [first, second]
    assert lines[-1] == b""


async def test_streams_of_no_tasks(client: Client) -> None:
    header = b"id,title,description,status,priority,dependencies,createdAt,updatedAt\r\n"
    assert (await client.ask("GET", "/tasks/export.csv")).body == header
    assert (await client.ask("GET", "/tasks/stream.ndjson")).body == b""


@pytest.mark.parametrize("target", ["/tasks/export.csv", "/tasks/stream.ndjson"])
async def test_a_stream_is_of_the_tasks_as_they_were_when_it_was_asked_for(
    client: Client, target: str
) -> None:
    tasks = [await client.created(title=f"{number}") for number in range(3)]
    expected = (await client.ask("GET", target)).body
    _, response = await client.begin("GET", target)

    await client.ask("DELETE", f"/tasks/{tasks[0]['id']}")
    await client.ask("PATCH", f"/tasks/{tasks[1]['id']}", {"title": "changed"})
    await client.created(title="added")

    assert isinstance(response.body, AsyncGenerator)
    assert await taken(response.body) == expected
    assert (await client.ask("GET", target)).body != expected


@pytest.mark.parametrize("target", ["/tasks/export.csv", "/tasks/stream.ndjson"])
async def test_head_of_a_stream_is_as_get(client: Client, target: str) -> None:
    got, headed = await client.ask("GET", target), await client.ask("HEAD", target)
    assert headed.body == b""
    assert headed.content_type == got.content_type
    ids = {"X-Request-Id": ""}
    assert headed.headers | ids == got.headers | ids


# The import.


async def test_what_was_exported_is_imported_elsewhere(client: Client) -> None:
    first = await client.created(title="first", status="completed")
    second = await client.created(title="second", dependencies=[first["id"]])
    third = await client.created(title="third", status="in-progress")
    await client.ask("PATCH", f"/tasks/{first['id']}", {"dependencies": [third["id"]]})
    exported = (await client.ask("GET", "/tasks/stream.ndjson")).body

    async with new_client() as other:
        answer = await other.ask("POST", "/tasks/import", body=exported)

        assert answer.status == 200
        assert json.loads(answer.body) == {"created": 3, "failedCount": 0, "failed": []}
        assert (await other.ask("GET", "/tasks/stream.ndjson")).body == exported
        assert (await other.shown("/tasks/next"))["id"] == second["id"]


async def test_a_line_that_fails_is_told_of(client: Client) -> None:
    task = await client.created()
    body = b'{"title":"a"}\n\n{"id":"%b","title":"b"}\n{"titel":"c"}\n{"title":"d"}' % (
        task["id"].encode()
    )

    answer = await client.ask("POST", "/tasks/import", body=body)

    assert (answer.status, json.loads(answer.body)) == (
        200,
        {
            "created": 2,
            "failedCount": 2,
            "failed": [
                {"line": 3, "error": "id: exists already"},
                {"line": 4, "error": "titel: is not a field that can be set"},
            ],
        },
    )
    assert [task["title"] for task in await client.shown("/tasks")] == ["a task", "a", "d"]


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/x-ndjson", 200),
        ("Application/X-NDJSON; charset=utf-8", 200),
        ("", 415),
        ("application/json", 415),
        ("application/ndjson", 415),
        ("application/x-ndjson; charset=utf-16", 415),
        ("text/csv", 415),
    ],
)
async def test_the_type_of_an_import_must_be_ndjson(
    client: Client, media_type: str, status: int
) -> None:
    body = b'{"title":"a"}'
    response = await client.ask("POST", "/tasks/import", body=body, content_type=media_type)
    assert response.status == status
    assert len(await client.shown("/tasks")) == (status == 200)


async def test_a_compressed_import_is_refused(client: Client) -> None:
    body = b'{"title":"a"}'
    response = await client.ask("POST", "/tasks/import", body=body, content_encoding="gzip")
    assert (response.status, response.headers["Accept-Encoding"]) == (415, "identity")
    assert await client.shown("/tasks") == []


async def test_an_import_may_be_larger_than_other_bodies_but_not_its_lines(client: Client) -> None:
    line = b'{"title":"a"}'
    long = line.ljust(MAX_BODY_BYTES)

    large = await client.ask("POST", "/tasks/import", body=long + b"\n" + long)
    too_long = await client.ask("POST", "/tasks/import", body=long + b" ")

    assert json.loads(large.body) == {"created": 2, "failedCount": 0, "failed": []}
    assert (too_long.status, code_of(too_long)) == (413, "PAYLOAD_TOO_LARGE")


async def test_a_user_exports_and_does_not_import(client: Client) -> None:
    user = Client(client.app, TOKENS.user)
    for target in "/tasks/export.csv", "/tasks/stream.ndjson":
        assert (await user.ask("GET", target)).status == 200
    refused = await user.ask("POST", "/tasks/import", body=b'{"title":"a"}', content_type="a/b")
    assert (refused.status, code_of(refused)) == (403, "INSUFFICIENT_PERMISSIONS")
