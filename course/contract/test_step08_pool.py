"""Step 8: what becomes of workers and jobs when one is killed, and of children when we stop.

Starts servers of its own.
"""

from __future__ import annotations

import os
import signal

import pytest

from .api import Api
from .children import children_of, still_there
from .conftest import Launch
from .process import ServerProcess
from .test_step08_cpu import CPU, record_of, start, until
from .test_step08_reports import REPORTS, start_report

LONG = 100_000_000
"""Iterations that take many seconds, and are ended before."""

MOST_JOBS = 20_000
"""A queue that has taken so many is not bounded."""


def busy_children(api: Api, process: ServerProcess) -> tuple[str, set[int]]:
    """The path of a job that is running, and the server's children."""
    path = start(api, LONG)
    until(api, path, "running")
    return path, children_of(process.pid)


def test_a_killed_worker_fails_its_job_and_the_next_ones_run(launch: Launch) -> None:
    """Those that were waiting included. Twice: what takes its place is as good."""
    api, process = launch()
    for _ in range(2):
        path, children = busy_children(api, process)
        waiting = [start(api, 1_000), start_report(api)]
        for child in children:
            os.kill(child, signal.SIGKILL)
        assert until(api, path, "failed")["error"]
        for after in waiting:
            until(api, after, "completed")
        api.ask("GET", f"{CPU}/worker/run?iterations=1000").expect(200)


def test_a_killed_worker_is_told_to_the_one_who_waits(launch: Launch) -> None:
    api, process = launch()
    api.ask("GET", f"{CPU}/worker/run?iterations=1").expect(200)
    waiting = api.say(api.request("GET", f"{CPU}/worker/run?iterations={LONG}"))
    path = REPORTS + "/stats"
    while not api.ask("GET", path).expect(200).json()["running"]:
        assert waiting.silent()
    for child in children_of(process.pid):
        os.kill(child, signal.SIGKILL)
    api.refused(waiting.answer(), "SERVICE_UNAVAILABLE")
    waiting.send(api.request("GET", f"{CPU}/worker/run?iterations=1"))
    waiting.answer().expect(200)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_no_child_is_left_after_a_stop(launch: Launch, by: signal.Signals) -> None:
    """Though it computes, though more wait, though a client waits for it."""
    api, process = launch()
    _, children = busy_children(api, process)
    start_report(api, f"?heavyIterations={LONG}")
    api.send_apart(api.connect(), [api.request("GET", f"{CPU}/worker/run?iterations={LONG}")])
    assert children
    process.stop(by)
    assert not still_there(children)


def test_no_child_is_left_after_a_kill(launch: Launch) -> None:
    """Nobody is left to end it, so it must notice by itself, also while it computes."""
    api, process = launch()
    _, children = busy_children(api, process)
    assert children
    process.kill()
    assert not still_there(children)


def test_a_full_queue_refuses_and_the_rest_goes_on(launch: Launch) -> None:
    """Whoever comes too late is told when to come again, and what runs is not disturbed."""
    api, _ = launch()
    running = start(api, LONG)
    until(api, running, "running")
    connection = api.connect()
    refused = None
    for _ in range(MOST_JOBS // 100):
        connection.send(api.request("GET", f"{CPU}/worker/start?iterations={LONG}") * 100)
        answers = [connection.answer() for _ in range(100)]
        if refused := next((answer for answer in answers if answer.status != 202), None):
            break
    assert refused is not None, f"{MOST_JOBS:,} jobs are waiting, and none was refused"
    for answer in (
        refused,
        api.ask("GET", f"{CPU}/worker/run?iterations=1"),
        api.ask("POST", f"{REPORTS}/start"),
        api.ask("GET", f"{REPORTS}/worker-run?iterations=1"),
    ):
        api.refused(answer, "SERVICE_UNAVAILABLE")
        assert int(answer.field("retry-after") or "") >= 1
    assert record_of(api, running)["status"] == "running"
    api.ask("GET", f"{CPU}/blocking?iterations=1").expect(200)
    api.ask("GET", "/health").expect(200)


def test_clients_that_leave_take_their_jobs_along(launch: Launch) -> None:
    """Those that wait, and the one that runs: a report of another client is made at once."""
    api, _ = launch()
    path = f"{REPORTS}/worker-run?iterations={LONG}"
    leaving = [api.say(api.request("GET", path)) for _ in range(30)]
    stats = {"running": 0, "queued": 0}
    while stats["running"] + stats["queued"] < len(leaving):
        stats = api.ask("GET", REPORTS + "/stats").expect(200).json()
    for connection in leaving:
        connection.reset()
    while stats["queued"]:
        stats = api.ask("GET", REPORTS + "/stats").expect(200).json()
    until(api, start_report(api), "completed")
