"""Step 1: the program itself: its one line, its end, its bounds. Starts servers of its own."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from .changes import STORE, before, since
from .conftest import Launch
from .process import command, environment

MIB = 1_048_576


def test_a_new_server_has_no_tasks(launch: Launch) -> None:
    api, _ = launch()
    assert api.ask("GET", "/tasks").expect(200).json() == []


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("busy", ["idle", "in a head", "in a body", "not reading"])
def test_a_server_stops_with_status_0_whatever_its_clients_do(
    launch: Launch, by: signal.Signals, busy: str
) -> None:
    api, process = launch()
    task = api.create(description="x" * 10_000)
    connection = api.connect(buffers=65_536)
    match busy:
        case "in a head":
            api.send_apart(connection, [b"GET /hea"])
        case "in a body":
            api.send_apart(connection, [api.head("POST", "/tasks", "Content-Length: 5")])
        case "not reading":
            connection.send_until_blocked(api.request("GET", f"/tasks/{task['id']}"), MIB)
        case _:
            connection.send(api.request("GET", "/health"))
            connection.answer().expect(200)
    process.stop(by)


def test_a_port_in_use_is_one_clear_line_and_status_2(launch: Launch, tmp_path: Path) -> None:
    api, _ = launch()
    port = str(api.address[1])
    second = subprocess.run(
        command("--port", port),
        cwd=tmp_path,
        env=environment(TASKFLOW_ADMIN_TOKEN="a" * 20, TASKFLOW_USER_TOKEN="b" * 20),
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert second.returncode == 2, second.stderr
    assert second.stdout == ""
    assert len(second.stderr.splitlines()) == 1, second.stderr
    assert port in second.stderr


def test_connections_beyond_the_bound_are_refused(launch: Launch) -> None:
    """Those who are in are still served, and who leaves makes room."""
    api, _ = launch("--max-connections", "3")
    served = [api.connect() for _ in range(3)]
    for connection in served:
        connection.send(api.request("GET", "/health"))
        connection.answer().expect(200)
    refused = api.say(api.request("GET", "/health"))
    api.refused(refused.answer(), "SERVICE_UNAVAILABLE")
    refused.ended()
    refused.close()
    for connection in served:
        connection.send(api.request("GET", "/health"))
        connection.answer().expect(200)
    served[0].end()
    served[0].ended()
    api.ask("GET", "/health").expect(200)


@pytest.mark.slow
def test_1_000_connections_are_served_and_one_more_is_not(launch: Launch) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, limits[1]), limits[1]))
    try:
        api, _ = launch()
        for _ in range(1_000):
            connection = api.say(api.request("GET", "/health"))
            connection.answer().expect(200)
        api.refused(api.say(api.request("GET", "/health")).answer(), "SERVICE_UNAVAILABLE")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize(
    "bound",
    [
        pytest.param(10_000, marks=before(STORE)),
        pytest.param(1_000_000, marks=[since(STORE), pytest.mark.slow]),
    ],
)
def test_a_full_store_takes_no_more_tasks(launch: Launch, bound: int) -> None:
    api, _ = launch()
    for _ in range(bound // 10_000):
        api.ask_all([("POST", "/tasks", {"title": "t"})] * 10_000)
    api.refused(api.ask("POST", "/tasks", value={"title": "one more"}), "STORE_FULL")
    assert len(api.tasks("/tasks?limit=10000")) == bound
