"""A disk whose fsync fails, below a server that is then killed: no refused change comes back."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest
from as_process import ADMIN, Running, ask, running

SOURCE = Path(__file__).with_name("failing_fsync.c")

# Each is a commit that fails, a kill and a start.
KILLS = 50 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 6


@dataclass(frozen=True, slots=True)
class FailingDisk:
    """The library that makes fsync fail, and the files that command it."""

    library: Path
    once: Path
    always: Path

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a server on this disk."""
        return {
            "LD_PRELOAD": str(self.library),
            "FSYNC_FAILS_ONCE": str(self.once),
            "FSYNC_FAILS": str(self.always),
        }


@pytest.fixture
def disk(tmp_path: Path) -> FailingDisk:
    """Return a disk that does not fail yet."""
    compiler = shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        reason = "a disk that fails needs Linux and gcc, which makes the library that fails"
        assert not os.environ.get("CI") or not sys.platform.startswith("linux"), reason
        pytest.skip(reason)
    library = tmp_path / "failing_fsync.so"
    words = [compiler, "-shared", "-fPIC", "-Wall", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(words, check=True)
    return FailingDisk(library, tmp_path / "once", tmp_path / "always")


def test_a_change_that_was_refused_does_not_come_back_after_a_kill(
    tmp_path: Path, disk: FailingDisk
) -> None:
    acknowledged: dict[str, Any] = {}
    for number in range(KILLS + 1):
        with running(tmp_path, **disk.variables) as server:
            assert everything(server) == acknowledged
            if number == KILLS:
                break
            for title in "before", "between":
                status, body = server.ask("POST", "/tasks", {"title": f"{title} {number}"})
                assert status == 201, body
                task = json.loads(body)
                acknowledged[task["id"]] = task

            disk.once.touch()
            path = f"/tasks/{task['id']}"
            refused = [
                ("POST", "/tasks", {"title": "refused"}),
                ("DELETE", path, None),
                ("PATCH", path, {"title": "refused"}),
            ]
            status, body = server.ask(*refused[number % len(refused)])

            assert not disk.once.exists()
            assert status == 503, body
            assert "nothing was stored" in json.loads(body)["error"]["message"]
            assert everything(server) == acknowledged
            server.end(signal.SIGKILL)


def test_a_change_that_was_acknowledged_after_a_failure_is_there_after_a_kill(
    tmp_path: Path, disk: FailingDisk
) -> None:
    """It follows the transaction that has overwritten the commit that failed."""
    with running(tmp_path, **disk.variables) as server:
        disk.once.touch()
        assert server.ask("POST", "/tasks", {"title": "refused"})[0] == 503
        while server.ask("GET", "/ready")[0] != 200:
            pass
        status, body = server.ask("POST", "/tasks", {"title": "acknowledged"})
        assert status == 201
        task = json.loads(body)
        server.end(signal.SIGKILL)
    with running(tmp_path) as server:
        assert server.shown("/tasks") == [task]


def test_while_fsync_fails_a_change_gets_no_response_that_a_kill_could_make_false(
    tmp_path: Path, disk: FailingDisk
) -> None:
    with running(tmp_path, **disk.variables) as server:
        status, body = server.ask("POST", "/tasks", {"title": "acknowledged"})
        assert status == 201
        task = json.loads(body)
        disk.always.touch()
        with closing(server.connect()) as unlucky:
            send(unlucky, {"title": "in doubt"})
            while server.ask("GET", "/ready")[0] != 503:
                pass
            assert server.shown("/health")["status"] == "healthy"
            assert server.shown("/tasks") == [task]
            with closing(server.connect()) as other:
                status, body = ask(other, "POST", "/tasks", {"title": "not begun"})
            assert status == 503
            assert b"nothing was changed" in body
            server.end(signal.SIGKILL)
            with pytest.raises((RemoteDisconnected, ConnectionResetError)):
                unlucky.getresponse()
    with running(tmp_path) as server:
        titles = [task["title"] for task in server.shown("/tasks")]
        assert titles[0] == "acknowledged"
        assert titles[1:] in ([], ["in doubt"])


def send(connection: HTTPConnection, value: object) -> None:
    """Send a new task, and do not wait for the response."""
    headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}
    connection.request("POST", "/tasks", json.dumps(value), headers)


def everything(server: Running) -> dict[str, Any]:
    """Return all tasks by their ids."""
    return {task["id"]: task for task in server.shown("/tasks")}
