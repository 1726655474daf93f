"""The history of requests."""

import pytest
from in_process import Client, details_of

from taskflow.history import HISTORY_LENGTH, History
from taskflow.logs import AccessEntry


def entry(path: str) -> AccessEntry:
    """Return an entry about a request to this path."""
    return AccessEntry(
        id=f"id of {path}",
        timestamp="2026-01-31T12:00:00.000Z",
        method="GET",
        path=path,
        status=200,
        sent=7,
        seconds=0.0123,
        client="127.0.0.1",
        role=None,
        route=path,
    )


def test_a_history_keeps_the_last_entries_and_no_more() -> None:
    history = History()
    for number in range(HISTORY_LENGTH + 5):
        history.add(entry(f"/{number}"))

    assert len(history) == HISTORY_LENGTH
    newest_first = [f"/{number}" for number in range(HISTORY_LENGTH + 4, 4, -1)]
    assert [kept.path for kept in history.latest(HISTORY_LENGTH)] == newest_first
    assert [kept.path for kept in history.latest(2)] == newest_first[:2]


def test_an_empty_history_has_nothing_to_show() -> None:
    assert History().latest(10) == []


def test_a_long_path_is_kept_in_part() -> None:
    history = History()
    history.add(entry("/" + "x" * 10_000))
    assert len(history.latest(1)[0].path) == 200


async def test_the_last_requests_are_shown_newest_first(client: Client) -> None:
    await client.ask("GET", "/nowhere", x_request_id="first")
    await client.ask("GET", "/health", x_request_id="second", authorization="")

    second, first = await client.shown("/tasks/system/requests?limit=2")

    assert first.keys() == {"id", "method", "path", "status", "durationMs", "timestamp", "role"}
    assert (first["id"], first["method"], first["path"]) == ("first", "GET", "/nowhere")
    assert (first["status"], first["role"]) == (404, "admin")
    assert (second["id"], second["status"], second["role"]) == ("second", 200, None)
    assert first["durationMs"] >= 0
    assert first["timestamp"].endswith("Z")


@pytest.mark.parametrize("limit", ["0", "1001", "many", "1&limit=1"])
async def test_a_limit_out_of_range_is_refused(client: Client, limit: str) -> None:
    response = await client.ask("GET", f"/tasks/system/requests?limit={limit}")
    assert response.status == 422
    assert details_of(response)["field"] == "limit"
