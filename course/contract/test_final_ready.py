"""Final: whether the server takes changes, for a load balancer to ask. Starts its own servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from .api import Api
from .conftest import Launch
from .test_final_stop import begin_to_stop


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_server_that_takes_changes_is_ready_and_asks_for_no_token(
    stranger: Api, method: str
) -> None:
    answer = stranger.ask(method, "/ready").expect(200)
    if method == "GET":
        assert answer.json() == {"status": "ready"}


def test_readiness_cannot_be_changed(stranger: Api) -> None:
    stranger.refused(stranger.ask("POST", "/ready"), "METHOD_NOT_ALLOWED")


def test_a_server_without_its_file_is_alive_but_not_ready(launch: Launch, tmp_path: Path) -> None:
    data = tmp_path / "tasks.db"
    api, _ = launch("--data", str(data))
    task = api.create()
    data.rename(tmp_path / "moved.db")

    api.refused(api.ask("POST", "/tasks", value={"title": "t"}), "SERVICE_UNAVAILABLE")

    api.refused(api.ask("GET", "/ready"), "SERVICE_UNAVAILABLE")
    api.ask("GET", "/health").expect(200)
    assert api.tasks() == [task]


def test_a_server_that_stops_is_not_ready(launch: Launch) -> None:
    api, process = launch("--grace", "8")
    connection = api.connect()
    head = api.head("GET", "/ready")
    api.send_apart(connection, [head[:-2]])

    waiting = begin_to_stop(api, process)
    connection.send(head[-2:])

    api.refused(connection.answer(), "SERVICE_UNAVAILABLE")
    connection.close()
    waiting.join()
