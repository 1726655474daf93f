"""The worker pool: a bounded number of processes, for work that would hold the event loop.

    submit ─► bounded queue ─► an asyncio task per worker ─► stdin of its child  ┐
                                                                                 │
    record ◄────────────────── an asyncio task per worker ◄─ stdout of its child ┘

A child has one job at a time, so if it dies, it is clear which job was the cause. A job that takes
too long is ended by killing its process, and a new process takes its place; the jobs in the queue
are not affected. Each child is started as a new program (`worker_process.py`) and not forked,
because a fork copies the locks of threads that it does not copy.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from taskflow.codec import encode
from taskflow.errors import JobNotFound, QueueFull
from taskflow.jobs import Job, completed_first

# One core is left for the event loop.
WORKERS = max(1, (os.cpu_count() or 2) - 1)

# Jobs that may wait.
MAX_QUEUED = 1_000

# Jobs whose records are kept. Beyond that, the oldest finished one is forgotten.
MAX_RECORDS = 2_000

# How long a job may take.
JOB_SECONDS = 60.0

# Where a child finds this package.
PACKAGE_ROOT = str(Path(__file__).resolve().parents[1])

# Bytes of a child's reply.
MAX_REPLY = 1024 * 1024

logger = logging.getLogger(__name__)


class WorkerPool:
    """Runs jobs in WORKERS processes. Each process is started when it is first needed."""

    def __init__(self, job_seconds: float = JOB_SECONDS) -> None:
        # The jobs that wait, by id, the oldest first. The event is set when there may be one.
        self._queue: dict[str, Job] = {}
        self._submitted = asyncio.Event()
        self._records: dict[str, Job] = {}
        self._job_seconds = job_seconds

        # The deadlines of the jobs that run, by id.
        self._running: dict[str, asyncio.Timeout] = {}
        self._restarts = 0

        # Called with each job that has finished.
        self.listeners: list[Callable[[Job], None]] = []

    def submit(self, job: Job) -> Job:
        """Put a job into the queue, and return it. Raises QueueFull."""
        if len(self._queue) >= MAX_QUEUED:
            raise QueueFull(f"{MAX_QUEUED} jobs are waiting already")
        self._queue[job.id] = job
        self._submitted.set()
        self._records[job.id] = job
        if len(self._records) > MAX_RECORDS:
            oldest = next(job_id for job_id, old in self._records.items() if old.done.is_set())
            del self._records[oldest]
        return job

    def withdraw(self, job: Job) -> None:
        """End a job that no client waits for any more, unless it has finished. O(1).

        A job that waits leaves the queue. One that runs ends as if its time were over.
        """
        if self._queue.pop(job.id, None) is not None:
            job.finish(None, "its client left")
        elif job.id in self._running:
            job.error = "its client left"
            # It may be over already.
            with suppress(RuntimeError):
                self._running[job.id].reschedule(0)

    def get(self, job_id: str) -> Job:
        """Return the record of a job. Raises JobNotFound, also if it has been forgotten."""
        if job_id not in self._records:
            raise JobNotFound(f"there is no job {job_id[:64]}")
        return self._records[job_id]

    def stats(self) -> dict[str, int]:
        """Return how busy the pool is."""
        return {
            "workers": WORKERS,
            "running": len(self._running),
            "queued": len(self._queue),
            "queueLimit": MAX_QUEUED,
            "records": len(self._records),
            "recordLimit": MAX_RECORDS,
            "restarts": self._restarts,
        }

    async def run(self) -> None:
        """Work until cancelled. After that no child is left, and every job has finished."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(WORKERS):
                    group.create_task(self._work())
        finally:
            self._queue.clear()
            for job in self._records.values():
                if not job.done.is_set():
                    job.finish(None, "the server stopped")

    async def _work(self) -> None:
        """Give one child a job after the other."""
        child = Child()
        try:
            while True:
                while not self._queue:
                    self._submitted.clear()
                    await self._submitted.wait()
                job = self._queue.pop(next(iter(self._queue)))
                await self._process(child, job)
                del self._running[job.id]
        finally:
            await child.kill()

    async def _process(self, child: "Child", job: Job) -> None:
        """See one job through. If its child can do no more, the next job gets a new one."""
        job.start()
        reply: dict[str, Any] = {}
        failure = None
        try:
            async with asyncio.timeout(self._job_seconds) as deadline:
                self._running[job.id] = deadline
                reply = await child.ask(job)
        except TimeoutError:
            failure = job.error or f"the job took more than {self._job_seconds:g} seconds"
        except (OSError, EOFError, ValueError):
            failure = "the worker died"
        except Exception:
            # A bug in this program may fail a job, but must not end the pool.
            logger.exception("job %s failed", job.id)
            failure = "the job failed"
        if failure is not None:
            self._restarts += 1
            await child.kill()
        job.finish(reply.get("output"), failure or reply.get("error"))
        for listener in self.listeners:
            listener(job)


class Child:
    """One process. It is started when there is a job for it."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def ask(self, job: Job) -> dict[str, Any]:
        """Hand a job over in slices, and return the reply. Raises EOFError if the child dies."""
        if self._process is None or self._process.returncode is not None:
            self._process = await _start()
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        tasks = job.tasks()
        head = {"kind": job.kind, "iterations": job.iterations, "lines": len(tasks)}
        process.stdin.write(encode(head) + b"\n")
        for part in completed_first(tasks):
            process.stdin.write(b"".join(task.json + b"\n" for task in part))
            # The child reads at its own pace, and other work gets its turn.
            await process.stdin.drain()
            await asyncio.sleep(0)
        line = await process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        reply: dict[str, Any] = json.loads(line)
        if not isinstance(reply, dict):
            raise ValueError("the reply is not an object")
        return reply

    async def kill(self) -> None:
        """End the process, whatever it is doing, and wait until it is gone."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()


async def _start() -> asyncio.subprocess.Process:
    """Start a child that finds this package wherever it is, and inherits no tokens."""
    environment = {key: value for key, value in os.environ.items() if "TASKFLOW" not in key}
    environment["PYTHONPATH"] = PACKAGE_ROOT
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-P", "-m", "taskflow.worker_process")
    return await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, env=environment, limit=MAX_REPLY
    )
