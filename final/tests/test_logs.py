"""The log: what stands in its lines, and that it never holds up what it is a log of."""

import asyncio
import json
import logging
import os
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from datetime import UTC, datetime
from io import BytesIO, TextIOWrapper
from tempfile import TemporaryFile
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import TOKENS, Client, new_client
from over_socket import serving, until

from taskflow import logs
from taskflow.errors import TaskflowError
from taskflow.http import METHODS, Handler, Request, Response
from taskflow.lifetimes import in_background
from taskflow.logs import AccessLog, JsonFormatter, RequestLog, set_up_logging
from taskflow.memory import History


class Terminal(BytesIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


class Counting(BytesIO):
    """A stream that counts how often it is written to."""

    writes = 0

    def write(self, data: Any) -> int:
        self.writes += 1
        return super().write(data)


def answered(log: AccessLog, path: str = "/tasks", status: int = 200) -> None:
    """Note an answer."""
    log.add(Request("GET", path, context={"id": "an-id"}), Response(status), 7, 0.0123)


def lines_of(text: str) -> list[dict[str, Any]]:
    """Return what a program reads in the log; each line is an object and ends as one."""
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.split("\n")[:-1]]


def paths_of(stream: BytesIO) -> list[str]:
    return [line["path"] for line in lines_of(stream.getvalue().decode())]


@contextmanager
def standard_error() -> Iterator[Callable[[], str]]:
    """Give a function that returns what has been written to standard error meanwhile."""
    with TemporaryFile("w+") as file, redirect_stderr(file):

        def written() -> str:
            file.seek(0)
            return file.read()

        yield written


# Lines for programs.

PATHS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
NASTY = ["\n", '"', "\\", '","status":200,"x":"', "\r\n{}\n", "\x1b[31m", "\u2028", "\x85", "\x7f"]


@given(
    PATHS | st.sampled_from(NASTY),
    st.sampled_from(["", *sorted(METHODS)]),
    st.integers(200, 599),
    st.integers(0, 10**9),
    st.floats(0, 1_000),
)
def test_a_line_is_an_object_whatever_the_path_is(
    path: str, method: str, status: int, sent: int, seconds: float
) -> None:
    log = AccessLog(BytesIO())
    log.add(Request(method, path, context={"id": "an-id"}), Response(status), sent, seconds)

    text = log.take()
    [line] = lines_of(text)

    assert text.count("\n") == 1
    assert datetime.fromisoformat(line.pop("time")).tzinfo is UTC
    assert line.pop("ms") == pytest.approx(seconds * 1000, abs=0.01)
    assert line == {
        "level": "info",
        "requestId": "an-id",
        "method": method,
        "path": path,
        "status": status,
        "bytes": sent,
    }


async def test_an_answer_leaves_a_line_with_what_was_sent() -> None:
    log = AccessLog(BytesIO())

    async def app(request: Request) -> Response:
        return Response(201, b"12345")

    async with serving(RequestLog(log, History(), app)) as served:
        wire = await served.connect()
        for method in "POST", "HEAD":
            await wire.send(f"{method} /a%22b?token=c HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            answer = await wire.answer(method)

            [line] = lines_of(log.take())
            assert (line["method"], line["path"], line["status"]) == (method, '/a"b', 201)
            assert line["requestId"] == answer.headers["x-request-id"]
            assert line["bytes"] == len(answer.body) == (5 if method == "POST" else 0)
            assert line["ms"] >= 0


async def test_no_token_is_in_the_log() -> None:
    with standard_error() as written:
        async with new_client() as client, serving(client.app) as served:
            wire = await served.connect()
            for token in TOKENS.admin, TOKENS.user, "an-unknown-one":
                head = f"GET /tasks?token={token} HTTP/1.1\r\nHost: localhost\r\n"
                await wire.send(f"{head}Authorization: {token}\r\n\r\n".encode())
                await wire.answer()
        text = written()

    assert [line["status"] for line in lines_of(text)] == [200, 200, 401]
    for token in TOKENS.admin, TOKENS.user, "an-unknown-one", "token", "uthorization":
        assert token not in text


async def test_a_refusal_of_the_parser_leaves_a_line_too() -> None:
    with standard_error() as written:
        async with new_client() as client, serving(client.app) as served:
            wire = await served.connect()
            await wire.send(b"G@RBAGE\r\n\r\n")
            request_id = (await wire.answer()).headers["x-request-id"]
        [line] = lines_of(written())

    assert (line["status"], line["requestId"]) == (400, request_id)


# Lines for people.


def test_a_line_for_people_is_coloured_by_its_status() -> None:
    log = AccessLog(Terminal())
    for status in 200, 304, 404, 500:
        answered(log, "/tasks", status)

    ok, moved, refused, failed = log.take().splitlines()
    colours = [line.split("\033[")[1][:3] for line in (ok, moved, refused, failed)]
    assert len(set(colours)) == 4
    for line, status in (ok, 200), (moved, 304), (refused, 404), (failed, 500):
        assert f"m{status}\033[0m GET    /tasks 7 B 12.30 ms" in line


def test_a_log_that_nobody_looks_at_has_no_colours() -> None:
    log = AccessLog(BytesIO())
    answered(log)
    assert "\033" not in log.take()


@given(PATHS | st.sampled_from(NASTY))
def test_no_path_moves_the_cursor_or_begins_a_line(path: str) -> None:
    log = AccessLog(Terminal())
    answered(log, path)
    text = log.take()
    assert text.count("\n") == 1
    assert text.count("\033") == 2
    assert "\r" not in text


@given(PATHS | st.sampled_from(["\x9b31m", "\x85", "\x9d0;title\x9c", "\u202e"]))
def test_no_path_has_a_control_character_left(path: str) -> None:
    """A terminal may take U+009B for the beginning of a command, as it takes ESC [."""
    log = AccessLog(Terminal())
    answered(log, path)
    text = log.take().replace("\033[32m", "").replace("\033[0m", "").removesuffix("\n")
    assert not [char for char in text if unicodedata.category(char) in {"Cc", "Cf"}]


# Ids.


class Inner:
    """The innermost callable: answers, or raises, and remembers the id it was given."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    async def __call__(self, request: Request) -> Response:
        self.ids.append(request.context["id"])
        return Response(200)


def id_given(asked: str | None) -> str:
    """Return the id of a request whose client would like this one."""
    inner = Inner()
    headers = {} if asked is None else {"x-request-id": asked}
    link = RequestLog(AccessLog(BytesIO()), History(), inner)

    async def ask() -> Response:
        return await link(Request("GET", "/", headers=headers))

    response = asyncio.run(ask())
    assert inner.ids == [response.headers["X-Request-Id"]]
    return inner.ids[0]


@given(st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True))
def test_a_good_id_of_the_client_is_kept(asked: str) -> None:
    assert id_given(asked) == asked


@given(
    st.from_regex(r"[A-Za-z0-9._-]{65,70}", fullmatch=True)
    | st.text(st.characters(codec="latin-1"), max_size=8).map(lambda text: text + " ")
    | st.sampled_from(["", "x" * 65, "a b", "ä", "a\n", 'a"b', "a, b", "a/b", "\u0661"])
    | st.none()
)
def test_without_a_good_id_there_is_a_new_one(asked: str | None) -> None:
    made = id_given(asked)
    assert str(UUID(made)) == made
    assert UUID(made).version == 4


async def test_no_two_ids_are_the_same(client: Client) -> None:
    answers = [await client.ask("GET", "/health") for _ in range(100)]
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 100


async def test_every_answer_carries_the_id(client: Client) -> None:
    for method, target in ("GET", "/health"), ("GET", "/nowhere"), ("POST", "/tasks/claim"):
        response = await client.ask(method, target, x_request_id="mine")
        assert response.headers["X-Request-Id"] == "mine"
    unknown = await client.ask("GET", "/tasks", x_request_id="mine", authorization="unknown")
    assert (unknown.status, unknown.headers["X-Request-Id"]) == (401, "mine")
    malformed = await client.ask("GET", "/tasks", x_request_id="mine", host="a b")
    assert malformed.status == 400
    assert UUID(malformed.headers["X-Request-Id"]).version == 4  # such a head is not to be trusted


# Bounds.


def test_what_finds_the_list_full_is_counted_and_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_LINES", 3)
    log = AccessLog(BytesIO())
    for number in range(5):
        answered(log, f"/{number}")

    *kept, dropped = lines_of(log.take())

    assert [line["path"] for line in kept] == ["/0", "/1", "/2"]
    assert dropped.pop("time").endswith("Z")
    assert dropped == {"level": "warning", "droppedAccessLines": 2}
    answered(log, "/next")
    assert [line["path"] for line in lines_of(log.take())] == ["/next"]  # counted once
    assert log.take() == ""


def test_the_list_has_room_for_10_000_lines() -> None:
    log = AccessLog(BytesIO())
    for _ in range(10_001):
        answered(log)
    assert log.take().count("\n") == 10_001  # the last one counts what was dropped


# Writing.


@pytest.fixture
def _flush_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FLUSH_SECONDS", 0)


@pytest.mark.usefixtures("_flush_at_once")
async def test_lines_are_written_in_order_and_not_one_by_one() -> None:
    stream = Counting()
    log = AccessLog(stream)
    async with in_background(log.run()):
        for number in range(100):
            answered(log, f"/{number}")
        await until(stream.getvalue)
        for number in range(100, 150):
            answered(log, f"/{number}")
        await until(lambda: stream.writes == 2)

    assert paths_of(stream) == [f"/{number}" for number in range(150)]
    assert stream.writes <= 3


async def test_lines_wait_for_the_next_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FLUSH_SECONDS", 1_000)
    stream = Counting()
    log = AccessLog(stream)
    async with in_background(log.run()):
        await asyncio.sleep(0)  # it begins
        for number in range(5):
            answered(log, f"/{number}")
        assert stream.writes == 0

    assert paths_of(stream) == [f"/{number}" for number in range(5)]  # the last at the stop
    assert stream.writes == 1


async def test_the_application_writes_its_last_lines_when_it_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs, "FLUSH_SECONDS", 1_000)
    with standard_error() as written:
        async with new_client() as client, serving(client.app) as served:
            wire = await served.connect()
            await wire.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            await wire.answer()
            assert written() == ""
        [line] = lines_of(written())

    assert line["path"] == "/health"


# Streams that do not take what they are given: the server goes on, and stops when it is told to.


class Pipe:
    """A pipe, and what was written to it before the log."""

    def __init__(self) -> None:
        self.output, self.input = os.pipe()
        self.filled = 0

    def fill(self) -> None:
        """Write until the pipe is full; who writes now, waits."""
        os.set_blocking(self.input, False)
        with suppress(BlockingIOError):
            while True:
                self.filled += os.write(self.input, b"x" * 4_096)
        os.set_blocking(self.input, True)

    def empty(self) -> None:
        """Read what it was filled with; who waits, goes on."""
        while self.filled:
            self.filled -= len(os.read(self.output, self.filled))


@contextmanager
def piped_error() -> Iterator[Pipe]:
    """Give the pipe that standard error goes to meanwhile."""
    pipe = Pipe()
    with os.fdopen(pipe.input, "w") as stream, redirect_stderr(stream):
        yield pipe


async def health(app: Handler) -> None:
    """See to it that the application answers; a line is added to the log."""
    assert (await Client(app).ask("GET", "/health")).status == 200
    await asyncio.sleep(0)


@pytest.mark.usefixtures("_flush_at_once")
async def test_a_log_that_nobody_reads_does_not_stop_the_server() -> None:
    with piped_error() as pipe:
        os.close(pipe.output)
        async with new_client() as client:
            for _ in range(100):
                await health(client.app)


@pytest.mark.usefixtures("_flush_at_once")
async def test_a_log_that_is_stuck_does_not_stop_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs, "MAX_LINES", 10)
    with piped_error() as pipe:
        pipe.fill()
        async with new_client() as client:
            for _ in range(100):
                await health(client.app)
            pipe.empty()  # the log moves again
    with os.fdopen(pipe.output) as output:
        lines = lines_of(output.read())

    told = [line for line in lines if "path" in line]
    assert 10 <= len(told) <= 30  # in the list, on their way to the thread, and with the thread
    assert len(told) + sum(line.get("droppedAccessLines", 0) for line in lines) == 100


async def test_a_log_that_stays_stuck_does_not_hold_up_a_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs, "STOP_SECONDS", 0.01)
    before = threading.active_count()
    with piped_error() as pipe:
        pipe.fill()
        async with new_client() as client:
            await health(client.app)
        assert threading.active_count() == before + 1  # this thread ends with the program

        pipe.empty()  # or here

        await until(lambda: threading.active_count() == before)
    with os.fdopen(pipe.output) as output:
        assert [line["path"] for line in lines_of(output.read())] == ["/health"]


class Sparing(Counting):
    """A stream that takes a little at a time, as a pipe may."""

    def write(self, data: Any) -> int:
        return super().write(memoryview(data)[:10])


async def test_what_is_not_taken_at_once_is_written_again() -> None:
    log = AccessLog(stream := Sparing())
    async with in_background(log.run()):
        await asyncio.sleep(0)
        answered(log)
    assert paths_of(stream) == ["/tasks"]


# What the program tells of itself.


def record(level: int, message: str, *arguments: object, failed: bool = False) -> logging.LogRecord:
    """Return a record, with the traceback of what has failed just now if it has."""
    exc_info = sys.exc_info() if failed else None
    return logging.LogRecord("taskflow.x", level, "file", 1, message, arguments, exc_info)


def test_a_record_is_one_object_on_one_line() -> None:
    line = JsonFormatter().format(record(logging.WARNING, 'the "%s"\n', "path"))

    entry = json.loads(line)
    assert "\n" not in line
    assert datetime.fromisoformat(entry.pop("time")).tzinfo is UTC
    assert entry == {"level": "warning", "logger": "taskflow.x", "message": 'the "path"\n'}


def test_a_record_of_an_exception_has_its_traceback() -> None:
    try:
        raise KeyError("a secret")
    except KeyError:
        line = JsonFormatter().format(record(logging.ERROR, "it failed", failed=True))

    entry = json.loads(line)
    assert "\n" not in line
    assert (entry["level"], entry["message"]) == ("error", "it failed")
    assert entry["traceback"].startswith("Traceback (most recent call last):\n")
    assert entry["traceback"].endswith("KeyError: 'a secret'")
    assert "test_logs.py" in entry["traceback"]


@pytest.mark.parametrize("stream", [BytesIO(), Terminal()])
def test_records_go_to_standard_error_as_who_reads_it_likes_them(
    monkeypatch: pytest.MonkeyPatch, stream: BytesIO
) -> None:
    monkeypatch.setattr(sys, "stderr", TextIOWrapper(stream, write_through=True))
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.WARNING)

    set_up_logging()
    logging.getLogger("taskflow.told").info("it begins")
    logging.getLogger("taskflow.told").debug("not told")

    if stream.isatty():
        assert stream.getvalue() == b"INFO:taskflow.told:it begins\n"
    else:
        [line] = lines_of(stream.getvalue().decode())
        assert (line["level"], line["message"]) == ("info", "it begins")


async def test_a_failing_handler_is_logged_with_its_request(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    response = await client.ask("GET", "/demo/error/internal")
    request_id = response.headers["X-Request-Id"]
    [bug] = caplog.records
    entry = json.loads(JsonFormatter().format(bug))
    assert entry["message"] == f"GET /demo/error/internal failed (request {request_id})"
    assert entry["traceback"].endswith("ZeroDivisionError: a bug, made on purpose")


def test_a_refusal_is_no_bug_and_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def refused() -> None:
        async with new_client() as client:
            assert (await client.ask("GET", "/nowhere")).status == TaskNotHere.status

    asyncio.run(refused())
    assert caplog.records == []


class TaskNotHere(TaskflowError):
    """What the answer above stands for."""

    status = 404
