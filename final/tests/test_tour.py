"""The tour on its own server, on one with other tasks, and on one whose responses are wrong."""

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
from taskflow.tour.__main__ import known_tokens
from taskflow.tour.client import Client, TourError
from taskflow.tour.screen import Screen, tree
from taskflow.tour.server import own_server
from taskflow.tour.walk import CONCEPTS, Concept, find_concepts, walk

TOKENS = Tokens(ADMIN, USER)
EXAMPLES = Tokens(*EXAMPLE_TOKENS)
IN_MEMORY = ("--data", ":memory:")


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def toured(url: str, *names: str, tokens: Tokens = TOKENS) -> tuple[int, str]:
    """Run the tour in this process; return the exit status and the output."""
    stream = StringIO()
    status = walk(url, tokens, find_concepts(names), Screen(stream))
    return status, stream.getvalue()


@contextmanager
def touring(
    folder: Path, *arguments: str, module: str = "taskflow.tour", warnings: str = "error"
) -> Iterator[subprocess.Popen[str]]:
    """Run the tour as a program during the block."""
    with subprocess.Popen(
        [sys.executable, "-W", warnings, "-m", module, *arguments],
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


# A correct server.


@pytest.mark.skipif(sys.platform == "win32", reason="the exit status of a stopped server")
def test_the_whole_tour_on_its_own_server(tmp_path: Path) -> None:
    # The tour's own server does not read the settings in this directory.
    (tmp_path / ".env").write_text("TASKFLOW_PORT=nowhere\n")
    with touring(tmp_path) as process:
        out, err = process.communicate(timeout=2 * DEADLINE)

    assert (process.returncode, err) == (0, ""), out
    assert "\n10 of 10 concepts passed\n" in out
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


def test_it_leaves_the_tasks_of_other_clients_as_they_were(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        url = f"http://127.0.0.1:{server.port}"
        for priority in (1, 1_000_000_000, 5):
            server.ask("POST", "/tasks", {"title": "of another client", "priority": priority})
        tasks = server.shown("/tasks")
        for _ in range(2):
            status, out = toured(url)
            assert status == 0, out
            assert "\n10 of 10 concepts passed\n" in out
            assert server.shown("/tasks") == tasks
        assert "skipped: some checks, because this server has other tasks" in out
        assert (
            "  skipped        claims, because another task here has the highest priority\n" in out
        )
        # There are four such concepts, and the summary repeats them.
        assert out.count("this needs a server with --demos\n") == 8


def test_its_old_name_still_works(tmp_path: Path) -> None:
    with touring(tmp_path, "heap", module="taskflow.demo") as process:
        out, err = process.communicate(timeout=DEADLINE)

    assert (process.returncode, err) == (0, ""), out
    assert "\n1 of 1 concepts passed\n" in out


def test_less_urgent_tasks_of_other_clients_do_not_matter(tmp_path: Path) -> None:
    with running(tmp_path, *IN_MEMORY) as server:
        server.ask("POST", "/tasks", {"title": "of another client", "priority": 100})
        tasks = server.shown("/tasks")
        status, out = toured(f"http://127.0.0.1:{server.port}", "heap", "deps", "workers")
        assert status == 0, out
        assert "tasks are claimed by urgency" in out
        assert "after it is completed, its dependent task is next" in out
        assert server.shown("/tasks") == tasks


def test_not_all_tasks_of_a_large_server_are_fetched(tmp_path: Path) -> None:
    with running(tmp_path, *IN_MEMORY) as server:
        server.ask("POST", "/tasks/import", b'{"title": "one of many"}\n' * 10_001)
        status, out = toured(f"http://127.0.0.1:{server.port}", "heap", "streaming")
        assert status == 0, out
        assert "skipped: the picture of the heap" in out
        assert "skipped: export and import" in out


# A server whose responses are wrong.

# Each entry has a concept, bytes of the true response, the bytes that replace them, and the
# beginning of the claim that fails.
LIES = [
    ("http", b"HTTP/1.1 400", b"HTTP/1.1 200", "a request with two different lengths"),
    ("storage", b'"priority":7', b'"priority":6', "a change merges"),
    ("storage", b"HTTP/1.1 204", b"HTTP/1.1 205", "the status of DELETE /tasks/"),
    ("heap", b"in-progress", b"in-regress!", "a claimed task is in progress"),
    ("heap", b"urgency 9", b"urgency 9", ""),
    ("deps", b"CYCLE_DETECTED", b"CYCLE_ACCEPTED", "a cycle is refused"),
    ("middleware", b"HTTP/1.1 403", b"HTTP/1.1 201", "the status of POST /tasks"),
    ("middleware", b"HTTP/1.1 401", b"HTTP/1.1 200", "the status of GET /tasks/next"),
    ("errors", b'"requestId"', b'"requestNo"', "an error has one shape"),
    ("errors", b'"timestamp":"202', b'"timestamp":".py', "a bug gets 500"),
    ("memory", b'"cache":{"size":100', b'"cache":{"size":500', "the cache keeps 100"),
    ("workers", b'"totalTasks":3', b'"totalTasks":2', "the report counts the three tasks"),
    ("streaming", b'}\n{"id":1', b'} {"id":1', "all 300,000 rows arrive"),
    ("streaming", b'"failedCount":1', b'"failedCount":0', "an import adds valid lines"),
    ("websockets", b"task.updated", b"task.altered", "both changes are events"),
    ("websockets", b'"type":"pong"', b'"tip!":"pong"', "responses have the expected fields"),
]


async def pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, truth: bytes, lie: bytes
) -> None:
    """Copy bytes until the end, and replace the truth by a lie of the same length."""
    while data := await reader.read(1 << 16):
        writer.write(data.replace(truth, lie))
        await writer.drain()
    writer.write_eof()


@asynccontextmanager
async def lying(port: int, truth: bytes, lie: bytes) -> AsyncIterator[str]:
    """Run a proxy that replaces bytes of a server's responses, and yield its address."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
        # A client or server may close its connection early.
        await asyncio.gather(
            pump(reader, server_writer, b"", b""),
            pump(server_reader, writer, truth, lie),
            return_exceptions=True,
        )
        server_writer.close()
        writer.close()

    carriers: list[asyncio.Task[None]] = []
    proxy = await asyncio.start_server(
        lambda *streams: carriers.append(asyncio.ensure_future(carry(*streams))), "127.0.0.1", 0
    )
    async with proxy:
        yield f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    await asyncio.gather(*carriers)


@pytest.fixture(scope="module")
def honest() -> Iterator[str]:
    """Give the address of a server with demos and the example tokens."""
    with own_server() as url:
        yield url


@pytest.mark.parametrize(("name", "truth", "lie", "claim"), LIES)
async def test_a_lie_is_found(honest: str, name: str, truth: bytes, lie: bytes, claim: str) -> None:
    async with lying(int(honest.rpartition(":")[2]), truth, lie) as url:
        status, out = await asyncio.to_thread(partial(toured, url, name, tokens=EXAMPLES))
    assert status == int(bool(claim)), out
    assert ("\n  failed         " + name in out) == bool(claim)
    failure = re.search(r"✗ (.+)\n +expected  .+\n +received  .+\n", out)
    assert (failure[1] if failure else "").startswith(claim), out
    # The tour has deleted its tasks.
    client = Client(honest, EXAMPLES)
    assert (await asyncio.to_thread(client.send, "GET", "/tasks")).json == []


def test_a_server_that_is_killed_fails_the_check(tmp_path: Path) -> None:
    with running(tmp_path, *IN_MEMORY) as server:
        stream = StringIO()
        screen = Screen(stream)
        storage, heap = find_concepts(["storage", "heap"])

        def kill(*_: object) -> None:
            server.end(signal.SIGKILL)

        killed = Concept("killed", "The server is killed.", kill)
        url = f"http://127.0.0.1:{server.port}"
        assert walk(url, TOKENS, [storage, killed, heap], screen) == 1
    out = stream.getvalue()
    assert "2 of 3 concepts passed" in out
    assert "failed         heap: every request gets a response" in out


@pytest.mark.parametrize("url", ["", "127.0.0.1:3000", "ftp://127.0.0.1", "http://[", "http://a:x"])
def test_a_bad_address_is_named(url: str) -> None:
    with pytest.raises(TourError, match="is not an address"):
        toured(url)


def test_without_a_server_it_does_not_begin(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with touring(tmp_path, "--url", f"http://127.0.0.1:{port}") as process:
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2
    assert re.fullmatch(r"taskflow\.tour: no response to GET /health: [^\n]+\n", err)


@pytest.mark.parametrize(
    ("tokens", "name"), [(Tokens(ADMIN, "wrong"), "USER"), (Tokens(USER, USER), "ADMIN")]
)
def test_a_refused_token_is_named(tmp_path: Path, tokens: Tokens, name: str) -> None:
    with running(tmp_path, *IN_MEMORY) as server:
        with pytest.raises(TourError, match=f"set TASKFLOW_{name}_TOKEN"):
            toured(f"http://127.0.0.1:{server.port}", tokens=tokens)
        assert server.shown("/tasks") == []


def test_of_two_tokens_for_a_role_one_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TASKFLOW_ADMIN_TOKEN", f"{ADMIN}, an-older-admin-token")
    (tmp_path / ".env").write_text(f"TASKFLOW_USER_TOKEN='{USER} , an-older-user-token'\n")
    assert known_tokens() == Tokens(ADMIN, USER)


async def test_another_kind_of_server_is_recognised(tmp_path: Path) -> None:
    with running(tmp_path, *IN_MEMORY) as server:
        async with lying(server.port, b"healthy", b"ill, so") as url:
            with pytest.raises(TourError, match="is not a healthy Taskflow"):
                await asyncio.to_thread(toured, url)


def test_a_concept_that_does_not_exist() -> None:
    with pytest.raises(
        TourError, match="unknown concept 'heaps'; the concepts are http, storage, heap,"
    ):
        find_concepts(["heap", "heaps"])


# Every end of the tour.


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_signal_in_the_middle_leaves_no_tasks(tmp_path: Path) -> None:
    with running(tmp_path, *IN_MEMORY, "--demos") as server:
        url = f"http://127.0.0.1:{server.port}"
        # The signal may arrive after a connection is opened and before it is stored, so that
        # Python warns about an unclosed socket.
        with touring(tmp_path, "--url", url, "workers", warnings="ignore") as process:
            assert process.stdout is not None
            while "/demo/cpu/blocking" not in process.stdout.readline():
                pass
            process.terminate()
            _, err = process.communicate(timeout=DEADLINE)
        assert (process.returncode, err) == (130, "taskflow.tour: stopped\n")
        assert server.shown("/tasks") == []


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_closed_output_is_not_an_error(tmp_path: Path) -> None:
    with running(tmp_path, *IN_MEMORY) as server:
        with touring(tmp_path, "--url", f"http://127.0.0.1:{server.port}", "heap") as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == ""
            assert process.wait(DEADLINE) == 141
        assert server.shown("/tasks") == []


def test_its_own_server_ends_even_if_the_tour_is_killed(tmp_path: Path) -> None:
    with touring(tmp_path, "workers") as process:
        assert process.stdout is not None
        process.stdout.readline()
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.kill()
        process.wait(DEADLINE)
        _, alive = psutil.wait_procs(children, DEADLINE)
    assert alive == []


# The output.


def test_colours_are_for_terminals_without_no_color(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for stream, painted in (StringIO(), False), (Terminal(), True):
        Screen(stream).passed("it is so")
        assert ("\x1b[32m" in stream.getvalue()) == painted
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    Screen(plain).passed("it is so")
    assert plain.getvalue() == "  ✓ it is so\n"


def test_an_ascii_terminal_gets_ascii() -> None:
    raw = BytesIO()
    with TextIOWrapper(raw, encoding="ascii", write_through=True) as stream:
        screen = Screen(stream)
        screen.passed("it is so")
        screen.bars([("a", 2, "two"), ("b", 1, "one")])
        screen.response(200, "OK", json.dumps({"title": "é…"}, ensure_ascii=False).encode())
        shown = raw.getvalue().decode()
    assert "ok it is so" in shown
    assert [line.count("#") for line in shown.splitlines() if "#" in line] == [40, 20]


def test_a_server_cannot_control_the_terminal() -> None:
    stream = StringIO()
    screen = Screen(stream)
    evil = "\x1b]0;evil\x07"
    screen.request("GET", evil)
    screen.response(200, evil, evil.encode())
    screen.response(200, "OK", json.dumps({"title": evil}).encode())
    screen.row(evil)
    screen.failed("a claim", evil, evil)
    assert not set("\x1b\x07") & set(stream.getvalue())


def test_a_long_body_is_shortened() -> None:
    stream = StringIO()
    Screen(stream).response(200, "OK", json.dumps(["a" * 100] * 1000).encode())
    assert len(stream.getvalue().splitlines()) <= 6
    assert stream.getvalue().endswith(" ...\n")


def test_a_heap_is_drawn_as_a_tree() -> None:
    lines = tree([9, 5, 7, 1])
    assert [line.split() for line in lines] == [["9"], ["5", "7"], ["1"]]
    assert lines[1].index("5") < lines[0].index("9") < lines[1].index("7")
    assert tree([]) == []
