"""The metrics: right to the last one, under names as Prometheus wants them, and few of them."""

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import SETTINGS, TOKENS, Client, code_of, new_client
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families as parsed

from taskflow import logs
from taskflow.database import Database
from taskflow.events import Events
from taskflow.histogram import Histogram
from taskflow.hub import Hub
from taskflow.jobs import Job
from taskflow.logs import LogWriter
from taskflow.metrics import REQUEST_SECONDS, Metrics
from taskflow.parser import METHODS
from taskflow.store import Store
from taskflow.tasks import Change
from taskflow.workers import WorkerPool

Samples = dict[tuple[str, ...], float]


def samples(text: str) -> Samples:
    """Return the values by name and labels, the labels as they follow each other."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parsed(text)
        for sample in family.samples
    }


async def scraped(client: Client) -> Samples:
    """Return what a scrape brings."""
    response = await client.ask("GET", "/metrics")
    assert response.status == 200
    assert isinstance(response.body, bytes)
    return samples(response.body.decode())


def named(found: Samples, name: str) -> Samples:
    """Return the samples of one name, by their labels."""
    return {tuple(labels): value for (own, *labels), value in found.items() if own == name}


def new_metrics() -> Metrics:
    """Return the metrics of parts that have nothing to do."""
    return Metrics(LogWriter(BytesIO()), Store(), WorkerPool(), Hub(Events()))


# Requests.


async def test_requests_are_counted_by_method_route_and_status(client: Client) -> None:
    first, second = await client.created(), await client.created()
    for task in first, second, first:
        await client.ask("GET", f"/tasks/{task['id']}")
    await client.ask("HEAD", f"/tasks/{first['id']}")
    await client.ask("GET", "/tasks/nobody")
    await client.ask("PUT", "/health")
    for path in "/a", "/b", "/b?c":
        await client.ask("GET", path)
    await Client(client.app, token="").ask("GET", "/tasks")
    await client.ask("BREW", "/tasks")

    assert named(await scraped(client), "taskflow_http_requests_total") == {
        ("POST", "/tasks", "201"): 2,
        ("GET", "/tasks/{id}", "200"): 3,
        ("HEAD", "/tasks/{id}", "200"): 1,
        ("GET", "/tasks/{id}", "404"): 1,
        ("PUT", "/health", "405"): 1,
        ("GET", "none", "404"): 3,
        ("GET", "none", "401"): 1,
        ("none", "none", "501"): 1,
    }


async def test_a_scrape_is_counted_in_the_next(client: Client) -> None:
    await scraped(client)
    own = ("taskflow_http_requests_total", "GET", "/metrics", "200")
    assert (await scraped(client))[own] == 1


async def test_durations_and_bytes_are_told_by_route(client: Client) -> None:
    assert [await client.shown("/tasks") for _ in range(3)] == [[], [], []]
    response = await client.ask("GET", "/tasks?limit=x")
    assert (response.status, code_of(response)) == (422, "VALIDATION_ERROR")
    assert isinstance(response.body, bytes)

    found = await scraped(client)
    name = "taskflow_http_request_duration_seconds"
    all_buckets = named(found, f"{name}_bucket")
    buckets = [value for labels, value in all_buckets.items() if "/tasks" in labels]
    assert buckets == sorted(buckets)
    assert buckets[-1] == found[f"{name}_count", "/tasks"] == 4
    assert len(buckets) == len(REQUEST_SECONDS) + 1
    assert 0 < found[f"{name}_sum", "/tasks"] < 20
    sent = found["taskflow_http_response_body_bytes_total", "/tasks"]
    assert sent == 3 * len("[]") + len(response.body)


async def test_whatever_is_asked_labels_stay_few(client: Client) -> None:
    for number in range(50):
        await client.ask("GET", f"/tasks/{number}")
        await client.ask("GET", f"/{number}")
        await client.ask(f"METHOD{number}", "/tasks")
        for method in METHODS:
            await client.ask(method, f"/{number}/x")

    found = named(await scraped(client), "taskflow_http_requests_total")
    assert {route for _, route, _ in found} == {"/tasks/{id}", "none"}
    assert {method for method, _, _ in found} == {*METHODS, "none"}


async def test_connections_are_those_of_the_server() -> None:
    metrics = new_metrics()
    metrics.connections = {1, 2, 3}
    assert samples(generate_latest(metrics).decode())["taskflow_http_connections",] == 3


async def test_dropped_lines_of_the_log_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_WAITING", 9)
    log = LogWriter(BytesIO())
    metrics = Metrics(log, Store(), WorkerPool(), Hub(Events()))
    for _ in range(5):
        log.write("a line\n")

    name = "taskflow_access_log_dropped_lines_total"
    assert samples(generate_latest(metrics).decode())[name,] == 4
    with log.running():
        pass  # the log itself reports them
    assert samples(generate_latest(metrics).decode())[name,] == 4


# Histograms.


@given(st.lists(st.floats(0, 10)))
def test_a_bucket_holds_all_that_is_not_over_its_bound(values: list[float]) -> None:
    bounds = (0.5, 1.0, 5.0)
    histogram = Histogram(bounds)
    for value in [*values, *bounds]:  # the bounds themselves, which belong below
        histogram.observe(value)

    expected = [sum(value <= bound for value in [*values, *bounds]) for bound in bounds]
    assert histogram.buckets == [
        *zip(map(str, bounds), expected, strict=True),
        ("+Inf", len(values) + 3),
    ]
    assert histogram.count == len(values) + 3
    assert histogram.sum == pytest.approx(sum(values) + 6.5)


# Tasks.


def tasks_in(found: Samples) -> tuple[float, ...]:
    """Return how many are pending, in progress and completed, and how many are ready."""
    by_status = named(found, "taskflow_tasks")
    kinds = ("pending", "in-progress", "completed")
    return *(by_status[(kind,)] for kind in kinds), found[("taskflow_ready_tasks",)]


async def test_tasks_are_counted_as_they_change(client: Client) -> None:
    assert tasks_in(await scraped(client)) == (0, 0, 0, 0)
    first = await client.created()
    blocked = await client.created(dependencies=[first["id"]])
    await client.created(status="completed")
    assert tasks_in(await scraped(client)) == (2, 0, 1, 1)
    await client.ask("POST", "/tasks/claim")
    assert tasks_in(await scraped(client)) == (1, 1, 1, 0)
    await client.ask("PATCH", f"/tasks/{blocked['id']}", {"priority": 7})
    assert tasks_in(await scraped(client)) == (1, 1, 1, 0)
    await client.ask("DELETE", f"/tasks/{first['id']}")
    assert tasks_in(await scraped(client)) == (1, 0, 1, 1)


# The journal.


async def test_commits_are_timed_and_their_changes_counted(tmp_path: Path) -> None:
    settings = replace(SETTINGS, data=str(tmp_path / "tasks.db"))
    async with new_client(settings) as client:
        first = await client.created()
        await client.created(dependencies=[first["id"]])
        await client.ask("DELETE", f"/tasks/{first['id']}")  # changes the other one too
        found = await scraped(client)
    assert found["taskflow_journal_commit_duration_seconds_count",] == 3
    assert found["taskflow_journal_commit_duration_seconds_sum",] > 0
    assert found["taskflow_journal_commit_changes_count",] == 3
    assert found["taskflow_journal_commit_changes_sum",] == 4
    assert found["taskflow_journal_commit_changes_bucket", "1.0"] == 2
    assert found["taskflow_journal_failures_total",] == 0

    async with new_client(settings) as client:
        assert tasks_in(await scraped(client)) == (1, 0, 0, 1)


async def test_a_commit_that_fails_is_counted_and_its_tasks_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(database: Database, changes: Sequence[Change]) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    async with new_client(replace(SETTINGS, data=str(tmp_path / "tasks.db"))) as client:
        await client.created()
        monkeypatch.setattr(Database, "write", full)
        assert (await client.ask("POST", "/tasks", {"title": "x"})).status == 503
        found = await scraped(client)
    assert found["taskflow_journal_failures_total",] == 1
    assert found["taskflow_journal_commit_changes_count",] == 1
    assert tasks_in(found) == (1, 0, 0, 1)


# Workers, WebSockets and the process.


async def test_jobs_and_clients_are_counted() -> None:
    pool, hub = WorkerPool(), Hub(Events())
    pool.submit(Job("cpu", 1))
    metrics = Metrics(LogWriter(BytesIO()), Store(), pool, hub)
    found = samples(generate_latest(metrics).decode())
    assert found["taskflow_jobs_queued",] == 1
    assert found["taskflow_workers_busy",] == 0
    assert found["taskflow_workers",] == pool.stats()["workers"]
    for name in "worker_restarts", "websocket_delivered_messages", "websocket_dropped_messages":
        assert found[f"taskflow_{name}_total",] == 0
    assert found["taskflow_websocket_clients",] == 0


async def test_the_process_is_told_of_under_the_usual_names(client: Client) -> None:
    first, second = await scraped(client), await scraped(client)
    assert first["process_resident_memory_bytes",] > 1_000_000
    assert first["process_virtual_memory_bytes",] >= first["process_resident_memory_bytes",]
    assert second["process_cpu_seconds_total",] >= first["process_cpu_seconds_total",] > 0
    assert first["process_start_time_seconds",] == second["process_start_time_seconds",]
    [build] = named(first, "taskflow_build_info")
    assert "1.0.0" in build


# Their form.


async def test_names_are_as_prometheus_wants_them(client: Client) -> None:
    """By https://prometheus.io/docs/practices/naming/ and what `promtool check metrics` asks."""
    await client.created()
    response = await client.ask("GET", "/metrics")
    assert isinstance(response.body, bytes)
    text = response.body.decode()
    assert text.endswith("\n")
    families = list(parsed(text))
    names = [family.name for family in families]
    assert len(set(names)) == len(names) > 20
    for family in families:
        told = f"{family.name}_total" if family.type == "counter" else family.name
        assert re.fullmatch(r"(taskflow|process)(_[a-z0-9]+)+", told)
        assert re.fullmatch(r"[A-Z].*\.", family.documentation)
        assert family.type in {"counter", "gauge", "histogram"}
        assert f"# TYPE {told} {family.type}\n" in text
        assert not re.search(r"_(count|sum|bucket|counter|gauge|histogram)$", family.name)
        assert not re.search(r"(milli|micro|kilo|mega|minutes|percent)", family.name)
        for sample in family.samples:
            assert all(re.fullmatch("[a-z]+", label) for label in sample.labels)
            assert sample.value >= 0


async def test_a_user_may_scrape_and_nobody_else(client: Client) -> None:
    user, anonymous = Client(client.app, TOKENS.user), Client(client.app, token="")
    response = await user.ask("GET", "/metrics")
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert (await anonymous.ask("GET", "/metrics")).status == 401
    assert (await user.ask("POST", "/metrics")).status == 403
    assert (await client.ask("POST", "/metrics")).status == 405
