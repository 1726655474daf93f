"""Step 7: what the server says of its memory, and a leak beside a bound. Leaks are let go again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .api import Api
from .conftest import Launch

KIB = 1_024
MIB = 1_024 * KIB
REPORT = "/tasks/system/memory"

Report = dict[str, Any]


def report(api: Api, query: str = "") -> Report:
    value = api.ask("GET", REPORT + query).expect(200).json()
    assert isinstance(value, dict)
    return value


def bounded(api: Api) -> dict[str, dict[str, int]]:
    """The sizes and limits of all that could grow; none is over its limit."""
    histories: dict[str, dict[str, int]] = report(api)["bounded"]
    for name, history in histories.items():
        assert set(history) == {"size", "limit"}, name
        assert 0 <= history["size"] <= history["limit"], name
    return histories


def leaked(api: Api) -> int:
    """Bytes."""
    return bounded(api)["leakedBytes"]["size"]


@pytest.fixture
def tidy(api: Api) -> Iterator[Api]:
    """The shared server with nothing leaked, before and after."""
    api.ask("POST", "/tasks/memory/clear").expect(200)
    yield api
    api.ask("POST", "/tasks/memory/clear").expect(200)


# The report


def test_the_report_tells_of_process_collector_and_bounds(api: Api, user: Api) -> None:
    for reader in (api, user):
        told = report(reader)
        assert set(told) == {"process", "collector", "bounded"}
        assert type(told["process"]["residentBytes"]) is int
        assert MIB < told["process"]["residentBytes"] <= told["process"]["virtualBytes"]
        assert type(told["collector"]["enabled"]) is bool
        counts = told["collector"]["counts"]
        assert isinstance(counts, list)
        assert all(type(count) is int for count in counts)
        assert isinstance(told["collector"]["stats"], list)
        assert set(bounded(reader)) >= {"requests", "events", "cache", "leakedBytes"}


def test_head_asks_for_the_report_too(api: Api) -> None:
    api.ask("HEAD", REPORT).expect(200)


def test_histories_grow_to_their_limits_and_no_further(api: Api) -> None:
    limits = {name: history["limit"] for name, history in bounded(api).items()}
    task = api.create()
    for _ in range(2):
        requests = [("PATCH", f"/tasks/{task['id']}", {"priority": n % 2}) for n in range(600)]
        for answer in api.ask_all(requests):
            answer.expect(200)
    after = bounded(api)
    assert {name: history["limit"] for name, history in after.items()} == limits
    for name in ("requests", "events"):
        assert after[name]["size"] == min(limits[name], 1_200)


# Where memory was allocated


@pytest.mark.parametrize("top", ["0", "101", "-1", "1.5", "", "ten", "1e1", "5&top=5", "9" * 30])
def test_a_top_out_of_range_is_refused(api: Api, top: str) -> None:
    api.refused(api.ask("GET", f"{REPORT}?top={top}"), "VALIDATION_ERROR", "top")


@pytest.mark.parametrize("top", ["1", "100", "0"])
def test_top_is_for_admins(user: Api, top: str) -> None:
    user.refused(user.ask("GET", f"{REPORT}?top={top}"), "INSUFFICIENT_PERMISSIONS")


def test_the_first_call_starts_tracing_and_later_ones_report(launch: Launch) -> None:
    """On a server of one's own, for it is slower while it traces."""
    api, _ = launch()
    assert "tracing" not in report(api)
    first = report(api, "?top=5")
    assert (first["tracing"], first["top"]) == (True, [])
    api.create_all([{"description": "x" * 1_000}] * 50)
    for top in (1, 5, 100):
        later = report(api, f"?top={top}")
        assert later["tracing"] is True
        assert 1 <= len(later["top"]) <= top
        for site in later["top"]:
            assert set(site) == {"site", "bytes", "blocks"}
        sizes = [site["bytes"] for site in later["top"]]
        assert sizes == sorted(sizes, reverse=True)
        assert set(later) == {*first}


# The leak and the bound


def test_a_leak_grows_and_is_cleared(tidy: Api) -> None:
    for times in (1, 2, 3):
        tidy.ask("POST", "/tasks/memory/leak?count=10&sizeKb=1024").expect(201)
        assert leaked(tidy) == times * 10 * MIB
    tidy.ask("POST", "/tasks/memory/clear").expect(200)
    assert leaked(tidy) == 0


def test_what_is_kept_safely_has_a_bound(tidy: Api) -> None:
    limit = bounded(tidy)["cache"]["limit"]
    for _ in range(3):
        tidy.ask("POST", "/tasks/memory/safe?count=1000&sizeKb=16").expect(201)
        assert bounded(tidy)["cache"]["size"] == min(limit, 1_000)
    assert leaked(tidy) == 0
    tidy.ask("POST", "/tasks/memory/clear").expect(200)
    assert bounded(tidy)["cache"]["size"] == 0


def test_without_parameters_it_is_100_times_8_kib(tidy: Api) -> None:
    tidy.ask("POST", "/tasks/memory/leak").expect(201)
    assert leaked(tidy) == 100 * 8 * KIB
    tidy.ask("POST", "/tasks/memory/leak?count=1").expect(201)
    assert leaked(tidy) == 101 * 8 * KIB
    tidy.ask("POST", "/tasks/memory/leak?sizeKb=1&unknown=0").expect(201)
    assert leaked(tidy) == 101 * 8 * KIB + 100 * KIB
    tidy.ask("POST", "/tasks/memory/safe").expect(201)
    assert bounded(tidy)["cache"]["size"] == min(100, bounded(tidy)["cache"]["limit"])


def test_the_bounds_themselves_are_allowed(tidy: Api) -> None:
    tidy.ask("POST", "/tasks/memory/leak?count=1000&sizeKb=1").expect(201)
    tidy.ask("POST", "/tasks/memory/leak?count=1&sizeKb=1024").expect(201)
    assert leaked(tidy) == 1_000 * KIB + MIB


@pytest.mark.parametrize("path", ["/tasks/memory/leak", "/tasks/memory/safe"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("count", value) for value in ("0", "1001", "-1", "1.5", "", "many", "1&count=1")),
        *(("sizeKb", value) for value in ("0", "1025", "-1", "8.0", "", "1e3", "1&sizeKb=2")),
    ],
)
def test_what_is_out_of_bounds_is_refused(tidy: Api, path: str, field: str, value: str) -> None:
    tidy.refused(tidy.ask("POST", f"{path}?{field}={value}"), "VALIDATION_ERROR", field)
    histories = bounded(tidy)
    assert (histories["leakedBytes"]["size"], histories["cache"]["size"]) == (0, 0)


def test_a_leak_ends_at_256_mib(launch: Launch) -> None:
    """What would go beyond is refused whole; what fits exactly is not."""
    api, _ = launch()
    api.ask("POST", "/tasks/memory/leak?count=255&sizeKb=1024").expect(201)
    answer = api.ask("POST", "/tasks/memory/leak?count=2&sizeKb=1024")
    api.refused(answer, "VALIDATION_ERROR")
    assert leaked(api) == 255 * MIB
    api.ask("POST", "/tasks/memory/leak?count=1&sizeKb=1024").expect(201)
    api.refused(api.ask("POST", "/tasks/memory/leak?count=1&sizeKb=1"), "VALIDATION_ERROR")
    assert leaked(api) == 256 * MIB
    assert report(api)["process"]["residentBytes"] > 256 * MIB
    api.ask("POST", "/tasks/memory/clear").expect(200)
    api.ask("POST", "/tasks/memory/leak?count=1&sizeKb=1").expect(201)
    assert leaked(api) == KIB


@pytest.mark.parametrize("name", ["leak", "safe", "clear"])
def test_only_an_admin_may_fill_memory(api: Api, user: Api, name: str) -> None:
    path = f"/tasks/memory/{name}"
    user.refused(user.ask("POST", path), "INSUFFICIENT_PERMISSIONS")
    api.refused(api.ask("POST", path, "Origin: null"), "FORBIDDEN_ORIGIN")
    answer = api.ask("GET", path)
    api.refused(answer, "METHOD_NOT_ALLOWED")
    assert answer.options("allow") == {"POST", "OPTIONS"}
