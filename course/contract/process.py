"""A server of our own: `python -m taskflow` in a child process.

It runs in an empty directory, so that nothing is found by accident, and which
snapshot it is depends only on the environment that runs the tests. Its stdout must
be one line; its stderr is kept in a file, for a person to read after a failure.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

from .answer import ContractError

STARTS_WITHIN = 10.0
"""Seconds until the ready line must have come, on the slowest machine."""

READY = re.compile(r"Taskflow listening on http://(127\.0\.0\.1|0\.0\.0\.0):(\d+)\n")


def command(*flags: str) -> list[str]:
    # Warnings that Python hides by default (an unclosed socket) belong on stderr here.
    return [sys.executable, "-W", "default", "-m", "taskflow", *flags]


def environment(**more: str) -> dict[str, str]:
    """Ours without Taskflow's settings; a relative PYTHONPATH still means what it meant to us."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = os.pathsep.join(str(Path(path).resolve()) for path in paths if path)
    ours = {key: value for key, value in os.environ.items() if not key.startswith("TASKFLOW_")}
    return {**ours, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **more}


def run(directory: Path, *flags: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a server that does not start, until it has said why."""
    return subprocess.run(
        command("--port", "0", *flags),
        cwd=directory,
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN,
        check=False,
    )


class ServerProcess:
    """Started by its constructor, which returns when the ready line has come."""

    def __init__(self, directory: Path, flags: tuple[str, ...], env: dict[str, str]) -> None:
        self.stopped = False
        self._log = directory / "stderr.txt"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command("--port", "0", *flags),
                cwd=directory,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.address = self._wait_until_ready()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        """All that the server has written to stderr."""
        return self._log.read_text(errors="replace")

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to stop; it must do so in time, with status 0, having said nothing more."""
        __tracebackhide__ = True
        self.stopped = True
        self._process.send_signal(by)
        try:
            more, _ = self._process.communicate(timeout=STARTS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ContractError(f"expected the server to stop on {by.name} in time") from None
        if self._process.returncode != 0:
            status = self._process.returncode
            raise ContractError(
                f"expected exit status 0 after {by.name}, received {status}\n{self.log}"
            )
        if more:
            raise ContractError(f"expected one line on stdout, received more: {more!r}")

    def send(self, signal_: signal.Signals) -> None:
        """Only send a signal; see what comes of it with `ended`."""
        self._process.send_signal(signal_)

    def ended(self) -> int:
        """Return the exit status when it has ended by itself; that of a signal is negative."""
        self.stopped = True
        self._process.communicate(timeout=STARTS_WITHIN)
        return self._process.returncode

    def kill(self) -> None:
        """The way out when nothing else helps. Harmless when it has stopped already."""
        self.stopped = True
        self._process.kill()
        self._process.communicate()

    def _wait_until_ready(self) -> tuple[str, int]:
        assert self._process.stdout is not None
        # A pipe has no deadline of its own: killing the writer ends the reading.
        deadline = threading.Timer(STARTS_WITHIN, self._process.kill)
        deadline.start()
        line = self._process.stdout.readline()
        deadline.cancel()
        ready = READY.fullmatch(line)
        if ready is None:
            self.kill()
            raise ContractError(f"expected the ready line on stdout, received {line!r}\n{self.log}")
        return "127.0.0.1", int(ready[2])  # which is one of 0.0.0.0 too
