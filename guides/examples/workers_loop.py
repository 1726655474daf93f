"""What computing beside the event loop, and handing work over from it, costs the loop."""

import asyncio
import json
import multiprocessing
import pickle
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from statistics import median
from uuid import UUID

from taskflow.background import in_background
from taskflow.codec import encode
from taskflow.jobs import SLICE, Job, completed_first
from taskflow.tasks import Task
from taskflow.worker_process import cpu_sum
from taskflow.workers import WorkerPool

TASKS = 100_000
TIME = "2026-01-31T12:00:00.000Z"
TICK = 0.001  # seconds
ROUNDS = 4  # the best one counts: the machine may have more to do than this


def make_tasks(count: int) -> list[Task]:
    """Return tasks of an ordinary size, each but the first depending on another."""
    ids = [str(UUID(int=number << 64 | 0x40008000 << 32)) for number in range(count)]
    return [
        Task(
            id=task_id,
            number=number + 1,
            title=f"Task number {number}",
            description="As long as most descriptions are: a line or two.",
            dependencies=(ids[number // 2],) if number else (),
            created_at=TIME,
            updated_at=TIME,
        )
        for number, task_id in enumerate(ids)
    ]


async def lateness(work: Awaitable[object]) -> list[float]:
    """Await the work, and return how late the loop was, in seconds, each time it had slept."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK)
            late.append(time.perf_counter() - before - TICK)

    async with in_background(tick()):
        await asyncio.sleep(TICK)
        await work
    return late


async def finished(pool: WorkerPool, job: Job) -> None:
    """Give a job to the pool, and wait for its end."""
    await pool.submit(job).done.wait()
    assert job.error is None, job.error


def beside_a_job() -> None:
    """Print how late the loop is while a job runs in a thread, and in a worker."""
    for name, seconds in asyncio.run(_beside_a_job()).items():
        interval = sys.getswitchinterval()
        often = "the switch interval, or more" if seconds > 0.8 * interval else "much less"
        print(f"{name}: the loop is mostly late by {often} ({seconds * 1000:.1f} ms)")


async def _beside_a_job() -> dict[str, float]:
    loop, pool, size = asyncio.get_running_loop(), WorkerPool(), 2_000_000
    async with in_background(pool.run()):
        await finished(pool, Job("cpu", 1))  # now the child has started
        ways: dict[str, Callable[[], Awaitable[object]]] = {
            "in a thread": lambda: loop.run_in_executor(None, cpu_sum, size),
            "in a worker": lambda: finished(pool, Job("cpu", size)),
        }
        return {
            name: min([median(await lateness(way())) for _ in range(ROUNDS)])
            for name, way in ways.items()
        }


def preparing() -> None:
    """Print what it costs the server to turn its tasks into bytes, in three ways."""
    tasks = make_tasks(TASKS)
    values = [json.loads(task.json) for task in tasks]
    kept = _cost(lambda: len(b"".join(task.json + b"\n" for task in tasks)))
    again = _cost(lambda: sum(len(encode(value)) + 1 for value in values))
    pickled = _cost(lambda: len(pickle.dumps(tasks, 4)))
    print("| 100,000 tasks | bytes | time on the processor | against the first |")
    print("| --- | ---: | ---: | --- |")
    for name, (seconds, size), least in (
        ("send the JSON that is kept", kept, 1),
        ("encode all again", again, 3),
        ("pickle all", pickled, 8),
    ):
        factor = seconds / kept[0]
        shown = f"more than {least} times" if factor > least else ""
        print(f"| {name} | {size / 1e6:.0f} MB | {seconds * 1000:.0f} ms | {shown} |")
    slices = sum(1 for part in completed_first(tasks) if part)
    print(f"\nThe kept JSON goes in {slices:,} slices of {SLICE} tasks.")


def _cost(work: Callable[[], int]) -> tuple[float, int]:
    """Return the least time on the processor, and the bytes."""
    seconds, size = float("inf"), 0
    for _ in range(ROUNDS):
        before = time.process_time()
        size = work()
        seconds = min(seconds, time.process_time() - before)
    return seconds, size


def handing_over() -> None:
    """Print the longest time for which the loop stood still while 100,000 tasks left it."""
    ours, theirs = asyncio.run(_handing_over(make_tasks(TASKS)))
    print(f"WorkerPool           longest stop of the loop: {ours * 1000:.0f} ms")
    print(f"ProcessPoolExecutor  longest stop of the loop: {theirs * 1000:.0f} ms")
    print(
        "more than 3 times as long" if theirs > 3 * ours else f"{theirs / ours:.1f} times as long"
    )


async def _handing_over(tasks: list[Task]) -> tuple[float, float]:
    pool, loop = WorkerPool(), asyncio.get_running_loop()
    async with in_background(pool.run()):
        await finished(pool, Job("cpu", 1))
        report = partial(Job, "report", 1, lambda: tasks)
        ours = [max(await lateness(finished(pool, report()))) for _ in range(ROUNDS)]
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        await loop.run_in_executor(executor, len, [])
        send = partial(loop.run_in_executor, executor, len, tasks)
        theirs = [max(await lateness(send())) for _ in range(ROUNDS)]
    return min(ours), min(theirs)


def starting() -> None:
    """Print how long the first job takes, for which a child must start, and the second."""
    first, second = min(asyncio.run(_starting()) for _ in range(ROUNDS))
    ratio = "more than 10 times as long" if first > 10 * second else f"{first / second:.1f} times"
    print(f"the first job  {first * 1000:.1f} ms: a child starts, Python and our modules with it")
    print(f"the second     {second * 1000:.1f} ms: there and back")
    print(f"the first took {ratio}")


async def _starting() -> tuple[float, float]:
    pool, times = WorkerPool(), []
    async with in_background(pool.run()):
        for _ in range(2):
            started = time.perf_counter()
            await finished(pool, Job("cpu", 1))
            times.append(time.perf_counter() - started)
    return times[0], times[1]
