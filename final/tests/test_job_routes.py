"""The endpoints of the pool: the same work on the loop and in a worker, and reports."""

import asyncio
import json
from typing import Any

import pytest
from in_process import TOKENS, Client, Whole, code_of, details_of

from taskflow import worker_process, workers
from taskflow.errors import JobNotFound

UNKNOWN = "a00f3a1e-1111-4111-8111-111111111111"


@pytest.fixture(autouse=True)
def _one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "WORKERS", 1)


async def finished(client: Client, path: str) -> Any:
    """Return the record of a job that has ended; ask until it has."""
    return await reaching(client, path, "completed", "failed")


async def reaching(client: Client, path: str, *statuses: str) -> Any:
    """Return the record of a job that has one of these statuses; ask until it has."""
    while (record := await client.shown(path))["status"] not in statuses:  # noqa: ASYNC110  as
        await asyncio.sleep(0)  # clients do, who have no event to wait for either
    return record


def accepted(response: Whole) -> str:
    """Return where the answer says that the result will be."""
    assert response.status == 202, response.body
    answer = json.loads(response.body)
    assert answer.keys() == {"jobId", "statusPath"}
    assert response.headers["Location"] == answer["statusPath"]
    assert answer["statusPath"].endswith("/" + answer["jobId"])
    return str(answer["statusPath"])


# The CPU demo.


async def test_ping_is_answered(client: Client) -> None:
    assert await client.shown("/demo/cpu/ping") == {"message": "pong"}


@pytest.mark.parametrize("path", ["/demo/cpu/blocking", "/demo/cpu/worker/run"])
async def test_the_sum_is_the_same_on_the_loop_and_in_a_worker(client: Client, path: str) -> None:
    answer = await client.shown(f"{path}?iterations=10000")
    assert answer.keys() == {"result", "durationMs"}
    assert answer["result"] == worker_process.cpu_sum(10_000)["result"]
    usual = await client.shown(path)
    assert usual["result"] == worker_process.cpu_sum(1_000_000)["result"]


async def test_work_is_begun_and_asked_for_later(client: Client) -> None:
    response = await client.ask("GET", "/demo/cpu/worker/start?iterations=1000")
    path = accepted(response)
    assert path.startswith("/demo/cpu/worker/jobs/")

    record = await finished(client, path)

    assert record.keys() == {
        "jobId",
        "status",
        "createdAt",
        "startedAt",
        "finishedAt",
        "output",
        "error",
    }
    assert (record["status"], record["error"]) == ("completed", None)
    assert record["output"]["result"] == worker_process.cpu_sum(1_000)["result"]
    assert record["createdAt"] <= record["startedAt"] <= record["finishedAt"]


async def test_others_are_answered_while_a_worker_computes(client: Client) -> None:
    path = accepted(await client.ask("GET", "/demo/cpu/worker/start?iterations=100000000"))
    await reaching(client, path, "running")

    assert await client.shown("/demo/cpu/ping") == {"message": "pong"}
    stats = await client.shown("/demo/cpu/worker/stats")
    assert (stats["running"], stats["queued"], stats["records"]) == (1, 0, 1)
    assert await client.shown("/tasks/reports/stats") == stats
    assert (await client.shown(path))["status"] == "running"


# Reports.


async def some_tasks(client: Client) -> None:
    """Make a task for every line of the report below."""
    first = await client.created(title="first", priority=8)
    await client.created(title="second", priority=7, dependencies=[first["id"]])
    await client.created(title="third", priority=3, status="completed")


EXPECTED = {
    "summary": {
        "totalTasks": 3,
        "blockedTasks": 1,
        "unblockedTasks": 2,
        "totalDependencies": 1,
    },
    "byStatus": {"pending": 2, "in-progress": 0, "completed": 1},
    "byPriority": {"high": 1, "medium": 1, "low": 1},
}


def check_report(output: Any, score: int) -> None:
    assert {name: output[name] for name in EXPECTED} == EXPECTED
    assert output["syntheticCpuScore"] == score
    assert output.keys() == {*EXPECTED, "syntheticCpuScore", "generatedAt", "durationMs"}


async def test_a_report_is_begun_and_asked_for_later(client: Client) -> None:
    await some_tasks(client)
    path = accepted(await client.ask("POST", "/tasks/reports/start"))
    assert path.startswith("/tasks/reports/")
    record = await finished(client, path)
    assert record["status"] == "completed"
    check_report(record["output"], score=0)

    heavy = accepted(await client.ask("POST", "/tasks/reports/start?heavyIterations=7"))
    check_report((await finished(client, heavy))["output"], score=14)


@pytest.mark.parametrize("path", ["/tasks/reports/blocking", "/tasks/reports/worker-run"])
async def test_a_report_is_the_same_on_the_loop_and_in_a_worker(client: Client, path: str) -> None:
    await some_tasks(client)
    check_report(await client.shown(f"{path}?iterations=7"), score=14)


async def test_a_report_finds_what_is_blocked_in_any_order_of_creation(client: Client) -> None:
    """A task may depend on one that was created after it, completed or not."""
    first = await client.created(title="first")
    second = await client.created(title="second")
    third = await client.created(title="third", status="completed")
    for waiting, prerequisite in (first, third), (second, first):
        change = {"dependencies": [prerequisite["id"]]}
        assert (await client.ask("PATCH", f"/tasks/{waiting['id']}", change)).status == 200

    for path in "/tasks/reports/blocking", "/tasks/reports/worker-run":
        report = await client.shown(f"{path}?iterations=1")
        assert report["summary"]["blockedTasks"] == 1


# Clients that leave.


@pytest.mark.parametrize("path", ["/demo/cpu/worker/run", "/tasks/reports/worker-run"])
async def test_a_job_leaves_the_queue_with_the_only_client_that_waits_for_it(
    client: Client, path: str
) -> None:
    begun = accepted(await client.ask("GET", "/demo/cpu/worker/start?iterations=100000000"))
    await reaching(client, begun, "running")
    target = f"{path}?iterations=100000000"
    waiting = [asyncio.create_task(client.ask("GET", target)) for _ in range(30)]
    while (await client.shown("/tasks/reports/stats"))["queued"] < 30:  # noqa: ASYNC110
        await asyncio.sleep(0)

    for request in waiting:
        request.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert (await client.shown("/tasks/reports/stats"))["queued"] == 0
    assert (await client.shown(begun))["status"] == "running"


async def test_a_job_that_runs_ends_with_the_only_client_that_waits_for_it(client: Client) -> None:
    request = client.ask("GET", "/tasks/reports/worker-run?iterations=100000000")
    leaving = asyncio.create_task(request)
    while not (await client.shown("/tasks/reports/stats"))["running"]:  # noqa: ASYNC110
        await asyncio.sleep(0)

    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)

    report = await client.shown("/tasks/reports/worker-run?iterations=1")
    assert report["summary"]["totalTasks"] == 0
    assert (await client.shown("/tasks/reports/stats"))["restarts"] == 1


# What goes wrong.


@pytest.mark.parametrize(
    ("method", "target", "lowest", "highest"),
    [
        ("GET", "/demo/cpu/blocking?iterations=", 1, 5_000_000),
        ("GET", "/demo/cpu/worker/run?iterations=", 1, 100_000_000),
        ("GET", "/demo/cpu/worker/start?iterations=", 1, 100_000_000),
        ("GET", "/tasks/reports/blocking?iterations=", 1, 5_000_000),
        ("GET", "/tasks/reports/worker-run?iterations=", 1, 100_000_000),
        ("POST", "/tasks/reports/start?heavyIterations=", 0, 100_000_000),
    ],
)
async def test_how_much_there_is_to_compute_is_bounded(
    client: Client, method: str, target: str, lowest: int, highest: int
) -> None:
    for value in lowest - 1, highest + 1, "", "many", "1.5", f"1&{target.partition('?')[2]}1":
        response = await client.ask(method, f"{target}{value}")
        assert (response.status, code_of(response)) == (422, "VALIDATION_ERROR")
        assert details_of(response)["field"] in target
    assert (await client.shown("/tasks/reports/stats"))["records"] == 0
    assert (await client.ask(method, f"{target}{lowest}")).status in {200, 202}


@pytest.mark.parametrize("target", ["/demo/cpu/worker/start", "/demo/cpu/worker/run"])
async def test_a_full_queue_answers_503_and_when_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    path = accepted(await client.ask("GET", "/demo/cpu/worker/start?iterations=100000000"))
    await reaching(client, path, "running")
    for _ in range(workers.MAX_QUEUED):
        accepted(await client.ask("POST", "/tasks/reports/start"))

    for method, refused in ("GET", target), ("POST", "/tasks/reports/start"):
        response = await client.ask(method, refused)
        assert (response.status, code_of(response)) == (503, "SERVICE_UNAVAILABLE")
        assert response.headers["Retry-After"] == "1"
    assert (await client.shown("/tasks/reports/stats"))["queued"] == workers.MAX_QUEUED


async def test_a_job_that_fails_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    response = await client.ask("GET", "/demo/cpu/worker/run")
    assert (response.status, code_of(response)) == (503, "SERVICE_UNAVAILABLE")

    path = accepted(await client.ask("POST", "/tasks/reports/start"))
    record = await finished(client, path)
    assert (record["status"], record["output"]) == ("failed", None)
    assert record["error"].startswith("the worker died")


@pytest.mark.parametrize("path", ["/demo/cpu/worker/jobs", "/tasks/reports"])
async def test_an_unknown_job_is_not_found(client: Client, path: str) -> None:
    response = await client.ask("GET", f"{path}/{UNKNOWN}")
    assert (response.status, code_of(response)) == (404, JobNotFound.code)


async def test_users_look_and_admins_begin_reports(client: Client) -> None:
    user = Client(client.app, TOKENS.user)
    path = accepted(await client.ask("POST", "/tasks/reports/start"))
    assert (await user.ask("POST", "/tasks/reports/start")).status == 403
    assert (await finished(user, path))["status"] == "completed"
    assert (await user.ask("GET", "/demo/cpu/worker/run?iterations=1")).status == 200


async def test_paths_of_jobs_have_the_methods_of_the_contract(client: Client) -> None:
    for path, methods in {
        "/demo/cpu/ping": "GET, HEAD, OPTIONS",
        "/demo/cpu/blocking": "GET, HEAD, OPTIONS",
        "/demo/cpu/worker/run": "GET, HEAD, OPTIONS",
        "/demo/cpu/worker/start": "GET, HEAD, OPTIONS",
        "/demo/cpu/worker/stats": "GET, HEAD, OPTIONS",
        "/demo/cpu/worker/jobs/1": "GET, HEAD, OPTIONS",
        "/tasks/reports/start": "POST, OPTIONS",
        "/tasks/reports/stats": "GET, HEAD, OPTIONS",
        "/tasks/reports/blocking": "GET, HEAD, OPTIONS",
        "/tasks/reports/worker-run": "GET, HEAD, OPTIONS",
        "/tasks/reports/1": "GET, HEAD, OPTIONS",
    }.items():
        response = await client.ask("OPTIONS", path)
        assert (response.status, response.headers["Allow"]) == (204, methods)
