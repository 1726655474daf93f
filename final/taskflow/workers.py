"""The worker pool: a bounded number of processes, for work that would hold the event loop.

    submit ─► bounded queue ─► an asyncio task per worker ─► stdin of its child  ┐
                                                                                 │
    record ◄────────────────── an asyncio task per worker ◄─ stdout of its child ┘

A child has one job at a time, so if it dies, it is clear which job was the cause. A job that takes
too long is ended by killing its process, and a new process takes its place; the jobs in the queue
are not affected. Each child is started as a new program (`worker_process.py`) and not forked,
because a fork copies the locks of threads that it does not copy. To start a program, uvloop forks
first, which holds the event loop for 25 ms if there are 320,000 tasks; asyncio's own loop takes
2 ms for any number.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from taskflow.codec import encode
from taskflow.errors import JobNotFound, QueueFull
from taskflow.jobs import Job

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

# Tasks that are handed over at once.
SLICE = 500

# Bytes of a child's reply.
MAX_REPLY = 1024 * 1024

logger = logging.getLogger(__name__)


class WorkerPool:
    """Runs jobs in WORKERS processes. Each process is started when it is first needed."""

    def __init__(self, job_seconds: float = JOB_SECONDS) -> None:
        self._queue: asyncio.Queue[Job] = asyncio.Queue(MAX_QUEUED)
        self._records: dict[str, Job] = {}
        self._job_seconds = job_seconds
        self._running = 0
        self._restarts = 0

        # Called with each job that has finished.
        self.listeners: list[Callable[[Job], None]] = []

    def submit(self, job: Job) -> Job:
        """Put a job into the queue, and return it. Raises QueueFull."""
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
        """Return the record of a job. Raises JobNotFound, also if it has been forgotten."""
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
        """Work until cancelled. After that no child is left, and every job has finished."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(WORKERS):
                    group.create_task(self._work())
        finally:
            for job in self._records.values():
                if not job.done.is_set():
                    job.finish(None, "the server stopped")

    async def _work(self) -> None:
        """Give one child a job after the other."""
        child = Child()
        try:
            while True:
                job = await self._queue.get()
                self._running += 1
                await self._process(child, job)
                self._running -= 1
        finally:
            await child.kill()

    async def _process(self, child: "Child", job: Job) -> None:
        """See one job through. If its child can do no more, the next job gets a new one."""
        job.start()
        try:
            async with asyncio.timeout(self._job_seconds):
                reply = await child.ask(job)
        except TimeoutError:
            reply = {"error": f"the job took more than {self._job_seconds:g} seconds"}
        except (OSError, EOFError, ValueError):
            reply = {"error": "the worker died"}
        except Exception:
            # A bug in this program may fail a job, but must not end the pool.
            logger.exception("job %s failed", job.id)
            reply = {"error": "the job failed"}
        if "error" in reply and not child.is_idle:
            self._restarts += 1
            await child.kill()
        job.finish(reply.get("output"), reply.get("error"))
        for listener in self.listeners:
            listener(job)


class Child:
    """One process. It is started when there is a job for it."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

        # It has replied to everything that it was asked.
        self.is_idle = True

    async def ask(self, job: Job) -> dict[str, Any]:
        """Hand a job over in slices, and return the reply. Raises EOFError if the child dies."""
        self.is_idle = False
        if self._process is None or self._process.returncode is not None:
            starting = asyncio.create_task(self._start())
            try:
                await asyncio.shield(starting)
            finally:
                # A start that is given up halfway would leave a process without an owner.
                await starting
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
            # The child reads at its own pace.
            await process.stdin.drain()
        line = await process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        reply: dict[str, Any] = json.loads(line)
        if not isinstance(reply, dict):
            raise ValueError("the reply is not an object")
        self.is_idle = True
        return reply

    async def _start(self) -> None:
        self._process = await _start()

    async def kill(self) -> None:
        """End the process, whatever it is doing, and wait until it is gone."""
        process = self._process
        self._process = None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()
        self.is_idle = True


def _write(stdin: asyncio.StreamWriter, data: bytes) -> None:
    """Write to a child. Raises EOFError if it has gone, which uvloop does not report."""
    if stdin.is_closing():
        raise EOFError
    stdin.write(data)


async def _start() -> asyncio.subprocess.Process:
    """Start a child that finds this package wherever it is, and inherits no tokens."""
    environment = {key: value for key, value in os.environ.items() if "TASKFLOW" not in key}
    environment["PYTHONPATH"] = PACKAGE_ROOT
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-P", "-m", "taskflow.worker_process")
    return await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, env=environment, limit=MAX_REPLY
    )
