"""Step 8: the same work on the event loop and in a worker, and jobs that are asked for later."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

from .answer import Answer
from .api import TIME, Api

UNKNOWN = str(uuid.UUID(int=0))
CPU = "/demo/cpu"
ON_LOOP = [f"{CPU}/blocking", "/tasks/reports/blocking"]
IN_WORKER = [f"{CPU}/worker/run", f"{CPU}/worker/start", "/tasks/reports/worker-run"]

PATIENCE = 10.0
"""Seconds for a job to end. Never waited out when all is well."""

Record = dict[str, Any]


def record_of(api: Api, path: str) -> Record:
    """A job's record, whatever its state."""
    value: Record = api.ask("GET", path).expect(200).json()
    fields = {"jobId", "status", "createdAt", "startedAt", "finishedAt", "output", "error"}
    assert set(value) == fields
    began, ended = value["startedAt"], value["finishedAt"]
    match value["status"]:
        case "queued":
            assert began is ended is value["output"] is value["error"] is None
        case "running":
            assert began is not None
            assert ended is value["output"] is value["error"] is None
        case "completed":
            assert value["output"] is not None
            assert value["error"] is None
        case "failed":
            assert value["output"] is None
            assert isinstance(value["error"], str)
        case unknown:
            raise AssertionError(f"no such status: {unknown}")
    times = [moment for moment in (value["createdAt"], began, ended) if moment is not None]
    assert all(TIME.fullmatch(moment) for moment in times)
    assert times == sorted(times)
    return value


def until(api: Api, path: str, *statuses: str) -> Record:
    """The record once it has one of these statuses."""
    deadline = time.monotonic() + PATIENCE
    while (record := record_of(api, path))["status"] not in statuses:
        assert time.monotonic() < deadline, f"expected {statuses} in time, received {record}"
    return record


def status_path(answer: Answer) -> str:
    """Where the started job is to be asked for."""
    accepted = answer.expect(202).json()
    assert set(accepted) == {"jobId", "statusPath"}
    assert accepted["statusPath"].endswith("/" + accepted["jobId"])
    return str(accepted["statusPath"])


def start(api: Api, iterations: int) -> str:
    """The path of a new job that computes."""
    path = status_path(api.ask("GET", f"{CPU}/worker/start?iterations={iterations}"))
    assert path.startswith(f"{CPU}/worker/jobs/")
    return path


def check_sum(value: Any) -> Any:
    """The result of an answer that has the right shape."""
    assert set(value) == {"result", "durationMs"}
    assert type(value["durationMs"]) in (int, float)
    assert value["durationMs"] >= 0
    return value["result"]


# The sum


def test_ping_answers(api: Api, user: Api) -> None:
    for asker in (api, user):
        assert asker.ask("GET", f"{CPU}/ping").expect(200).json()


@pytest.mark.parametrize("iterations", [1, 2, 7, 1_000, 100_003])
def test_the_sum_is_the_same_on_the_loop_and_in_a_worker(api: Api, iterations: int) -> None:
    query = f"?iterations={iterations}"
    on_loop = check_sum(api.ask("GET", f"{CPU}/blocking{query}").expect(200).json())
    in_worker = check_sum(api.ask("GET", f"{CPU}/worker/run{query}").expect(200).json())
    job = until(api, start(api, iterations), "completed", "failed")
    assert on_loop == in_worker == check_sum(job["output"])


def test_without_a_number_it_is_a_million(api: Api) -> None:
    default = check_sum(api.ask("GET", f"{CPU}/worker/run?unknown=1").expect(200).json())
    query = "?iterations=1000000"
    assert check_sum(api.ask("GET", f"{CPU}/worker/run{query}").expect(200).json()) == default
    assert check_sum(api.ask("GET", f"{CPU}/blocking").expect(200).json()) == default


@pytest.mark.parametrize("path", [*ON_LOOP, *IN_WORKER])
@pytest.mark.parametrize(
    "iterations",
    ["0", "100000001", "-1", "1.5", "1e3", "0x10", "", "many", "1&iterations=1", "9" * 40],
)
def test_iterations_out_of_range_are_refused(api: Api, path: str, iterations: str) -> None:
    answer = api.ask("GET", f"{path}?iterations={iterations}")
    api.refused(answer, "VALIDATION_ERROR", "iterations")


@pytest.mark.parametrize("path", ON_LOOP)
def test_on_the_loop_there_are_at_most_5_000_000(api: Api, path: str) -> None:
    """For everybody waits meanwhile."""
    for iterations in (5_000_001, 100_000_000):
        answer = api.ask("GET", f"{path}?iterations={iterations}")
        api.refused(answer, "VALIDATION_ERROR", "iterations")


def test_5_000_000_on_the_loop_are_allowed(api: Api) -> None:
    api.ask("GET", f"{CPU}/blocking?iterations=5000000").expect(200)


def test_others_are_served_while_a_job_computes(api: Api) -> None:
    """On the event loop they would wait about as long as the job takes."""
    worker = api.connect()
    begun = time.monotonic()
    worker.send(api.request("GET", f"{CPU}/worker/run?iterations=6000000"))
    slowest = 0.0
    while worker.silent(0.01):
        asked = time.monotonic()
        api.ask("GET", "/health").expect(200)
        slowest = max(slowest, time.monotonic() - asked)
    worker.answer().expect(200)
    took = time.monotonic() - begun
    assert slowest < max(0.2, took / 2), f"{slowest:.3f} s for /health, {took:.3f} s for the job"


# Jobs


def test_a_job_is_asked_for_where_its_start_said(api: Api, user: Api) -> None:
    """A user may read all of it, and every answer is a whole record."""
    for asker in (api, user):
        job = until(asker, start(asker, 200_000), "completed")
        check_sum(job["output"])


def test_jobs_have_different_ids_and_all_end(api: Api) -> None:
    paths = [start(api, 1_000 + number) for number in range(20)]
    assert len(set(paths)) == 20
    results = [check_sum(until(api, path, "completed")["output"]) for path in paths]
    assert results == sorted(results)  # of more iterations, more


@pytest.mark.parametrize("path", [f"{CPU}/worker/jobs", "/tasks/reports"])
@pytest.mark.parametrize("job_id", [UNKNOWN, "nonsense", "..", "%2e%2e", "x" * 1_000])
def test_an_unknown_job_is_not_found(api: Api, path: str, job_id: str) -> None:
    api.refused(api.ask("GET", f"{path}/{job_id}"), "JOB_NOT_FOUND")


@pytest.mark.parametrize("path", [f"{CPU}/worker/stats", "/tasks/reports/stats"])
def test_the_workers_tell_how_busy_they_are(api: Api, user: Api, path: str) -> None:
    for asker in (api, user):
        stats = asker.ask("GET", path).expect(200).json()
        assert stats
        assert all(type(number) in (int, float) for number in stats.values())
    api.ask("HEAD", path).expect(200)


@pytest.mark.parametrize("name", ["ping", "blocking", "worker/run", "worker/start", "worker/stats"])
def test_the_demos_are_read_and_not_written(api: Api, name: str) -> None:
    answer = api.ask("POST", f"{CPU}/{name}")
    api.refused(answer, "METHOD_NOT_ALLOWED")
    assert answer.options("allow") == {"GET", "HEAD", "OPTIONS"}
