"""Step 8: a report over all tasks, made in a worker."""

from __future__ import annotations

from typing import Any

import pytest

from .api import TIME, Api
from .test_step08_cpu import status_path, until

REPORTS = "/tasks/reports"


def start_report(api: Api, query: str = "") -> str:
    """The path of a new report."""
    path = status_path(api.ask("POST", f"{REPORTS}/start{query}"))
    assert path.startswith(REPORTS + "/")
    return path


def report(api: Api, query: str = "") -> dict[str, Any]:
    """A finished report's output, in the right shape."""
    output = until(api, start_report(api, query), "completed", "failed")["output"]
    check_shape(output)
    return dict(output)


def check_shape(output: Any) -> None:
    assert set(output) == {
        "summary",
        "byStatus",
        "byPriority",
        "syntheticCpuScore",
        "generatedAt",
        "durationMs",
    }
    assert TIME.fullmatch(output["generatedAt"])
    for name in ("durationMs", "syntheticCpuScore"):
        assert type(output[name]) in (int, float)
        assert output[name] >= 0


def counts(output: dict[str, Any]) -> dict[str, Any]:
    """What a report says of the tasks, without what differs from one to the next."""
    return {name: output[name] for name in ("summary", "byStatus", "byPriority")}


# What it says


def test_a_report_of_nothing_has_all_its_zeros(empty: Api) -> None:
    assert counts(report(empty)) == {
        "summary": {
            "totalTasks": 0,
            "blockedTasks": 0,
            "unblockedTasks": 0,
            "totalDependencies": 0,
        },
        "byStatus": {"pending": 0, "in-progress": 0, "completed": 0},
        "byPriority": {"high": 0, "medium": 0, "low": 0},
    }


def test_a_report_counts_tasks_by_what_they_are(empty: Api) -> None:
    """A task is blocked while one that it depends on is not completed."""
    priorities = (8, 9, 1_000_000_000, 7, 4, 5, 3, 1, 0, -1)
    tasks = empty.create_all([{"priority": priority} for priority in priorities])
    ids = [task["id"] for task in tasks]
    empty.change(tasks[0], status="completed")
    empty.change(tasks[1], status="in-progress")
    empty.change(tasks[4], dependencies=[ids[0]])  # completed: not blocked
    empty.change(tasks[5], dependencies=[ids[0], ids[1]])  # one in progress: blocked
    empty.change(tasks[6], dependencies=[ids[5], ids[2], ids[0]])  # blocked
    empty.change(tasks[7], dependencies=[ids[6]])  # blocked
    expected = {
        "summary": {
            "totalTasks": 10,
            "blockedTasks": 3,
            "unblockedTasks": 7,
            "totalDependencies": 7,
        },
        "byStatus": {"pending": 8, "in-progress": 1, "completed": 1},
        "byPriority": {"high": 3, "medium": 3, "low": 4},
    }
    assert counts(report(empty)) == expected
    for path in ("blocking", "worker-run"):
        output = empty.ask("GET", f"{REPORTS}/{path}?iterations=10").expect(200).json()
        check_shape(output)
        assert counts(output) == expected


def test_a_report_is_of_the_tasks_as_they_are_now(empty: Api) -> None:
    """Unblocked, deleted, and more of them."""
    first = empty.create()
    second = empty.create(dependencies=[first["id"]])
    assert counts(report(empty))["summary"]["blockedTasks"] == 1
    empty.change(first, status="completed")
    assert counts(report(empty))["summary"]["blockedTasks"] == 0
    empty.change(first, status="pending")
    assert counts(report(empty))["summary"]["blockedTasks"] == 1
    empty.delete(first)
    summary = counts(report(empty))["summary"]
    assert summary == {
        "totalTasks": 1,
        "blockedTasks": 0,
        "unblockedTasks": 1,
        "totalDependencies": 0,
    }
    assert empty.read(second)["status"] == "pending"


def test_any_text_in_a_task_reaches_the_worker_whole(empty: Api) -> None:
    """Line ends and quotes do not break what is handed over; nor does size."""
    for text in ("a\nb", 'a"b', "\u2028\u0085", "\U0001f680", "}\n{", "\\n"):
        empty.create(title=f"a{text}b", description=text * 100)
    empty.create_all([{"description": "x" * 10_000}] * 100)
    assert report(empty)["summary"]["totalTasks"] == 106


def test_the_score_depends_on_the_iterations_alone(empty: Api) -> None:
    """Which are none without a number."""
    scores = [report(empty, query)["syntheticCpuScore"] for query in ("", "?heavyIterations=0")]
    assert scores[0] == scores[1]
    heavy = report(empty, "?heavyIterations=50000")["syntheticCpuScore"]
    empty.create()
    assert report(empty, "?heavyIterations=50000")["syntheticCpuScore"] == heavy != scores[0]


# Who, how much, where


@pytest.mark.parametrize(
    "heavy",
    ["-1", "100000001", "1.5", "1e3", "", "many", "1&heavyIterations=1", "9" * 40],
)
def test_heavy_iterations_out_of_range_are_refused(api: Api, heavy: str) -> None:
    answer = api.ask("POST", f"{REPORTS}/start?heavyIterations={heavy}")
    api.refused(answer, "VALIDATION_ERROR", "heavyIterations")


def test_a_user_reads_a_report_and_starts_none(empty: Api, user: Api) -> None:
    user.refused(user.ask("POST", f"{REPORTS}/start"), "INSUFFICIENT_PERMISSIONS")
    path = start_report(empty)
    check_shape(until(user, path, "completed")["output"])
    for name in ("stats", "blocking?iterations=1", "worker-run?iterations=1"):
        user.ask("GET", f"{REPORTS}/{name}").expect(200)


def test_a_page_of_another_origin_starts_no_report(api: Api) -> None:
    answer = api.ask("POST", f"{REPORTS}/start", "Origin: http://evil.example")
    api.refused(answer, "FORBIDDEN_ORIGIN")


@pytest.mark.parametrize("body", [b"{}", b"not JSON", b""])
def test_a_start_ignores_a_small_body(empty: Api, body: bytes) -> None:
    connection = empty.say(
        empty.request("POST", f"{REPORTS}/start", body=body) + empty.request("GET", "/health")
    )
    status_path(connection.answer("POST"))
    connection.answer().expect(200)


@pytest.mark.parametrize("name", ["stats", "blocking", "worker-run"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_literal_paths_are_not_taken_for_reports(api: Api, method: str, name: str) -> None:
    answer = api.ask(method, f"{REPORTS}/{name}")
    api.refused(answer, "METHOD_NOT_ALLOWED")
    assert answer.options("allow") == {"GET", "HEAD", "OPTIONS"}
