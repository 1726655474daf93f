"""A bounded pool of processes, for work that would hold the event loop.

    submit ─► queue, bounded ─► a task per worker ─► stdin of its child  ┐
                                                                         │ python -m taskflow.jobs
    record ◄─────────────────── a task per worker ◄─ stdout of its child ┘

A child has one job at a time, so it is known whose fault it is when a child dies; and a job that
takes too long can be ended, by killing its process, while a new one takes its place. What waits in
the queue is not touched by that. Children are started afresh, as programs of their own: what is
merely forked has the locks of threads that it has not got. To start one, uvloop forks first, which
holds everybody for 25 ms if there are 320,000 tasks; asyncio's own loop needs 2 ms for any number.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

from taskflow.codec import encode, utc_now
from taskflow.errors import JobNotFound, QueueFull
from taskflow.tasks import Task

WORKERS = max(1, (os.cpu_count() or 2) - 1)  # one core is for the event loop
MAX_QUEUED = 1_000  # jobs
MAX_RECORDS = 2_000  # jobs that can be asked for; then the oldest finished one is forgotten
JOB_SECONDS = 60.0
PACKAGE_ROOT = str(Path(__file__).resolve().parents[1])
SLICE = 500  # tasks that are handed over at once
MAX_ANSWER = 1024 * 1024  # bytes


class JobStatus(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(slots=True, eq=False)
class Job:
    """The record of a job, and where its input comes from."""

    kind: str
    iterations: int
    tasks: Callable[[], Sequence[Task]] = tuple  # the input, taken when the job begins
    id: str = field(default_factory=lambda: str(uuid4()))
    status: JobStatus = JobStatus.QUEUED
    created_at: str = field(default_factory=utc_now)
    started_at: str | None = None
    finished_at: str | None = None
    output: Any = None
    error: str | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def json(self) -> bytes:
        """The record as it is sent."""
        value = {
            "jobId": self.id,
            "status": self.status,
            "createdAt": self.created_at,
            "startedAt": self.started_at,
            "finishedAt": self.finished_at,
            "output": self.output,
            "error": self.error,
        }
        return encode(value)

    def finish(self, output: object, error: str | None) -> None:
        """Note how it ended."""
        self.status = JobStatus.COMPLETED if error is None else JobStatus.FAILED
        self.output, self.error = output, error
        self.finished_at = utc_now()
        self.done.set()


class WorkerPool:
    """Runs jobs in WORKERS processes, which are started when they are first needed."""

    def __init__(self, job_seconds: float = JOB_SECONDS) -> None:
        self._queue: asyncio.Queue[Job] = asyncio.Queue(MAX_QUEUED)
        self._records: dict[str, Job] = {}
        self._job_seconds = job_seconds
        self._running = 0
        self._restarts = 0
        self.listeners: list[Callable[[Job], None]] = []  # told of each job that is done

    def submit(self, job: Job) -> Job:
        """Put a job into the queue. Raises QueueFull."""
        try:
            self._queue.put_nowait(job)
        except asyncio.QueueFull:
            raise QueueFull(f"{MAX_QUEUED} jobs are waiting already") from None
        self._records[job.id] = job
        if len(self._records) > MAX_RECORDS:
            oldest = next(job_id for job_id, old in self._records.items() if old.done.is_set())
            del self._records[oldest]
        return job

    def get(self, job_id: str) -> Job:
        """Return the record of a job. Raises JobNotFound, also for one long finished."""
        if job_id not in self._records:
            raise JobNotFound(f"there is no job {job_id[:64]}")
        return self._records[job_id]

    def stats(self) -> dict[str, int]:
        """Return how busy the pool is."""
        return {
            "workers": WORKERS,
            "running": self._running,
            "queued": self._queue.qsize(),
            "queueLimit": MAX_QUEUED,
            "records": len(self._records),
            "recordLimit": MAX_RECORDS,
            "restarts": self._restarts,
        }

    async def run(self) -> None:
        """Work until cancelled; then no child is left, and every job has an end."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(WORKERS):
                    group.create_task(self._work())
        finally:
            for job in self._records.values():
                if not job.done.is_set():
                    job.finish(None, "the server stopped")

    async def _work(self) -> None:
        """One worker: take a job, see it through, take the next."""
        child = Child()
        try:
            while True:
                job = await self._queue.get()
                self._running += 1
                await self._see_through(child, job)
                self._running -= 1
        finally:
            await child.kill()

    async def _see_through(self, child: "Child", job: Job) -> None:
        job.status, job.started_at = JobStatus.RUNNING, utc_now()
        try:
            async with asyncio.timeout(self._job_seconds):
                answer = await child.ask(job)
        except TimeoutError:
            answer = {"error": f"the job took more than {self._job_seconds:g} seconds"}
        except (OSError, EOFError, ValueError):
            answer = {"error": "the worker died"}
        except Exception:  # a bug of ours may fail a job, but not end the pool
            logging.getLogger(__name__).exception("job %s failed", job.id)
            answer = {"error": "the job failed"}
        if "error" in answer and not child.is_idle:
            self._restarts += 1
            await child.kill()
        job.finish(answer.get("output"), answer.get("error"))
        for listener in self.listeners:
            listener(job)


class Child:
    """One process, started when there is something to ask it."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self.is_idle = True  # it has answered all that it was asked

    async def ask(self, job: Job) -> dict[str, Any]:
        """Hand the job over in slices, and return the answer. Raises EOFError if the child dies."""
        self.is_idle = False
        if self._process is None or self._process.returncode is not None:
            starting = asyncio.create_task(self._start())
            try:
                await asyncio.shield(starting)
            finally:
                await starting  # who gives up halfway leaves a process that nobody knows
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        tasks = job.tasks()
        head = {"kind": job.kind, "iterations": job.iterations, "lines": len(tasks)}
        _write(process.stdin, encode(head) + b"\n")
        for start in range(0, len(tasks), SLICE):
            lines = (task.json + b"\n" for task in tasks[start : start + SLICE])
            _write(process.stdin, b"".join(lines))
            await process.stdin.drain()  # the child takes it at its own pace
        line = await process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        answer: dict[str, Any] = json.loads(line)
        if not isinstance(answer, dict):
            raise ValueError("no object")
        self.is_idle = True
        return answer

    async def _start(self) -> None:
        self._process = await _start()

    async def kill(self) -> None:
        """End the process, whatever it is doing, and wait until it is gone."""
        if self._process is not None:
            process, self._process = self._process, None
            if process.returncode is None:
                process.kill()
            await process.wait()
        self.is_idle = True


def _write(stdin: asyncio.StreamWriter, data: bytes) -> None:
    """Hand something over. Raises EOFError if the child is gone, as uvloop would not."""
    if stdin.is_closing():
        raise EOFError
    stdin.write(data)


async def _start() -> asyncio.subprocess.Process:
    """Start a child that finds this package wherever we found it, and inherits no tokens."""
    environment = {key: value for key, value in os.environ.items() if "TASKFLOW" not in key}
    environment["PYTHONPATH"] = PACKAGE_ROOT
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-P", "-m", "taskflow.jobs")
    return await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, env=environment, limit=MAX_ANSWER
    )
