"""A server as a process of its own, that can be stopped, killed and started again."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import taskflow

PACKAGE = Path(taskflow.__file__).resolve().parents[1]  # where `-m taskflow` finds it
DEADLINE = 20.0  # seconds; a process that takes as long hangs
ADMIN, USER = "the-token-of-an-admin", "the-token-of-a-user"
TOKENS = {"TASKFLOW_ADMIN_TOKEN": ADMIN, "TASKFLOW_USER_TOKEN": USER}


def command(*arguments: str) -> list[str]:
    """Return what starts a server on a free port."""
    return [sys.executable, "-m", "taskflow", "--port", "0", *arguments]


def environment() -> dict[str, str]:
    """Return the environment of a server: ours, without settings, and with its tokens."""
    kept = {name: os.environ[name] for name in os.environ if not name.startswith("TASKFLOW_")}
    return kept | TOKENS | {"PYTHONPATH": str(PACKAGE)}


def refused(folder: Path, *arguments: str) -> str:
    """Return the one line with which a server refuses to start."""
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, ""), done
    assert re.fullmatch(r"taskflow: [^\n]+\n", done.stderr), done.stderr
    return done.stderr.removeprefix("taskflow: ").rstrip()


class Running:
    """A server that runs, and a connection to it. Not for two threads at a time."""

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        self.log = folder / "server.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command(*arguments),
                cwd=folder,
                env=environment() | variables,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._watchdog = threading.Timer(DEADLINE, self.process.kill)
        self._watchdog.start()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        ready = re.fullmatch(r"Taskflow listening on http://127\.0\.0\.1:(\d+)\n", line)
        if ready is None:
            self.end(signal.SIGKILL)
        assert ready, self.log.read_text()
        self.port = int(ready[1])
        self._connection = self.connect()

    def connect(self) -> HTTPConnection:
        """Return another connection."""
        return HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)

    def ask(self, method: str, target: str, value: object = None) -> tuple[int, bytes]:
        """Return the status and the body of an answer."""
        return ask(self._connection, method, target, value)

    def shown(self, target: str) -> Any:
        """Return what is there, which must be some JSON."""
        status, body = self.ask("GET", target)
        assert status == 200, body
        return json.loads(body)

    def end(self, number: signal.Signals) -> int:
        """Send a signal; return the exit status."""
        self.process.send_signal(number)
        with self.process:  # closes its pipe
            status = self.process.wait(DEADLINE)
        self._watchdog.cancel()
        if hasattr(self, "_connection"):
            self._connection.close()
        return status


def ask(
    connection: HTTPConnection, method: str, target: str, value: object = None
) -> tuple[int, bytes]:
    """Send a value as JSON, or bytes as they are; return the status and the body of the answer."""
    body = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    kind = "application/x-ndjson" if isinstance(value, bytes) else "application/json"
    headers = {"Authorization": f"Bearer {ADMIN}"} | ({"Content-Type": kind} if body else {})
    connection.request(method, target, body, headers)
    with connection.getresponse() as response:
        return response.status, response.read()


@contextmanager
def running(folder: Path, *arguments: str, **variables: str) -> Iterator[Running]:
    """Run a server while the block does; it must end well, if the block has not ended it.

    The variables are added to its environment.
    """
    server = Running(folder, *arguments, **variables)
    try:
        yield server
    except BaseException:
        server.end(signal.SIGKILL)
        raise
    if server.process.poll() is None:
        assert server.end(signal.SIGTERM) == 0, server.log.read_text()
