"""The tour: on a server of its own, on one that is in use, and on one that lies."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import psutil
import pytest
from as_process import ADMIN, DEADLINE, USER, environment, running

from taskflow.config import EXAMPLE_TOKENS, Tokens
from taskflow.demo import CONCEPTS, chosen, own_server, tour
from taskflow.demo_show import Screen, tree
from taskflow.demo_talk import CannotTalk, Talk

TOKENS = Tokens(ADMIN, USER)
EXAMPLES = Tokens(*EXAMPLE_TOKENS)
IN_MEMORY = ("--data", ":memory:")


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def toured(url: str, *names: str, tokens: Tokens = TOKENS) -> tuple[int, str]:
    """Walk the tour in this process; return the exit status and what was shown."""
    stream = StringIO()
    status = tour(url, tokens, chosen(names), Screen(stream))
    return status, stream.getvalue()


@contextmanager
def walking(
    folder: Path, *arguments: str, warnings: str = "error"
) -> Iterator[subprocess.Popen[str]]:
    """Start the tour as a program; end it with the block."""
    with subprocess.Popen(
        [sys.executable, "-W", warnings, "-m", "taskflow.demo", *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


# As it is meant to be.


@pytest.mark.skipif(sys.platform == "win32", reason="the exit status of a stopped server")
def test_the_whole_tour_on_a_server_of_its_own(tmp_path: Path) -> None:
    # A file of settings lies there, which is not for the tour's server.
    (tmp_path / ".env").write_text("TASKFLOW_PORT=nowhere\n")
    with walking(tmp_path) as process:
        out, err = process.communicate(timeout=2 * DEADLINE)

    assert (process.returncode, err) == (0, ""), out
    assert "\n10 of 10 concepts are as told\n" in out
    assert re.findall(r"^(\d+/10 \w+)$", out, re.MULTILINE) == [
        f"{number}/10 {concept.name}" for number, concept in enumerate(CONCEPTS, start=1)
    ]
    assert "skipped" not in out
    assert "\x1b" not in out
    port = re.search(r"http://127\.0\.0\.1:(\d+)", out)
    assert port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port[1])), DEADLINE)
    assert [file.name for file in tmp_path.iterdir()] == [".env"]


def test_it_lets_a_server_in_use_as_it_was(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        url = f"http://127.0.0.1:{server.port}"
        for priority in (1, 1_000_000_000, 5):
            server.ask("POST", "/tasks", {"title": "of others", "priority": priority})
        tasks = server.shown("/tasks")
        for _ in range(2):
            status, out = toured(url)
            assert status == 0, out
            assert "\n10 of 10 concepts are as told\n" in out
            assert server.shown("/tasks") == tasks
        assert "skipped: what needs an empty server" in out
        assert "  skipped        claims, for another task here is as urgent as can be\n" in out
        assert out.count("it needs a server with --demos\n") == 8  # four, and in the summary


def test_tasks_of_others_that_are_less_urgent_do_not_matter(tmp_path: Path) -> None:
    with running(tmp_path, *IN_MEMORY) as server:
        server.ask("POST", "/tasks", {"title": "of others", "priority": 100})
        tasks = server.shown("/tasks")
        status, out = toured(f"http://127.0.0.1:{server.port}", "heap", "deps", "workers")
        assert status == 0, out
        assert "claims come by urgency" in out
        assert "when it is done the one behind it is" in out
        assert server.shown("/tasks") == tasks


def test_a_large_server_is_not_fetched_whole(tmp_path: Path) -> None:
    with running(tmp_path, *IN_MEMORY) as server:
        server.ask("POST", "/tasks/import", b'{"title": "one of many"}\n' * 10_001)
        status, out = toured(f"http://127.0.0.1:{server.port}", "heap", "streaming")
        assert status == 0, out
        assert "skipped: the picture of the heap" in out
        assert "skipped: export and import" in out


# What goes wrong.

LIES = [  # a concept, what is true and what is said, and what the tour finds not as told
    ("http", b"HTTP/1.1 400", b"HTTP/1.1 200", "of two lengths neither is believed"),
    ("storage", b'"priority":7', b'"priority":6', "a change merges"),
    ("storage", b"HTTP/1.1 204", b"HTTP/1.1 205", "the status of DELETE /tasks/"),
    ("heap", b"in-progress", b"in-regress!", "a claimed task is in progress"),
    ("heap", b"urgency 9", b"urgency 9", ""),
    ("deps", b"CYCLE_DETECTED", b"CYCLE_ACCEPTED", "a cycle is refused"),
    ("middleware", b"HTTP/1.1 403", b"HTTP/1.1 201", "the status of POST /tasks"),
    ("middleware", b"HTTP/1.1 401", b"HTTP/1.1 200", "the status of GET /tasks/next"),
    ("errors", b'"requestId"', b'"requestNo"', "an error has one shape"),
    ("errors", b"how", b".py", "a bug answers 500, and tells nothing of the inside"),
    ("memory", b'"cache":{"size":100', b'"cache":{"size":500', "the cache keeps 100"),
    ("workers", b'"totalTasks":3', b'"totalTasks":2', "it knows our three tasks"),
    ("streaming", b'}\n{"id":1', b'} {"id":1', "all 300,000 rows of it"),
    ("streaming", b'"failedCount":1', b'"failedCount":0', "an import takes what is good"),
    ("websockets", b"task.updated", b"task.altered", "creating and changing is heard"),
    ("websockets", b'"type":"pong"', b'"tip!":"pong"', "answers have the fields"),
]


async def pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, truth: bytes, lie: bytes
) -> None:
    """Carry bytes, and tell a lie for a truth of the same length."""
    while data := await reader.read(1 << 16):
        writer.write(data.replace(truth, lie))
        await writer.drain()
    writer.write_eof()


@asynccontextmanager
async def lying(port: int, truth: bytes, lie: bytes) -> AsyncIterator[str]:
    """Run a proxy before a server, which lies; give its address."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, before = await asyncio.open_connection("127.0.0.1", port)
        both = pump(reader, before, b"", b""), pump(behind, writer, truth, lie)
        await asyncio.gather(*both, return_exceptions=True)  # who leaves early is let go
        for each in before, writer:
            each.close()
        done.release()

    done = asyncio.Semaphore(0)
    carriers: list[asyncio.Task[None]] = []
    proxy = await asyncio.start_server(
        lambda *pair: carriers.append(asyncio.ensure_future(carry(*pair))), "127.0.0.1", 0
    )
    async with proxy:
        yield f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    await asyncio.gather(*carriers)


@pytest.fixture(scope="module")
def honest() -> Iterator[str]:
    """Give the address of a server that does not lie, and has demos and the example tokens."""
    with own_server() as url:
        yield url


@pytest.mark.parametrize(("name", "truth", "lie", "said"), LIES)
async def test_a_lie_is_found(honest: str, name: str, truth: bytes, lie: bytes, said: str) -> None:
    async with lying(int(honest.rpartition(":")[2]), truth, lie) as url:
        status, out = await asyncio.to_thread(partial(toured, url, name, tokens=EXAMPLES))
    assert status == int(bool(said)), out
    assert ("\n  not as told    " + name in out) == bool(said)
    found = re.search(r"✗ (.+)\n +expected  .+\n +received  .+\n", out)
    assert (found[1] if found else "").startswith(said), out
    left = Talk(honest, EXAMPLES, Screen(StringIO())).quietly
    assert (await asyncio.to_thread(left, "GET", "/tasks")).json == []


def test_a_server_that_goes_away_is_not_as_told(tmp_path: Path) -> None:
    with running(tmp_path, *IN_MEMORY) as server:
        stream = StringIO()
        screen = Screen(stream)
        first, second = chosen(["storage", "heap"])

        def kill(*_: object) -> None:
            server.end(signal.SIGKILL)

        gone = type(first)("gone", "The server is killed.", kill)
        url = f"http://127.0.0.1:{server.port}"
        assert tour(url, TOKENS, [first, gone, second], screen) == 1
    out = stream.getvalue()
    assert "2 of 3 concepts are as told" in out
    assert "not as told    heap: every request is answered" in out


@pytest.mark.parametrize("url", ["", "127.0.0.1:3000", "ftp://127.0.0.1", "http://[", "http://a:x"])
def test_a_bad_address_is_named(url: str) -> None:
    with pytest.raises(CannotTalk, match="is no address"):
        toured(url)


def test_where_nobody_answers_it_does_not_begin(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    with walking(tmp_path, "--url", f"http://127.0.0.1:{port}") as process:
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2
    assert re.fullmatch(r"taskflow\.demo: no answer to GET /health: [^\n]+\n", err)


@pytest.mark.parametrize(
    ("tokens", "name"), [(Tokens(ADMIN, "wrong"), "USER"), (Tokens(USER, USER), "ADMIN")]
)
def test_a_refused_token_is_named(tmp_path: Path, tokens: Tokens, name: str) -> None:
    with running(tmp_path, *IN_MEMORY) as server:
        with pytest.raises(CannotTalk, match=f"set TASKFLOW_{name}_TOKEN"):
            toured(f"http://127.0.0.1:{server.port}", tokens=tokens)
        assert server.shown("/tasks") == []


async def test_another_server_is_known_by_its_answer(tmp_path: Path) -> None:
    with running(tmp_path, *IN_MEMORY) as server:
        async with lying(server.port, b"healthy", b"ill, so") as url:
            with pytest.raises(CannotTalk, match="no Taskflow"):
                await asyncio.to_thread(toured, url)


def test_a_concept_that_does_not_exist() -> None:
    with pytest.raises(CannotTalk, match="there is no 'heaps': there are http, storage, heap,"):
        chosen(["heap", "heaps"])


# However it ends.


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_signal_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    with running(tmp_path, *IN_MEMORY, "--demos") as server:
        url = f"http://127.0.0.1:{server.port}"
        # The signal may come when a connection is open that nobody knows of yet.
        with walking(tmp_path, "--url", url, "workers", warnings="ignore") as process:
            assert process.stdout is not None
            while "/demo/cpu/blocking" not in process.stdout.readline():
                pass
            process.terminate()
            _, err = process.communicate(timeout=DEADLINE)
        assert (process.returncode, err) == (130, "taskflow.demo: stopped\n")
        assert server.shown("/tasks") == []


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    with running(tmp_path, *IN_MEMORY) as server:
        with walking(tmp_path, "--url", f"http://127.0.0.1:{server.port}", "heap") as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == ""
            assert process.wait(DEADLINE) == 141
        assert server.shown("/tasks") == []


def test_its_server_ends_though_it_was_killed(tmp_path: Path) -> None:
    with walking(tmp_path, "workers") as process:
        assert process.stdout is not None
        process.stdout.readline()
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.kill()
        process.wait(DEADLINE)
        _, alive = psutil.wait_procs(children, DEADLINE)
    assert alive == []


# What is shown.


def test_colours_are_for_terminals_and_for_those_who_like_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for stream, painted in (StringIO(), False), (Terminal(), True):
        Screen(stream).as_told("it is so")
        assert ("\x1b[32m" in stream.getvalue()) == painted
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    Screen(plain).as_told("it is so")
    assert plain.getvalue() == "  ✓ it is so\n"


def test_a_terminal_that_knows_ascii_only() -> None:
    raw = BytesIO()
    with TextIOWrapper(raw, encoding="ascii", write_through=True) as stream:
        screen = Screen(stream)
        screen.as_told("it is so")
        screen.bars([("a", 2, "two"), ("b", 1, "one")])
        screen.answer(200, "OK", json.dumps({"title": "é…"}, ensure_ascii=False).encode())
        shown = raw.getvalue().decode()
    assert "ok it is so" in shown
    assert [line.count("#") for line in shown.splitlines() if "#" in line] == [40, 20]


def test_what_a_server_sends_controls_no_terminal() -> None:
    stream = StringIO()
    screen = Screen(stream)
    evil = "\x1b]0;evil\x07"
    screen.request("GET", evil)
    screen.answer(200, evil, evil.encode())
    screen.answer(200, "OK", json.dumps({"title": evil}).encode())
    screen.row(evil)
    screen.not_as_told("that", evil, evil)
    assert not set("\x1b\x07") & set(stream.getvalue())


def test_a_long_answer_is_shortened() -> None:
    stream = StringIO()
    Screen(stream).answer(200, "OK", json.dumps(["a" * 100] * 1000).encode())
    assert len(stream.getvalue().splitlines()) <= 6
    assert stream.getvalue().endswith(" ...\n")


def test_a_heap_is_drawn_as_a_tree() -> None:
    lines = tree([9, 5, 7, 1])
    assert [line.split() for line in lines] == [["9"], ["5", "7"], ["1"]]
    assert lines[1].index("5") < lines[0].index("9") < lines[1].index("7")
    assert tree([]) == []
