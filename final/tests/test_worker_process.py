"""The child: what it computes, and how it behaves as a program at the end of two pipes."""

import json
import os
import signal
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

import taskflow
from taskflow.codec import encode
from taskflow.worker_process import cpu_sum, report

PACKAGE = Path(taskflow.__file__).resolve().parents[1]
DEADLINE = 20.0  # seconds
LONG = 100_000_000  # iterations, which nobody waits for

# What it computes.


@given(st.integers(0, 3_000))
def test_the_sum_is_that_of_the_formula(iterations: int) -> None:
    """The squares modulo 7 are 0, 1, 4, 2, 2, 4, 1 again and again, and these make 14."""
    rounds, rest = divmod(iterations, 7)
    answer = cpu_sum(iterations)
    assert answer["result"] == 14 * rounds + sum([0, 1, 4, 2, 2, 4, 1][:rest])
    assert answer["durationMs"] >= 0


STATUSES = st.sampled_from(["pending", "in-progress", "completed"])


@st.composite
def task_lists(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Make tasks that depend on any of the others."""
    ids = [f"id-{number}" for number in range(draw(st.integers(0, 8)))]
    return [
        {
            "id": task_id,
            "status": draw(STATUSES),
            "priority": draw(st.integers(0, 11) | st.integers(-(10**9), 10**9)),
            "dependencies": draw(st.lists(st.sampled_from(ids), max_size=3, unique=True)),
        }
        for task_id in ids
    ]


def is_blocked(task: dict[str, Any], tasks: list[dict[str, Any]]) -> bool:
    """Return whether the task is not done, and something that it depends on is not either."""
    waits_for = [other for other in tasks if other["id"] in task["dependencies"]]
    return task["status"] != "completed" and any(t["status"] != "completed" for t in waits_for)


@given(task_lists(), st.integers(0, 20))
def test_a_report_counts_what_a_look_at_every_task_counts(
    tasks: list[dict[str, Any]], iterations: int
) -> None:
    completed_first = sorted(tasks, key=lambda task: task["status"] != "completed")
    answer = report([encode(task) for task in completed_first], iterations)

    blocked = sum(is_blocked(task, tasks) for task in tasks)
    assert answer["summary"] == {
        "totalTasks": len(tasks),
        "blockedTasks": blocked,
        "unblockedTasks": len(tasks) - blocked,
        "totalDependencies": sum(len(task["dependencies"]) for task in tasks),
    }
    statuses = [task["status"] for task in tasks]
    assert answer["byStatus"] == {
        status: statuses.count(status) for status in ("pending", "in-progress", "completed")
    }
    priorities = [task["priority"] for task in tasks]
    assert answer["byPriority"] == {
        "high": len([priority for priority in priorities if priority >= 8]),
        "medium": len([priority for priority in priorities if 4 <= priority <= 7]),
        "low": len([priority for priority in priorities if priority <= 3]),
    }
    assert answer["syntheticCpuScore"] == cpu_sum(iterations)["result"]
    assert answer["generatedAt"].endswith("Z")
    assert answer["durationMs"] >= 0


def test_a_report_forgets_the_lines_that_it_has_counted() -> None:
    counted = 2_000
    line = encode({"id": "a", "status": "pending", "priority": 1, "dependencies": []})
    tracemalloc.start()
    try:
        output = report((line[:-1] + b',"description":"%1000d"}' % n for n in range(counted)), 1)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert output["summary"]["totalTasks"] == counted
    assert most < 100_000  # bytes; all lines together have twenty times as many


# The program.

Process = subprocess.Popen[bytes]


@contextmanager
def started() -> Iterator[Process]:
    """Start the program; end it with the block, or when it hangs."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "taskflow.worker_process"],
        cwd=PACKAGE,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
    ) as process:
        watchdog = threading.Timer(DEADLINE, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def tell(process: Process, *lines: object) -> None:
    """Send these lines, as JSON if they are no bytes."""
    assert process.stdin is not None
    for line in lines:
        process.stdin.write((line if isinstance(line, bytes) else encode(line)) + b"\n")
    process.stdin.flush()


def job(kind: str, iterations: object, lines: int = 0) -> dict[str, object]:
    return {"kind": kind, "iterations": iterations, "lines": lines}


def answer_of(process: Process) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def test_it_answers_one_job_after_the_other() -> None:
    task = {"id": "a", "status": "pending", "priority": 9, "dependencies": []}
    with started() as process:
        tell(process, job("cpu", 7))
        assert answer_of(process)["output"]["result"] == 14
        tell(process, job("report", 7, 2), task, task | {"id": "b"})
        assert answer_of(process)["output"]["summary"]["totalTasks"] == 2
        tell(process, job("report", 0))
        assert answer_of(process)["output"]["summary"]["totalTasks"] == 0


def test_the_memory_of_a_report_does_not_depend_on_the_number_of_tasks() -> None:
    task = {"id": "a", "status": "pending", "priority": 1, "dependencies": []}
    line = encode(task | {"description": "x" * 10_000})
    with started() as process:
        tell(process, job("report", 1, 1), line)
        answer_of(process)
        watched = psutil.Process(process.pid)
        before = watched.memory_info().rss

        tell(process, job("report", 1, 5_000), *[line] * 5_000)  # 50 MB

        assert answer_of(process)["output"]["summary"]["totalTasks"] == 5_000
        assert watched.memory_info().rss < before + 16 * 1024 * 1024


def test_jobs_may_be_waiting_in_the_pipe() -> None:
    with started() as process:
        tell(process, *(job("cpu", number) for number in range(5)))
        results = [answer_of(process)["output"]["result"] for _ in range(5)]
    assert results == [cpu_sum(number)["result"] for number in range(5)]


@pytest.mark.parametrize(
    ("bad", "lines"),
    [
        (job("cpu", "many"), []),
        (job("cpu", None), []),
        (job("report", 1, 1), [b"no JSON"]),
        (job("report", 1, 2), [{"id": "a"}, {"id": "b"}]),
    ],
)
def test_a_bad_job_answers_an_error_and_the_next_is_done(
    bad: dict[str, object], lines: list[object]
) -> None:
    with started() as process:
        tell(process, bad, *lines)
        answer = answer_of(process)
        assert answer.keys() == {"error"}
        assert answer["error"].split(": ")[0].endswith("Error")
        tell(process, job("cpu", 7))
        assert answer_of(process)["output"]["result"] == 14


def test_it_ends_with_its_input() -> None:
    with started() as process:
        tell(process, job("cpu", 1))
        answer_of(process)
        out, err = process.communicate(timeout=DEADLINE)
        assert (process.returncode, out, err) == (0, b"", b"")


def test_it_ends_with_its_input_though_it_computes() -> None:
    with started() as process:
        tell(process, job("cpu", LONG))
        watched = psutil.Process(process.pid)
        while watched.cpu_times().user < 0.5:  # more than it takes to start
            pass
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=DEADLINE) == 0


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_an_interrupt_is_for_its_parent() -> None:
    with started() as process:
        tell(process, job("cpu", 7))
        answer_of(process)
        process.send_signal(signal.SIGINT)
        tell(process, job("cpu", 7))
        assert answer_of(process)["output"]["result"] == 14
