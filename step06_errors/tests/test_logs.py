"""The log: what is in its lines, and that it never holds up the program that it describes."""

import json
import logging
import os
import re
import sys
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import BytesIO
from typing import IO, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import TOKENS, Client
from over_socket import serving, until

from taskflow import logs
from taskflow.app import build_app
from taskflow.logs import (
    AccessEntry,
    AccessLog,
    JsonFormatter,
    LogWriter,
    TerminalFormatter,
    coloured_line,
    json_line,
    set_up_logging,
)
from taskflow.parser import METHODS


class Terminal(BytesIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        return True


class Counting(BytesIO):
    """A stream that counts how often it is written to."""

    writes = 0

    def write(self, data: Any) -> int:
        self.writes += 1
        return super().write(data)


def entry(path: str = "/tasks", status: int = 200, method: str = "GET") -> AccessEntry:
    """Return an entry about a request that took 12.3 ms."""
    return AccessEntry(
        id="an-id",
        timestamp="2026-01-31T12:00:00.000Z",
        method=method,
        path=path,
        status=status,
        sent=7,
        seconds=0.0123,
        client="127.0.0.1",
    )


def lines_of(text: bytes) -> list[dict[str, Any]]:
    """Return what a program reads in the log. Each line is an object and ends as one."""
    assert text == b"" or text.endswith(b"\n")
    return [json.loads(line) for line in text.split(b"\n")[:-1]]


# Lines for programs.

PATHS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
NASTY = ["\n", '"', "\\", '","status":200,"x":"', "\r\n{}\n", "\x1b[31m", "\u2028", "\x85", "\x7f"]


@given(PATHS | st.sampled_from(NASTY), st.sampled_from(["", *sorted(METHODS)]))
def test_a_line_is_an_object_whatever_the_path_is(path: str, method: str) -> None:
    line = json_line(entry(path, 404, method))

    assert line.splitlines(keepends=True) == [line]
    assert json.loads(line) == {
        "time": "2026-01-31T12:00:00.000Z",
        "level": "info",
        "id": "an-id",
        "method": method,
        "path": path,
        "status": 404,
        "bytes": 7,
        "durationMs": 12.3,
        "client": "127.0.0.1",
    }


async def test_each_response_leaves_a_line_with_what_was_sent() -> None:
    sink = BytesIO()
    log = LogWriter(sink)
    with log.running():
        async with serving(build_app(TOKENS, log)) as served:
            wire = await served.connect()
            for method in "GET", "HEAD":
                head = f"{method} /a%22b?token=c HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: mine"
                head += f"\r\nAuthorization: {TOKENS.user}\r\n\r\n"
                await wire.send(head.encode())
                answer = await wire.answer(method)
                assert answer.status == 404
            await wire.send(b"G@RBAGE\r\n\r\n")
            refused = await wire.answer()

    got, headed, malformed = lines_of(sink.getvalue())
    assert (got["method"], got["path"], got["id"]) == ("GET", '/a"b', "mine")
    assert (headed["method"], headed["status"], headed["bytes"]) == ("HEAD", 404, 0)
    assert got["bytes"] > 0
    assert got["client"] == "127.0.0.1"
    assert (malformed["status"], malformed["id"]) == (400, refused.headers["x-request-id"])


async def test_no_token_is_in_the_log() -> None:
    sink = BytesIO()
    log = LogWriter(sink)
    with log.running():
        async with serving(build_app(TOKENS, log)) as served:
            wire = await served.connect()
            for token in TOKENS.admin, TOKENS.user, "an-unknown-one":
                head = f"GET /tasks?token={token} HTTP/1.1\r\nHost: localhost\r\n"
                await wire.send(f"{head}Authorization: {token}\r\n\r\n".encode())
                await wire.answer()

    text = sink.getvalue()
    assert [line["status"] for line in lines_of(text)] == [200, 200, 401]
    for token in TOKENS.admin, TOKENS.user, "an-unknown-one", "token", "uthorization":
        assert token.encode() not in text


# Lines for people.


def test_a_line_for_people_is_coloured_by_its_status() -> None:
    statuses = (200, 304, 404, 500)
    lines = [coloured_line(entry("/tasks", status)) for status in statuses]

    assert len({line.split("\033[")[1][:3] for line in lines}) == 4
    for line, status in zip(lines, statuses, strict=True):
        assert f"m{status}\033[0m GET    /tasks 7 B 12.30 ms\n" in line


@pytest.mark.parametrize("sink", [BytesIO(), Terminal()])
async def test_only_a_terminal_gets_colours(sink: BytesIO) -> None:
    log = LogWriter(sink)
    with log.running():
        AccessLog(log).add(entry())
    assert (b"\033" in sink.getvalue()) == sink.isatty()


@given(PATHS | st.sampled_from([*NASTY, "\x9b31m", "\x85", "\x9d0;title\x9c", "\u202e"]))
def test_no_path_controls_the_terminal(path: str) -> None:
    """A terminal may take U+009B for the beginning of a command, as it takes ESC [."""
    line = coloured_line(entry(path))
    assert line.count("\n") == 1
    text = line.replace("\033[32m", "").replace("\033[0m", "").removesuffix("\n")
    assert not [char for char in text if unicodedata.category(char) in {"Cc", "Cf"}]


# Writing.


@pytest.fixture
def _no_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FLUSH_SECONDS", 1_000)


@pytest.mark.usefixtures("_no_flush")
def test_lines_wait_for_the_next_flush_and_are_written_together() -> None:
    sink = Counting()
    log = LogWriter(sink)
    with log.running():
        for number in range(100):
            AccessLog(log).add(entry(f"/{number}"))
        assert sink.writes == 0

    assert [line["path"] for line in lines_of(sink.getvalue())] == [f"/{n}" for n in range(100)]
    assert sink.writes == 1


async def test_lines_are_flushed_while_the_program_runs() -> None:
    sink = BytesIO()
    log = LogWriter(sink)
    with log.running():
        AccessLog(log).add(entry())
        await until(sink.getvalue)


@pytest.mark.usefixtures("_no_flush")
def test_lines_that_find_no_room_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = BytesIO()
    monkeypatch.setattr(logs, "MAX_WAITING", 3 * len(json_line(entry("/0"))))
    log = LogWriter(sink)
    with log.running():
        for number in range(5):
            AccessLog(log).add(entry(f"/{number}"))

    *kept, dropped = lines_of(sink.getvalue())
    assert [line["path"] for line in kept] == ["/0", "/1", "/2"]
    assert dropped.pop("time").endswith("Z")
    assert dropped == {"level": "warning", "droppedLines": 2}


@pytest.mark.usefixtures("_no_flush")
def test_lines_of_several_threads_all_arrive() -> None:
    sink = BytesIO()
    log = LogWriter(sink)

    def add() -> None:
        for _ in range(1_000):
            AccessLog(log).add(entry())

    with log.running():
        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(lines_of(sink.getvalue())) == 4_000


class Sparing(Counting):
    """A stream that takes a little at a time, as a pipe may."""

    def write(self, data: Any) -> int:
        return super().write(memoryview(data)[:10])


def test_what_is_not_taken_at_once_is_written_again() -> None:
    sink = Sparing()
    log = LogWriter(sink)
    with log.running():
        AccessLog(log).add(entry())
    assert sink.getvalue().decode() == json_line(entry())


# Sinks that take nothing: the server goes on, and stops when it has to.


class Pipe:
    """A pipe, and what was written to it before the log."""

    def __init__(self) -> None:
        self.output, self.input = os.pipe()
        self.filled = 0

    def fill(self) -> None:
        """Write until the pipe is full. A writer has to wait from then on."""
        os.set_blocking(self.input, False)
        with suppress(BlockingIOError):
            while True:
                self.filled += os.write(self.input, b"x" * 4_096)
        os.set_blocking(self.input, True)

    def empty(self) -> None:
        """Read what it was filled with. A writer that waits goes on."""
        while self.filled:
            self.filled -= len(os.read(self.output, self.filled))


@contextmanager
def pipe_and_sink() -> Iterator[tuple[Pipe, IO[bytes]]]:
    """Give a pipe, and its input as a sink."""
    pipe = Pipe()
    with os.fdopen(pipe.input, "wb", buffering=0) as sink:
        yield pipe, sink


async def check_health(log: LogWriter) -> None:
    """Check that the application responds, which adds a line to the log."""
    assert (await Client(build_app(TOKENS, log)).ask("GET", "/health")).status == 200


async def test_a_log_without_a_reader_does_not_stop_the_server() -> None:
    with pipe_and_sink() as (pipe, sink):
        os.close(pipe.output)
        log = LogWriter(sink)
        with log.running():
            for _ in range(100):
                await check_health(log)


async def test_access_lines_and_records_wait_for_a_stuck_reader_and_the_server_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither kind of line blocks: each is added to the list, and the thread waits alone."""
    monkeypatch.setattr(logs, "FLUSH_SECONDS", 0)
    monkeypatch.setattr(logging.root, "handlers", [])
    with pipe_and_sink() as (pipe, sink):
        pipe.fill()
        log = LogWriter(sink)
        set_up_logging(log)
        with log.running():
            for number in range(100):
                await check_health(log)
                logging.getLogger("taskflow").error("record %d", number)
            pipe.empty()
    with os.fdopen(pipe.output, "rb") as output:
        lines = lines_of(output.read())

    assert len([line for line in lines if "path" in line]) == 100
    assert [line["message"] for line in lines if "message" in line] == [
        f"record {number}" for number in range(100)
    ]


async def test_a_stuck_reader_does_not_hold_up_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "STOP_SECONDS", 0.01)
    before = threading.active_count()
    with pipe_and_sink() as (pipe, sink):
        pipe.fill()
        log = LogWriter(sink)
        with log.running():
            await check_health(log)
        assert threading.active_count() == before + 1  # this thread ends with the program

        pipe.empty()  # or here

        await until(lambda: threading.active_count() == before)
    with os.fdopen(pipe.output, "rb") as output:
        assert [line["path"] for line in lines_of(output.read())] == ["/health"]


# Records of `logging`.


def record(level: int, message: str, *arguments: object, failed: bool = False) -> logging.LogRecord:
    """Return a record, with a traceback if something has failed just now."""
    exc_info = sys.exc_info() if failed else None
    return logging.LogRecord("taskflow.x", level, "file", 1, message, arguments, exc_info)


def test_a_record_is_one_object_on_one_line() -> None:
    line = JsonFormatter().format(record(logging.WARNING, 'the "%s"\n', "path"))

    value = json.loads(line)
    assert line.splitlines(keepends=True) == [line]
    assert datetime.fromisoformat(value.pop("time")).tzinfo is UTC
    assert value == {"level": "warning", "logger": "taskflow.x", "message": 'the "path"\n'}


def test_a_record_of_an_exception_has_its_traceback() -> None:
    try:
        raise KeyError("a secret")
    except KeyError:
        line = JsonFormatter().format(record(logging.ERROR, "it failed", failed=True))

    value = json.loads(line)
    assert "\n" not in line
    assert (value["level"], value["message"]) == ("error", "it failed")
    assert value["traceback"].startswith("Traceback (most recent call last):\n")
    assert value["traceback"].endswith("KeyError: 'a secret'")
    assert "test_logs.py" in value["traceback"]


@pytest.mark.parametrize("sink", [BytesIO(), Terminal()])
def test_records_have_the_form_that_suits_the_reader(
    monkeypatch: pytest.MonkeyPatch, sink: BytesIO
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.WARNING)
    log = LogWriter(sink)

    set_up_logging(log)
    logging.getLogger("taskflow.test").info("it begins")
    logging.getLogger("taskflow.test").debug("not shown")
    with log.running():
        pass

    if sink.isatty():
        time, text = sink.getvalue().split(b" ", 1)
        assert re.fullmatch(rb"\d\d:\d\d:\d\d\.\d{3}Z", time)
        assert text == b"INFO it begins\n"
    else:
        [line] = lines_of(sink.getvalue())
        assert (line["level"], line["message"]) == ("info", "it begins")


def test_no_text_in_a_record_controls_the_terminal() -> None:
    try:
        raise KeyError("\x1b[31m") from ValueError("\x1b]0;title\x07\x9b31m\x85\u202e")
    except KeyError:
        bug = record(logging.ERROR, "%s failed", "/\x1b[2J", failed=True)

    lines = TerminalFormatter().format(bug).split("\n")

    assert lines[0].endswith(" ERROR /\\x1b[2J failed")
    assert "Traceback (most recent call last):" in lines
    assert "ValueError: \\x1b]0;title\\x07\\x9b31m\\x85\\u202e" in lines
    assert [line for line in lines if not line.isprintable()] == []


@pytest.mark.usefixtures("_no_flush")
def test_records_that_find_no_room_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logs, "MAX_WAITING", 1_000)
    sink = BytesIO()
    log = LogWriter(sink)
    set_up_logging(log)
    with log.running():
        for number in range(100):
            logging.getLogger("taskflow").error("record %d", number)

    *kept, dropped = lines_of(sink.getvalue())
    assert [line["message"] for line in kept] == [f"record {n}" for n in range(len(kept))]
    assert dropped["droppedLines"] == 100 - len(kept)
    assert 0 < len(kept) < 100


async def test_a_failing_handler_is_logged_with_its_request(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    response = await client.ask("GET", "/demo/error/internal")

    request_id = response.headers["X-Request-Id"]
    [bug] = caplog.records
    value = json.loads(JsonFormatter().format(bug))
    assert value["message"] == f"GET '/demo/error/internal' failed (request {request_id})"
    assert value["traceback"].endswith("ZeroDivisionError: a bug, made on purpose")


async def test_a_refusal_is_not_a_bug_and_leaves_no_record(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await client.ask("GET", "/nowhere")).status == 404
    assert caplog.records == []
