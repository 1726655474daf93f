"""The pool: whatever becomes of its processes, every job has an end, and no process stays."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from over_socket import until

from taskflow import jobs, worker_process, workers
from taskflow.background import in_background
from taskflow.clock import utc_now
from taskflow.errors import JobNotFound, QueueFull
from taskflow.jobs import Job, JobStatus
from taskflow.store import Store
from taskflow.tasks import Task
from taskflow.workers import WorkerPool

LONG = 100_000_000  # iterations, which nobody waits for


@pytest.fixture(autouse=True)
def _two_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "WORKERS", 2)


@pytest.fixture
def _one_worker(_two_workers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "WORKERS", 1)


def children() -> list[psutil.Process]:
    """Return the processes that we have started and that are not gone."""
    return psutil.Process().children()


@asynccontextmanager
async def running(job_seconds: float = workers.JOB_SECONDS) -> AsyncIterator[WorkerPool]:
    """Run a pool while the block runs; then every job must have ended, and every process."""
    pool = WorkerPool(job_seconds)
    async with in_background(pool.run()):
        await asyncio.sleep(0)
        yield pool
    assert children() == []
    assert [job.id for job in pool._records.values() if not job.done.is_set()] == []


def cpu(iterations: int = 10) -> Job:
    return Job("cpu", iterations)


async def computing(job: Job) -> psutil.Process:
    """Return the process that works on the only job, once it does."""
    await until(lambda: job.status is JobStatus.RUNNING and children())
    [child] = children()
    await until(lambda: child.cpu_times().user > 0.2)
    return child


async def ended(*jobs: Job) -> list[str | None]:
    """Wait until all have an end; return their errors."""
    for job in jobs:
        await job.done.wait()
        assert job.status in {JobStatus.COMPLETED, JobStatus.FAILED}
        assert job.started_at is None or job.started_at >= job.created_at
        assert job.finished_at is not None
        assert (job.output is None) == (job.error is not None)
    return [job.error for job in jobs]


def died(*errors: str | None) -> bool:
    """Return whether these jobs have failed because their workers did."""
    return all(error is not None and error.startswith("the worker died") for error in errors)


# Jobs and their records.


async def test_a_job_is_done_and_its_record_says_so() -> None:
    before = utc_now()
    async with running() as pool:
        job = pool.submit(cpu(7))
        waiting = json.loads(job.json)
        assert await ended(job) == [None]

    record = json.loads(pool.get(job.id).json)
    assert waiting == {
        "jobId": job.id,
        "status": "queued",
        "createdAt": job.created_at,
        "startedAt": None,
        "finishedAt": None,
        "output": None,
        "error": None,
    }
    assert before <= record["createdAt"] <= record["startedAt"] <= record["finishedAt"]
    assert (record["status"], record["error"]) == ("completed", None)
    assert record["output"]["result"] == 14


async def test_a_report_is_that_of_the_tasks_when_it_begins() -> None:
    store = Store()
    first = store.create({"title": "first", "priority": 9})
    async with running() as pool:
        job = pool.submit(Job("report", 5, store.snapshot))
        store.create({"title": "ä\n\u2028 second", "dependencies": (first.id,)})
        assert await ended(job) == [None]

    expected = worker_process.report([task.json for task in store.snapshot()], 5)
    for changing in "generatedAt", "durationMs":
        assert job.output.pop(changing)
        assert expected.pop(changing)
    assert job.output == expected
    assert job.output["summary"]["totalTasks"] == 2


async def test_a_job_that_fails_costs_no_process() -> None:
    async with running() as pool:
        bad, good = Job("cpu", "many"), cpu()  # type: ignore[arg-type]
        assert await ended(pool.submit(bad)) == [
            "TypeError: 'str' object cannot be interpreted as an integer"
        ]
        [child] = children()
        assert await ended(pool.submit(good)) == [None]
        assert child in children()
        assert pool.stats()["restarts"] == 0


async def test_as_many_jobs_run_at_once_as_there_are_workers() -> None:
    async with running() as pool:
        first, second, third = [pool.submit(cpu(LONG)) for _ in range(3)]
        await until(lambda: len(children()) == 2)
        assert [job.status for job in (first, second, third)] == ["running", "running", "queued"]
        assert pool.stats() == {
            "workers": 2,
            "running": 2,
            "queued": 1,
            "queueLimit": 1_000,
            "records": 3,
            "recordLimit": 2_000,
            "restarts": 0,
        }
    assert [job.error for job in (first, second, third)] == ["the server stopped"] * 3


async def test_no_process_is_started_before_there_is_a_job() -> None:
    async with running():
        await asyncio.sleep(0)
        assert children() == []


def test_an_unknown_job_is_not_found() -> None:
    with pytest.raises(JobNotFound) as caught:
        WorkerPool().get("x" * 10_000)
    assert len(str(caught.value)) < 200


# Bounds.


async def test_a_full_queue_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "MAX_QUEUED", 3)
    pool = WorkerPool()
    for _ in range(3):
        pool.submit(cpu())
    refused = cpu()
    with pytest.raises(QueueFull) as caught:
        pool.submit(refused)

    assert (caught.value.status, dict(caught.value.headers)) == (503, {"Retry-After": "1"})
    with pytest.raises(JobNotFound):
        pool.get(refused.id)
    assert (pool.stats()["queued"], pool.stats()["records"]) == (3, 3)


async def test_1000_queued_jobs_all_end() -> None:
    async with running() as pool:
        submitted = [pool.submit(cpu(number)) for number in range(1_000)]
        with pytest.raises(QueueFull):
            pool.submit(cpu())
        assert await ended(*submitted) == [None] * 1_000
        assert len(children()) == 2

    for number, job in enumerate(submitted):
        assert job.output["result"] == worker_process.cpu_sum(number)["result"]


async def test_records_are_bounded_and_the_oldest_finished_one_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "MAX_RECORDS", 5)
    async with running() as pool:
        long = pool.submit(cpu(LONG))
        short = []
        for _ in range(20):
            short.append(pool.submit(cpu()))
            await ended(short[-1])
            assert pool.stats()["records"] <= 5

        assert pool.get(long.id) is long
        assert [pool.get(job.id) for job in short[-4:]] == short[-4:]
        with pytest.raises(JobNotFound):
            pool.get(short[-5].id)


async def test_tasks_are_handed_over_in_slices_and_others_have_their_turn() -> None:
    store = Store()
    for number in range(20_000):
        store.create({"title": f"{number}"})
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with running() as pool:
        await ended(pool.submit(cpu()))
        async with in_background(count_turns()):
            job = pool.submit(Job("report", 1, store.snapshot))
            assert await ended(job) == [None]

    assert job.output["summary"]["totalTasks"] == 20_000
    assert turns >= 20_000 / jobs.SLICE


# Clients that leave.


@pytest.mark.usefixtures("_one_worker")
async def test_a_job_that_is_withdrawn_leaves_the_queue_and_the_others_keep_their_order() -> None:
    async with running() as pool:
        long = pool.submit(cpu(LONG))
        await computing(long)
        first, withdrawn, last = [pool.submit(cpu()) for _ in range(3)]

        pool.withdraw(withdrawn)

        assert await ended(withdrawn) == ["its client left"]
        assert (pool.stats()["running"], pool.stats()["queued"]) == (1, 2)
        pool.withdraw(long)
        assert await ended(first, last) == [None, None]
        assert first.finished_at is not None
        assert last.started_at is not None
        assert first.finished_at <= last.started_at


@pytest.mark.usefixtures("_one_worker")
async def test_a_job_that_is_withdrawn_while_it_runs_gives_its_worker_to_the_next() -> None:
    async with running() as pool:
        long, following = pool.submit(cpu(LONG)), pool.submit(cpu())
        child = await computing(long)

        pool.withdraw(long)

        assert await ended(long) == ["its client left"]
        assert await ended(following) == [None]
        assert child not in children()


@pytest.mark.usefixtures("_one_worker")
@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 10, 30, 100])
async def test_a_job_can_be_withdrawn_at_any_moment(turns: int) -> None:
    async with running() as pool:
        long, following = pool.submit(cpu(LONG)), pool.submit(cpu())
        for _ in range(turns):
            await asyncio.sleep(0)

        pool.withdraw(long)
        pool.withdraw(long)

        assert await ended(long) == ["its client left"]
        assert await ended(following) == [None]
        pool.withdraw(long)


async def test_a_job_that_has_finished_cannot_be_withdrawn() -> None:
    async with running() as pool:
        job = pool.submit(cpu(7))
        await ended(job)
        before = job.json

        pool.withdraw(job)

        assert job.json == before
        assert pool.stats()["restarts"] == 0


# What goes wrong.


@pytest.mark.usefixtures("_one_worker")
async def test_a_job_over_its_deadline_is_ended_and_the_next_one_runs() -> None:
    async with running(job_seconds=1.0) as pool:
        late = pool.submit(cpu(LONG))
        await until(children)
        [child] = children()

        assert await ended(late) == ["the job took more than 1 seconds"]
        assert child not in children()
        assert pool.stats()["restarts"] == 1

        pool._job_seconds = 60.0  # however slow this machine is
        assert await ended(pool.submit(cpu())) == [None]


@pytest.mark.usefixtures("_one_worker")
async def test_a_busy_worker_that_is_killed_fails_its_job_and_no_other() -> None:
    async with running() as pool:
        hit, following, last = [pool.submit(job) for job in (cpu(LONG), cpu(), cpu())]
        child = await computing(hit)

        child.kill()

        assert died(*await ended(hit))
        assert await ended(following, last) == [None, None]
        assert child not in children()
        assert pool.stats()["restarts"] == 1
        assert len(children()) == 1


@pytest.mark.usefixtures("_one_worker")
async def test_a_worker_that_is_killed_between_jobs_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[asyncio.subprocess.Process] = []
    start = workers._start

    async def remembered() -> asyncio.subprocess.Process:
        started.append(await start())
        return started[-1]

    monkeypatch.setattr(workers, "_start", remembered)
    async with running() as pool:
        await ended(pool.submit(cpu()))
        started[0].kill()
        await until(lambda: started[0].returncode is not None)  # it is known

        assert await ended(pool.submit(cpu())) == [None]


PROGRAMS = {
    "ends at once": "pass",
    "fails at once": "raise SystemExit(3)",
    "reads and ends": "import sys; sys.stdin.readline()",
    "says half a line": "print('{', end='', flush=True)",
    "says no JSON": "print('garbage', flush=True); input(); input()",
    "says no object": "print('[]', flush=True); input(); input()",
    "says too much": "print('x' * 2_000_000, flush=True)",
    "closes its input": "import os, sys; os.close(0); print('', flush=True)",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.usefixtures("_one_worker")
async def test_a_worker_that_does_not_work_fails_its_job_and_is_started_once_for_each(
    monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    started: list[str] = []

    async def start() -> asyncio.subprocess.Process:
        started.append(program)
        pipe, limit = asyncio.subprocess.PIPE, workers.MAX_REPLY
        command = sys.executable, "-S", "-c", program
        return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=limit)

    async with running() as pool:
        with monkeypatch.context() as patched:
            patched.setattr(workers, "_start", start)
            failing = [pool.submit(Job("report", 1, many)) for _ in range(3)]
            assert died(*await ended(*failing))
            assert len(started) == pool.stats()["restarts"] == 3

        assert await ended(pool.submit(cpu())) == [None]


def many() -> list[Task]:
    """Return more tasks than a pipe holds."""
    store = Store()
    return [store.create({"title": "x" * 200}) for _ in range(1_000)]


async def test_a_worker_that_cannot_be_started_fails_its_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running() as pool:
        with monkeypatch.context() as patched:
            patched.setattr(sys, "executable", "/nowhere/python")
            assert died(*await ended(pool.submit(cpu()), pool.submit(cpu())))
        assert await ended(pool.submit(cpu())) == [None]


# The end.


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 10, 30, 100])
async def test_a_stop_at_any_moment_leaves_no_process_and_no_job_without_an_end(
    turns: int,
) -> None:
    async with running() as pool:
        submitted = [pool.submit(Job("report", LONG, many)) for _ in range(5)]
        for _ in range(turns):
            await asyncio.sleep(0)

    assert await ended(*submitted) == ["the server stopped"] * 5


async def test_a_stop_does_not_wait_for_what_is_computed() -> None:
    async with running() as pool:
        submitted = [pool.submit(cpu(LONG)) for _ in range(10)]
        await until(lambda: len(children()) == 2)
        await until(lambda: all(child.cpu_times().user > 0.2 for child in children()))

    assert await ended(*submitted) == ["the server stopped"] * 10


# Where a child comes from.


@pytest.fixture
def _secrets() -> Iterator[None]:
    """Set tokens as the server has them."""
    with pytest.MonkeyPatch.context() as patched:
        for name in "TASKFLOW_ADMIN_TOKEN", "TASKFLOW_USER_TOKEN", "TASKFLOW_X":
            patched.setenv(name, "a secret")
        patched.setenv("KEPT", "no secret")
        yield


@pytest.mark.usefixtures("_secrets", "_one_worker")
async def test_a_child_inherits_no_tokens() -> None:
    async with running() as pool:
        await ended(pool.submit(cpu()))
        [child] = children()
        environment = child.environ()

    assert environment["KEPT"] == "no secret"
    assert [name for name in environment if name.startswith("TASKFLOW")] == []
    assert "a secret" not in environment.values()


async def test_a_child_finds_its_program_wherever_the_server_was_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    async with running() as pool:
        assert await ended(pool.submit(cpu())) == [None]


async def test_a_child_does_not_take_its_program_from_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "taskflow").mkdir()
    for name in "taskflow/__init__.py", "taskflow/worker_process.py", "json.py":
        (tmp_path / name).write_text("raise SystemExit('the wrong program')")
    monkeypatch.chdir(tmp_path)
    async with running() as pool:
        assert await ended(pool.submit(cpu())) == [None]


async def test_a_child_is_another_process() -> None:
    async with running() as pool:
        await ended(pool.submit(cpu()))
        assert os.getpid() not in {child.pid for child in children()}
