"""The application as a whole: what it starts, and what becomes of a client that leaves."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from typing import NoReturn

import pytest
from in_process import SETTINGS, TOKENS, Client
from over_socket import PATIENCE, message, serving, until
from prometheus_client import generate_latest

from taskflow.app import build_app
from taskflow.database import Database
from taskflow.logs import LogWriter
from taskflow.tasks import Change


def forbidden(*_: object, **__: object) -> NoReturn:
    """Fail the test."""
    pytest.fail("the application started something")


@pytest.fixture
def _nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Thread, "start", forbidden)
    monkeypatch.setattr(subprocess, "Popen", forbidden)
    monkeypatch.setitem(sys.modules, "psutil", None)  # an import of it fails


@pytest.mark.usefixtures("_nothing_starts")
async def test_building_and_calling_an_application_starts_nothing(client: Client) -> None:
    task = await client.created(title="Read the guide")

    assert (await client.shown("/tasks"))[0]["id"] == task["id"]
    assert (await client.shown("/health"))["status"] == "healthy"


async def test_a_write_whose_client_left_before_the_commit_is_logged_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tasks are stored all the same, and the log must show that."""
    counter = b'taskflow_http_requests_total{method="POST",route="/tasks",status="499"} 5.0'
    may_write = Event()
    write = Database.write

    def late_write(database: Database, changes: Sequence[Change]) -> None:
        may_write.wait(PATIENCE)
        write(database, changes)

    monkeypatch.setattr(Database, "write", late_write)
    sink = BytesIO()
    log = LogWriter(sink)
    settings = replace(SETTINGS, data=str(tmp_path / "tasks.db"))
    request = message("POST", "/tasks", b'{"title":"left"}', f"Authorization: {TOKENS.admin}")
    with log.running():
        async with build_app(settings, log) as application, serving(application.handler) as served:
            wires = [await served.connect() for _ in range(5)]
            for wire in wires:
                await wire.send(request.replace(b"Host: a", b"Host: localhost"))
            client = Client(application.handler)
            await until(lambda: all(c._serving for c in served.server.connections))

            for wire in wires:
                wire.reset()

            await until(lambda: not served.server.connections)
            await until(lambda: counter in generate_latest(application.metrics))
            may_write.set()
            tasks = await client.ask("GET", "/tasks")
    assert tasks.body.count(b'"title":"left"') == 5
    lines = [json.loads(line) for line in sink.getvalue().splitlines()]
    assert [line["status"] for line in lines if line.get("method") == "POST"] == [499] * 5
