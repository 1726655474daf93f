"""The command line: the line that says it is ready, and the ways in which it stops."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

import taskflow

STEP = Path(__file__).resolve().parents[1]
PACKAGE = Path(taskflow.__file__).resolve().parents[1]  # where `-m taskflow` finds it
DEADLINE = 20.0  # seconds

Process = subprocess.Popen[str]


@contextmanager
def started(*arguments: str, folder: Path = PACKAGE) -> Iterator[Process]:
    """Start Python with these arguments; end it with the block, or when it hangs."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watchdog = threading.Timer(DEADLINE, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def address(process: Process) -> str:
    """Return where the server says that it listens. Its line is the first one."""
    assert process.stdout is not None
    line = process.stdout.readline()
    ready = re.fullmatch(r"Taskflow listening on (http://127\.0\.0\.1:\d+)\n", line)
    assert ready, line
    return ready[1]


def stopped(process: Process, number: signal.Signals) -> tuple[int, str, str]:
    """Send a signal; return the exit status and what was said since, on stdout and stderr."""
    process.send_signal(number)
    out, err = process.communicate(timeout=DEADLINE)
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_line_says_that_it_is_ready_and_a_signal_stops_it(number: signal.Signals) -> None:
    with started("-m", "taskflow", "--port", "0") as process:
        with urlopen(address(process) + "/health", timeout=DEADLINE) as answer:
            assert answer.status == 200

        assert stopped(process, number) == (0, "", "")


def test_it_stops_though_clients_are_connected() -> None:
    with started("-m", "taskflow", "--port", "0") as process:
        port = int(address(process).rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
            client.sendall(b"POST /tasks HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n")
            client.sendall(b"Expect: 100-continue\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 100 ")  # it waits for the body

            assert stopped(process, signal.SIGTERM) == (0, "", "")


AS_MODULE = pytest.param(
    ("-m",), marks=pytest.mark.skipif(not STEP.name.isidentifier(), reason="no name of a module")
)


@pytest.mark.parametrize("prefix", [(), AS_MODULE])
def test_the_folder_runs_by_its_name(prefix: tuple[str, ...]) -> None:
    with started(*prefix, STEP.name, "--port", "0", folder=STEP.parent) as process:
        assert address(process)
        assert stopped(process, signal.SIGTERM) == (0, "", "")


def test_a_port_in_use_is_one_clear_line_and_status_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started("-m", "taskflow", "--port", str(port)) as process:
            out, err = process.communicate(timeout=DEADLINE)

    assert (process.returncode, out) == (2, "")
    assert err == f"taskflow: port {port} is in use; try --port 0\n"


@pytest.mark.parametrize("port", ["70000", "http"])
def test_a_bad_port_is_a_clear_line_and_status_2(port: str) -> None:
    with started("-m", "taskflow", "--port", port) as process:
        out, err = process.communicate(timeout=DEADLINE)

    assert (process.returncode, out) == (2, "")
    assert port in err
    assert "Traceback" not in err


def test_a_connection_over_the_given_limit_is_refused() -> None:
    with started("-m", "taskflow", "--port", "0", "--max-connections", "1") as process:
        port = int(address(process).rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port), DEADLINE) as first,
            socket.create_connection(("127.0.0.1", port), DEADLINE) as second,
        ):
            assert second.recv(100).startswith(b"HTTP/1.1 503 ")
            first.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            assert first.recv(100).startswith(b"HTTP/1.1 200 ")

        assert stopped(process, signal.SIGTERM)[0] == 0
