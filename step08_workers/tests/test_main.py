"""The command line: the line that says it is ready, and the ways in which it stops."""

import json
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
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

import taskflow
from taskflow.__main__ import TIMEOUTS
from taskflow.deadlines import Timeouts

STEP = Path(__file__).resolve().parents[1]
PACKAGE = Path(taskflow.__file__).resolve().parents[1]  # where `-m taskflow` finds it
DEADLINE = 20.0  # seconds

Process = subprocess.Popen[str]

ADMIN, USER = "the-token-of-an-admin", "the-token-of-a-user"
TOKENS = {"TASKFLOW_ADMIN_TOKEN": ADMIN, "TASKFLOW_USER_TOKEN": USER}
BODY_TO_COME = f"POST /tasks HTTP/1.1\r\nHost: a\r\nAuthorization: {ADMIN}\r\n".encode()
BODY_TO_COME += b"Content-Length: 1000\r\n\r\n"
NOT_INHERITED = {"PYTHONUNBUFFERED", *TOKENS}


@contextmanager
def started(
    *arguments: str, folder: Path = PACKAGE, settings: dict[str, str] = TOKENS
) -> Iterator[Process]:
    """Start Python with these arguments; end it with the block, or when it hangs."""
    environment = {name: os.environ[name] for name in os.environ.keys() - NOT_INHERITED}
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment | settings,
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


def logged(err: str) -> list[dict[str, Any]]:
    """Return the lines of a log that programs read."""
    return [json.loads(line) for line in err.splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_line_says_that_it_is_ready_and_a_signal_stops_it(number: signal.Signals) -> None:
    with started("-m", "taskflow", "--port", "0") as process:
        with urlopen(address(process) + "/health", timeout=DEADLINE) as answer:
            assert answer.status == 200
        status, out, err = stopped(process, number)

    assert (status, out) == (0, "")
    [line] = logged(err)
    assert (line["path"], line["status"]) == ("/health", 200)


def test_it_stops_though_clients_are_connected() -> None:
    with started("-m", "taskflow", "--port", "0") as process:
        port = int(address(process).rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
            client.sendall(b"POST /tasks HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n")
            client.sendall(f"Authorization: {ADMIN}\r\nExpect: 100-continue\r\n\r\n".encode())
            assert client.recv(100).startswith(b"HTTP/1.1 100 ")  # it waits for the body

            status, out, err = stopped(process, signal.SIGTERM)

    assert (status, out) == (0, "")
    [line] = err.splitlines()
    assert json.loads(line)["status"] == 499  # the log has a line for its request, too


AS_MODULE = pytest.param(
    ("-m",), marks=pytest.mark.skipif(not STEP.name.isidentifier(), reason="no name of a module")
)


@pytest.mark.parametrize("prefix", [(), AS_MODULE])
def test_the_folder_runs_by_its_name(prefix: tuple[str, ...]) -> None:
    with started(*prefix, STEP.name, "--port", "0", folder=STEP.parent) as process:
        assert address(process)
        assert stopped(process, signal.SIGTERM) == (0, "", "")


CLOSE_STDERR = """
import os, sys
os.close(2)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def test_it_runs_though_stderr_is_closed() -> None:
    with started("-c", CLOSE_STDERR, "-m", "taskflow", "--port", "0") as process:
        url = address(process)
        assert [status(url, token) for token in (ADMIN, "")] == [200, 401]
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


@pytest.mark.parametrize("flag", ["--max-connections", "--idle-timeout", "--write-timeout"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "many"])
def test_a_limit_that_is_not_over_0_is_a_clear_line_and_status_2(flag: str, value: str) -> None:
    with started("-m", "taskflow", "--port", "0", f"{flag}={value}") as process:
        out, err = process.communicate(timeout=DEADLINE)

    assert (process.returncode, out) == (2, "")
    assert err.endswith(f"taskflow: error: argument {flag}: {value!r} is not a number over 0\n")


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


@pytest.mark.parametrize(
    ("flag", "sent", "got"),
    [
        ("--head-timeout", b"GET /slow", b"HTTP/1.1 408 "),
        ("--body-timeout", BODY_TO_COME, b"HTTP/1.1 408 "),
        ("--idle-timeout", b"", b""),
    ],
)
def test_a_client_may_take_as_long_as_is_said(flag: str, sent: bytes, got: bytes) -> None:
    with started("-m", "taskflow", "--port", "0", flag, "0.1") as process:
        port = int(address(process).rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
            client.sendall(sent)
            assert client.recv(13) == got

        assert stopped(process, signal.SIGTERM)[0] == 0


@pytest.mark.parametrize("name", ["idle", "head", "body", "write"])
def test_help_says_how_long_a_client_may_take(name: str) -> None:
    with started("-m", "taskflow", "--help") as process:
        out, _ = process.communicate(timeout=DEADLINE)
    assert re.search(rf"--{name}-timeout .*\n?.*seconds \({TIMEOUTS[name]}\)", out)
    assert getattr(Timeouts(), name) == TIMEOUTS[name]


# Workers.


def ask(url: str) -> Any:
    """Return what the server answers to an admin."""
    request = Request(url, headers={"Authorization": ADMIN})
    with urlopen(request, timeout=DEADLINE) as answer:
        return json.load(answer)


@contextmanager
def busy() -> Iterator[tuple[Process, list[psutil.Process]]]:
    """Start a server; give it and its children, when all of them compute."""
    with started("-m", "taskflow", "--port", "0") as process:
        url = address(process) + "/demo/cpu/worker"
        workers = ask(f"{url}/stats")["workers"]
        for _ in range(workers + 1):
            ask(f"{url}/start?iterations=100000000")
        server = psutil.Process(process.pid)
        while len(children := server.children()) < workers:
            pass
        while any(child.cpu_times().user < 0.3 for child in children):
            pass
        yield process, children


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_takes_busy_workers_with_it(number: signal.Signals) -> None:
    with busy() as (process, children):
        status, out, err = stopped(process, number)

    assert (status, out) == (0, "")
    assert "Traceback" not in err
    assert [child.pid for child in children if child.is_running()] == []


def test_workers_end_though_the_server_was_killed() -> None:
    with busy() as (process, children):
        process.kill()
        process.wait()
        _, alive = psutil.wait_procs(children, timeout=DEADLINE)
    assert alive == []


# Tokens.


def status(url: str, token: str) -> int:
    """Return what the server answers to a client that has this token."""
    request = Request(url + "/tasks", headers={"Authorization": f"Bearer {token}"})
    try:
        with urlopen(request, timeout=DEADLINE) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


@contextmanager
def started_in(folder: Path, *arguments: str, **settings: str) -> Iterator[Process]:
    """Start a server that works in this folder, with these settings and no others."""
    settings["PYTHONPATH"] = str(PACKAGE)
    arguments = ("-m", "taskflow", "--port", "0", *arguments)
    with started(*arguments, folder=folder, settings=settings) as process:
        yield process


def test_without_tokens_it_uses_the_examples_and_says_so(tmp_path: Path) -> None:
    with started_in(tmp_path) as process:
        url = address(process)
        assert [status(url, token) for token in ("secret-admin-123", USER)] == [200, 401]
        _, _, err = stopped(process, signal.SIGTERM)

    warning, *answers = logged(err)
    assert warning["level"] == "warning"
    assert warning["message"] == "no tokens are set: using secret-admin-123 and secret-user-123"
    assert [line["status"] for line in answers] == [200, 401]


def test_tokens_come_from_the_environment(tmp_path: Path) -> None:
    with started_in(tmp_path, **TOKENS) as process:
        url = address(process)
        tokens = ADMIN, USER, "secret-admin-123", ""
        assert [status(url, token) for token in tokens] == [200, 200, 401, 401]
        _, _, err = stopped(process, signal.SIGTERM)

    assert "no tokens" not in err
    assert ADMIN not in err
    assert USER not in err


def test_tokens_come_from_a_file_and_the_environment_wins(tmp_path: Path) -> None:
    lines = "# mine", "export TASKFLOW_ADMIN_TOKEN='from the file'", "TASKFLOW_USER_TOKEN=other"
    (tmp_path / ".env").write_text("\n".join(lines))
    with started_in(tmp_path, TASKFLOW_USER_TOKEN=USER) as process:
        url = address(process)
        tokens = "from the file", USER, "other"
        assert [status(url, token) for token in tokens] == [200, 200, 401]


def test_the_warning_about_the_examples_is_written_though_they_are_refused(tmp_path: Path) -> None:
    with started_in(tmp_path, "--host", "0.0.0.0") as process:
        _, err = process.communicate(timeout=DEADLINE)

    warning, complaint = err.splitlines()
    assert json.loads(warning)["message"].startswith("no tokens are set: using ")
    assert complaint.startswith("taskflow: the example tokens are refused on 0.0.0.0")


def test_a_log_that_nobody_reads_holds_up_no_response_and_no_stop() -> None:
    """Each failure logs a traceback: in all, more than the pipe holds."""
    with started("-m", "taskflow", "--port", "0") as process:
        url = address(process)
        for _ in range(100):
            request = Request(f"{url}/demo/error/internal", headers={"Authorization": ADMIN})
            with pytest.raises(HTTPError) as failed, urlopen(request, timeout=DEADLINE):
                pass
            with failed.value as answer:
                assert answer.code == 500

        process.send_signal(signal.SIGTERM)

        assert process.wait(DEADLINE) == 0
        assert process.stderr is not None
        assert len(process.stderr.read()) >= 65_536


@pytest.mark.parametrize(
    ("line", "arguments", "message"),
    [
        ("TASKFLOW_ADMIN_TOKEN is", (), "line 1 of .env is not NAME=value"),
        ("TASKFLOW_ADMIN_TOKEN=alone", (), "set TASKFLOW_ADMIN_TOKEN and TASKFLOW_USER_TOKEN"),
        ("", ("--host", "0.0.0.0"), "the example tokens are refused on 0.0.0.0"),
    ],
)
def test_bad_settings_are_one_clear_line_and_status_2(
    tmp_path: Path, line: str, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / ".env").write_text(line)
    with started_in(tmp_path, *arguments) as process:
        out, err = process.communicate(timeout=DEADLINE)

    assert (process.returncode, out) == (2, "")
    assert err.splitlines()[-1].startswith(f"taskflow: {message}")
    assert "Traceback" not in err
