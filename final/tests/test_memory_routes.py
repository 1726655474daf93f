"""The endpoints about memory, and that use of the server leaves nothing behind."""

import gc
import json
import os
import tracemalloc

import psutil
import pytest
from in_process import TOKENS, Client, code_of, details_of, new_client

from taskflow import events, history, leak_demo, logs
from taskflow.memory_routes import process_memory


async def test_the_report_says_what_the_process_holds_and_what_is_bounded(client: Client) -> None:
    await client.created()
    report = await client.shown("/tasks/system/memory")

    assert report.keys() == {"process", "collector", "bounded"}
    resident = psutil.Process(os.getpid()).memory_info().rss
    assert resident / 2 < report["process"]["residentBytes"] < resident * 2
    assert report["process"]["virtualBytes"] >= report["process"]["residentBytes"]
    assert report["collector"]["enabled"] is True
    assert len(report["collector"]["counts"]) == len(report["collector"]["stats"]) == 3
    assert report["bounded"] == {
        "requests": {"size": 1, "limit": 1_000},
        "events": {"size": 1, "limit": 1_000},
        "cache": {"size": 0, "limit": 100},
        "leakedBytes": {"size": 0, "limit": 268_435_456},
    }
    assert not tracemalloc.is_tracing()


def test_the_collector_is_shown_as_it_is() -> None:
    gc.disable()
    try:
        assert process_memory()["collector"]["enabled"] is False
    finally:
        gc.enable()


async def test_allocation_sites_are_for_admins(client: Client) -> None:
    user = Client(client.app, TOKENS.user)
    assert (await user.ask("GET", "/tasks/system/memory")).status == 200
    for query in "top=5", "top=0", "top=", "top":
        response = await user.ask("GET", f"/tasks/system/memory?{query}")
        assert (response.status, code_of(response)) == (403, "INSUFFICIENT_PERMISSIONS")
    assert not tracemalloc.is_tracing()

    first = await client.shown("/tasks/system/memory?top=3")
    second = await client.shown("/tasks/system/memory?top=3")

    assert (first["tracing"], first["top"]) == (True, [])
    assert second["tracing"] is True
    assert len(second["top"]) == 3
    assert second["top"][0].keys() == {"site", "bytes", "blocks"}


@pytest.mark.parametrize(
    ("method", "target", "field"),
    [
        ("GET", "/tasks/system/memory?top=0", "top"),
        ("GET", "/tasks/system/memory?top=101", "top"),
        ("GET", "/tasks/system/memory?top=many", "top"),
        ("GET", "/tasks/system/memory?top=1&top=1", "top"),
        *(
            ("POST", f"/tasks/memory/{path}?{name}={value}", name)
            for path in ("leak", "safe")
            for name, value in [
                ("count", "0"),
                ("count", "1001"),
                ("count", "-1"),
                ("count", "1&count=1"),
                ("sizeKb", "0"),
                ("sizeKb", "1025"),
                ("sizeKb", "1.5"),
            ]
        ),
    ],
)
async def test_a_parameter_out_of_range_is_refused(
    client: Client, method: str, target: str, field: str
) -> None:
    response = await client.ask(method, target)
    assert (response.status, code_of(response)) == (422, "VALIDATION_ERROR")
    assert details_of(response)["field"] == field
    assert not tracemalloc.is_tracing()
    assert await sizes(client) == (0, 0)


async def sizes(client: Client) -> tuple[int, int]:
    """Return how many bytes have leaked, and how many entries the cache has."""
    bounded = (await client.shown("/tasks/system/memory"))["bounded"]
    return bounded["leakedBytes"]["size"], bounded["cache"]["size"]


async def test_a_leak_grows_a_cache_does_not_and_both_are_emptied(client: Client) -> None:
    leak = await client.ask("POST", "/tasks/memory/leak")
    assert (leak.status, await sizes(client)) == (201, (100 * 8 * 1024, 0))
    await client.ask("POST", "/tasks/memory/leak?count=1000&sizeKb=1")
    assert await sizes(client) == (800 * 1024 + 1_000 * 1024, 0)

    for count in 60, 1_000, 1:
        kept = await client.ask("POST", f"/tasks/memory/safe?count={count}&sizeKb=1")
        assert kept.status == 201
        assert (await sizes(client))[1] == min(count, 100) or count == 1
    assert json.loads(kept.body)["cache"] == {"size": 100, "limit": 100}

    cleared = await client.ask("POST", "/tasks/memory/clear")
    assert (cleared.status, await sizes(client)) == (200, (0, 0))
    assert json.loads(cleared.body)["leakedBytes"]["size"] == 0


async def test_a_leak_over_the_bound_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leak_demo, "MAX_LEAK_BYTES", 10 * 1024)
    assert (await client.ask("POST", "/tasks/memory/leak?count=10&sizeKb=1")).status == 201
    response = await client.ask("POST", "/tasks/memory/leak?count=1&sizeKb=1")
    assert (response.status, code_of(response)) == (422, "VALIDATION_ERROR")
    assert await sizes(client) == (10 * 1024, 0)


@pytest.mark.parametrize("path", ["leak", "safe", "clear"])
async def test_a_user_may_not_fill_the_memory(client: Client, path: str) -> None:
    user = Client(client.app, TOKENS.user)
    assert (await user.ask("POST", f"/tasks/memory/{path}")).status == 403
    assert (await client.ask("GET", f"/tasks/memory/{path}")).status == 405


# The whole.


async def use(client: Client) -> None:
    """Do a bit of everything, as clients do for years; nothing of it stays in the store."""
    task = await client.created(title="a task", description="x" * 100)
    other = await client.created(dependencies=[task["id"]])
    for method, target in [
        ("GET", "/tasks"),
        ("GET", "/tasks/resolve"),
        ("GET", "/nowhere"),
        ("POST", "/tasks/claim"),
        ("PATCH", f"/tasks/{other['id']}"),
        ("GET", "/tasks/system/memory"),
        ("POST", "/tasks/memory/safe?sizeKb=1&count=3"),
        ("DELETE", f"/tasks/{task['id']}"),
        ("DELETE", f"/tasks/{other['id']}"),
    ]:
        await client.ask(method, target, {"priority": 5} if method == "PATCH" else None)


async def test_memory_does_not_grow_with_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "HISTORY_LENGTH", 50)
    monkeypatch.setattr(events, "MAX_EVENTS", 50)
    monkeypatch.setattr(logs, "MAX_WAITING", 0)
    tracemalloc.start()
    try:
        async with new_client() as client:
            for _ in range(60):  # until every bound is reached
                await use(client)
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(300):
                await use(client)
            gc.collect()
            grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert grown < 80_000  # bytes, of 3,300 requests: one small string kept of each would show
