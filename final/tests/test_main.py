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
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

import taskflow

STEP = Path(__file__).resolve().parents[1]
PACKAGE = Path(taskflow.__file__).resolve().parents[1]  # where `-m taskflow` finds it
DEADLINE = 20.0  # seconds

Process = subprocess.Popen[str]

ADMIN, USER = "the-token-of-an-admin", "the-token-of-a-user"
TOKENS = {"TASKFLOW_ADMIN_TOKEN": ADMIN, "TASKFLOW_USER_TOKEN": USER}
BODY_TO_COME = f"POST /tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: {ADMIN}\r\n".encode()
BODY_TO_COME += b"Content-Length: 1000\r\n\r\n"
SERVER = ("-m", "taskflow", "--port", "0", "--data", ":memory:")


@contextmanager
def started(
    *arguments: str, folder: Path = PACKAGE, settings: dict[str, str] = TOKENS, **streams: Any
) -> Iterator[Process]:
    """Start Python with these arguments; end it with the block, or when it hangs."""
    environment = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("TASKFLOW", "PYTHON"))
    }
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment | {"PYTHONDONTWRITEBYTECODE": "1"} | settings,
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams,
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
    ready = re.fullmatch(r"Taskflow listening on (https?://(?:127\.0\.0\.1|\[::1\]):\d+)\n", line)
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


@pytest.fixture(autouse=True)
def _hang_up() -> Iterator[None]:
    """Let the servers of the tests hear SIGHUP, though `nohup` may have started the tests."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_one_line_says_that_it_is_ready_and_a_signal_stops_it(number: signal.Signals) -> None:
    with started(*SERVER) as process:
        with urlopen(address(process) + "/health", timeout=DEADLINE) as answer:
            assert answer.status == 200
        status, out, err = stopped(process, number)

    assert (status, out) == (0, "")
    [line] = logged(err)
    assert (line["path"], line["status"]) == ("/health", 200)


def test_a_hang_up_that_nohup_hides_does_not_stop_it() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with started(*SERVER) as process:
        url = address(process)
        process.send_signal(signal.SIGHUP)
        with urlopen(url + "/health", timeout=DEADLINE) as answer:
            assert answer.status == 200
        assert stopped(process, signal.SIGTERM)[0] == 0


def in_flight(process: Process) -> socket.socket:
    """Return a client whose request the server is waiting for the rest of."""
    client = socket.create_connection(("127.0.0.1", int(address(process).rpartition(":")[2])))
    client.settimeout(DEADLINE)
    client.sendall(BODY_TO_COME.removesuffix(b"\r\n") + b"Expect: 100-continue\r\n\r\n")
    assert client.recv(100).startswith(b"HTTP/1.1 100 ")
    return client


def until_nobody_is_let_in(client: socket.socket) -> None:
    """Wait until the server of this client has begun to stop."""
    with suppress(OSError):
        while True:
            socket.create_connection(client.getpeername(), DEADLINE).close()


def test_a_stop_takes_no_longer_than_the_grace() -> None:
    with started(*SERVER, "--grace", "0.1") as process, in_flight(process):
        status, out, err = stopped(process, signal.SIGTERM)

    assert (status, out) == (0, "")
    [line] = err.splitlines()
    assert json.loads(line)["status"] == 499  # the log has a line for its request, too


def test_a_stop_lets_a_request_finish() -> None:
    with started(*SERVER, "--grace", "60") as process, in_flight(process) as client:
        process.send_signal(signal.SIGTERM)
        until_nobody_is_let_in(client)
        task = b'{"title": "in flight"}'
        client.sendall(task + b" " * (1000 - len(task)))

        answer = client.recv(10_000)

        assert answer.startswith(b"HTTP/1.1 201 ")
        assert b"\r\nConnection: close\r\n" in answer
        client.close()
        assert process.wait(DEADLINE) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_second_signal_ends_it_at_once(number: signal.Signals) -> None:
    with started(*SERVER, "--grace", "60") as process, in_flight(process) as client:
        port = client.getpeername()[1]
        process.send_signal(signal.SIGTERM)
        while accepts(port):
            pass

        assert stopped(process, number) == (-number, "", "")


def accepts(port: int) -> bool:
    """Return whether somebody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), DEADLINE).close()
    except ConnectionError:
        return False
    return True


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_it_runs_without_the_standard_streams(tmp_path: Path, closed: str) -> None:
    """And nobody's last words are written into what was opened instead of them."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    data = tmp_path / "tasks.db"
    command = f'exec "$0" -m taskflow --port {port} --data {data} {closed}'
    shell = subprocess.Popen(
        ["/bin/sh", "-c", command, sys.executable],
        cwd=tmp_path,
        env=os.environ | TOKENS | {"PYTHONPATH": str(PACKAGE)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not accepts(port):
            assert shell.poll() is None
        url = f"http://127.0.0.1:{port}"
        assert status(url, ADMIN) == 200
        shell.send_signal(signal.SIGTERM)
        assert shell.wait(DEADLINE) == 0
    finally:
        shell.kill()
        shell.wait()
    assert data.read_bytes().startswith(b"SQLite format 3\0")


def test_a_ready_line_that_nobody_reads_does_not_end_it(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    arguments = ("-m", "taskflow", "--port", port, "--data", ":memory:")
    with started(*arguments, stdout=writing) as process:
        os.close(writing)
        while not accepts(int(port)):
            assert process.poll() is None
        assert stopped(process, signal.SIGTERM)[0] == 0


def test_it_listens_on_ipv6_too() -> None:
    with started(*SERVER, "--host", "::1") as process:
        with urlopen(address(process) + "/health", timeout=DEADLINE) as answer:
            assert answer.status == 200
        assert stopped(process, signal.SIGTERM)[0] == 0


def test_it_listens_on_two_addresses_with_one_port_and_says_so_in_one_line() -> None:
    with started(*SERVER, "--host", "127.0.0.1", "--host", "::1") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        form = r"Taskflow listening on (http://127\.0\.0\.1:(\d+)) and (http://\[::1\]:\2)\n"
        ready = re.fullmatch(form, line)
        assert ready, line
        for url in ready[1], ready[3]:
            with urlopen(url + "/health", timeout=DEADLINE) as answer:
                assert answer.status == 200
        assert stopped(process, signal.SIGTERM)[:2] == (0, "")


def test_of_two_addresses_the_bad_one_is_named() -> None:
    with started(*SERVER, "--host", "127.0.0.1", "--host", "192.0.2.1") as process:
        out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out) == (2, "")
    assert re.fullmatch(r"taskflow: cannot listen on 192\.0\.2\.1:\d+: [^\n]+\n", err)


AS_MODULE = pytest.param(
    ("-m",), marks=pytest.mark.skipif(not STEP.name.isidentifier(), reason="no name of a module")
)


@pytest.mark.parametrize("prefix", [(), AS_MODULE])
def test_the_folder_runs_by_its_name(prefix: tuple[str, ...]) -> None:
    arguments = (*prefix, STEP.name, *SERVER[2:])
    with started(*arguments, folder=STEP.parent) as process:
        assert address(process)
        assert stopped(process, signal.SIGTERM) == (0, "", "")


def test_a_port_in_use_is_one_clear_line_and_status_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started(*SERVER, "--port", str(port)) as process:
            out, err = process.communicate(timeout=DEADLINE)

    assert (process.returncode, out) == (2, "")
    assert err == f"taskflow: port {port} is in use; try --port 0\n"


def test_a_connection_over_the_given_limit_is_refused() -> None:
    with started(*SERVER, "--max-connections", "1") as process:
        port = int(address(process).rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port), DEADLINE) as first,
            socket.create_connection(("127.0.0.1", port), DEADLINE) as second,
        ):
            assert second.recv(100).startswith(b"HTTP/1.1 503 ")
            first.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
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
    with started(*SERVER, flag, "0.1") as process:
        port = int(address(process).rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
            client.sendall(sent)
            assert client.recv(13) == got

        assert stopped(process, signal.SIGTERM)[0] == 0


# Workers.


def ask(url: str) -> Any:
    """Return what the server answers to an admin."""
    request = Request(url, headers={"Authorization": ADMIN})
    with urlopen(request, timeout=DEADLINE) as answer:
        return json.load(answer)


@contextmanager
def busy() -> Iterator[tuple[Process, list[psutil.Process]]]:
    """Start a server; give it and its children, when all of them compute."""
    with started(*SERVER, "--demos") as process:
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
    arguments = (*SERVER, *arguments)
    with started(*arguments, folder=folder, settings=settings) as process:
        yield process


def test_with_demos_it_has_the_example_tokens(tmp_path: Path) -> None:
    with started_in(tmp_path, "--demos") as process:
        url = address(process)
        assert [status(url, token) for token in ("secret-admin-123", USER)] == [200, 401]


def test_tokens_come_from_the_environment_and_are_in_no_log(tmp_path: Path) -> None:
    with started_in(tmp_path, **TOKENS) as process:
        url = address(process)
        tokens = ADMIN, USER, "secret-admin-123", ""
        assert [status(url, token) for token in tokens] == [200, 200, 401, 401]
        _, _, err = stopped(process, signal.SIGTERM)

    assert [line["status"] for line in logged(err)] == [200, 200, 401, 401]
    assert ADMIN not in err
    assert USER not in err


def test_tokens_come_from_a_file_and_the_environment_wins(tmp_path: Path) -> None:
    lines = "# mine", f"export TASKFLOW_ADMIN_TOKEN='{ADMIN}'", "TASKFLOW_USER_TOKEN=" + "x" * 20
    (tmp_path / ".env").write_text("\n".join(lines))
    with started_in(tmp_path, TASKFLOW_USER_TOKEN=USER) as process:
        url = address(process)
        assert [status(url, token) for token in (ADMIN, USER, "x" * 20)] == [200, 200, 401]


def test_a_log_that_nobody_reads_holds_up_no_response_and_no_stop() -> None:
    """Each failure logs a traceback: in all, more than the pipe holds."""
    with started(*SERVER, "--demos") as process:
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
        ("", (), "there are no tokens: set TASKFLOW_ADMIN_TOKEN and TASKFLOW_USER_TOKEN"),
        ("TASKFLOW_GRACE=x", ("--demos",), "TASKFLOW_GRACE in .env: 'x' is not a number of"),
        ("", ("--demos", "--host", "0.0.0.0"), "the example tokens are refused on 0.0.0.0"),
        ("", ("--demos", "--data", "/nowhere/tasks.db"), "cannot use /nowhere/tasks.db"),
        ("", ("--demos", "--host", "192.0.2.1"), "the example tokens are refused on 192.0.2.1"),
        ("", ("--demos", "--tls-cert", "a", "--tls-key", "b"), "--tls-cert: cannot read 'a'"),
    ],
)
def test_bad_settings_are_one_clear_line_and_status_2(
    tmp_path: Path, line: str, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / ".env").write_text(line)
    with started_in(tmp_path, *arguments) as process:
        out, err = process.communicate(timeout=DEADLINE)

    assert (process.returncode, out) == (2, "")
    assert err.startswith(f"taskflow: {message}")
    assert err.count("\n") == 1


def test_a_warning_is_written_before_the_line_that_says_why_it_does_not_start(
    tmp_path: Path,
) -> None:
    (tmp_path / ".env").write_text("TASKFLOW_PROT=1\n")
    with started_in(tmp_path, "--data", "/nowhere/tasks.db", **TOKENS) as process:
        _, err = process.communicate(timeout=DEADLINE)

    warning, complaint = err.splitlines()
    assert process.returncode == 2
    assert "TASKFLOW_PROT" in json.loads(warning)["message"]
    assert complaint.startswith("taskflow: cannot use /nowhere/tasks.db")


def test_a_key_with_a_password_is_refused_and_nobody_is_asked(tmp_path: Path) -> None:
    """OpenSSL would ask at the terminal, and wait."""
    key = rsa.generate_private_key(65_537, 2_048)
    certificate = trustme.CA().issue_cert("localhost").cert_chain_pems[0].bytes()
    (tmp_path / "cert.pem").write_bytes(certificate)
    hidden = serialization.BestAvailableEncryption(b"password")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden)
    (tmp_path / "key.pem").write_bytes(pem)
    with started_in(tmp_path, "--tls-cert", "cert.pem", "--tls-key", "key.pem", **TOKENS) as server:
        out, err = server.communicate(timeout=DEADLINE)
    assert (server.returncode, out) == (2, "")
    assert err == "taskflow: --tls-key: the key is encrypted; use one without a password\n"
