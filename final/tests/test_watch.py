"""The client in the terminal: nothing lost, nothing twice, and no way to control a terminal."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from in_process import TOKENS, Client, new_client
from over_socket import PATIENCE, PATIENT, Serving, serving, until
from websockets import connect

import taskflow
from taskflow import watch as watch_module
from taskflow.server import Server
from taskflow.watch import as_line, watch

PACKAGE = Path(taskflow.__file__).resolve().parents[1]  # where `-m taskflow.watch` finds it
# Of two tokens for a role, both are good.
TWO_TOKENS = f"{TOKENS.user}, an-older-user-token"
SETTINGS = {"TASKFLOW_ADMIN_TOKEN": TOKENS.admin, "TASKFLOW_USER_TOKEN": TWO_TOKENS}

ONE_ID = "01234567-89ab-4def-8123-456789abcdef"


def url(port: int) -> str:
    return f"ws://127.0.0.1:{port}/ws/tasks"


def no_pauses() -> Generator[float, None, None]:
    """Yield how long to wait before it connects again."""
    while True:
        yield 0.001


class Watching:
    """A watch in a loop of its own, as in a terminal, and what it has printed so far."""

    def __init__(self, port: int) -> None:
        self.printed: list[str] = []
        self._url = url(port)

    async def __aenter__(self) -> "Watching":
        self.ended = asyncio.create_task(asyncio.to_thread(self._run))
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it, and wait until nothing of it is left."""
        await until(lambda: hasattr(self, "_task") or self.ended.done())
        if not self.ended.done():
            self._loop.call_soon_threadsafe(self._task.cancel)
        await self.ended

    def _run(self) -> None:
        with suppress(asyncio.CancelledError), pytest.MonkeyPatch.context() as patch:
            # It connects again at once, and directly.
            again = partial(connect, reconnect_delays=no_pauses, proxy=None)
            patch.setattr(watch_module, "connect", again)
            patch.setattr(watch_module, "print", self._print, raising=False)
            asyncio.run(self._watch())

    def _print(self, line: str, **where: object) -> None:
        if "file" not in where:
            self.printed.append(line)

    async def _watch(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(watch(self._url, TOKENS.user))
        await asyncio.wait([self._task])
        await self._loop.shutdown_asyncgens()  # its last connection says goodbye
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=PATIENCE)
        await self._task

    @property
    def lines(self) -> list[list[str]]:
        """Return the words of the lines."""
        return [line.split() for line in list(self.printed)]

    def numbers(self) -> list[int]:
        """Return the numbers of the events that were printed."""
        return [int(words[0]) for words in self.lines]


application = new_client


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[Client, Serving, Watching]]:
    """Watch a new application over a socket."""
    async with (
        application() as client,
        serving(client.app) as served,
        Watching(served.port) as watching,
    ):
        yield client, served, watching


async def listeners(client: Client) -> int:
    count = (await client.shown("/tasks/system/ws"))["clients"]
    assert isinstance(count, int)
    return count


async def until_listening(client: Client, watching: Watching) -> None:
    """Wait until it is subscribed: `reports` is a room that one asks for."""
    async with asyncio.timeout(10):
        while (await client.shown("/tasks/system/ws"))["rooms"] < 2:
            assert not watching.ended.done()
            await asyncio.sleep(0)


async def test_events_are_printed_as_they_come() -> None:
    async with watched() as (client, _, watching):
        await until_listening(client, watching)
        task = await client.created(title="Wash the car")
        await client.ask("PATCH", f"/tasks/{task['id']}", {"status": "completed"})
        await client.ask("DELETE", f"/tasks/{task['id']}")
        await until(lambda: len(watching.lines) == 3)

        assert watching.lines == [
            ["1", "task.created", task["id"], "pending", "Wash", "the", "car"],
            ["2", "task.updated", task["id"], "completed", "Wash", "the", "car"],
            ["3", "task.deleted", task["id"]],
        ]


async def test_only_what_happens_from_now_on_is_printed() -> None:
    async with application() as client, serving(client.app) as served:
        await client.created(title="before")
        async with Watching(served.port) as watching:
            await until_listening(client, watching)
            await client.created(title="after")
            await until(lambda: watching.lines)

            assert [words[-1] for words in watching.lines] == ["after"]


async def test_nothing_is_lost_or_doubled_when_the_connection_is_cut() -> None:
    """Cut at any moment of the handshake, with events before, meanwhile and after."""
    async with watched() as (client, served, watching):
        await until_listening(client, watching)
        for turns in range(30):
            for connection in list(served.server.connections):
                connection.transport.abort()
            await client.created(title="while it is away")
            for _ in range(turns):
                await asyncio.sleep(0)
            await client.created(title="while it comes back, perhaps")
        await until_listening(client, watching)
        last = await client.created(title="the last one")
        await until(lambda: any(last["id"] in words for words in watching.lines))

        assert watching.numbers() == list(range(1, 62))


async def test_events_between_ready_and_confirmed_come_once() -> None:
    """As everybody is in the room `tasks` at first, they come twice over the wire."""
    async with watched() as (client, _, watching):
        async with asyncio.timeout(10):
            while not await listeners(client):  # noqa: ASYNC110
                await asyncio.sleep(0)
        for _ in range(20):
            await client.created(title="early")
            await asyncio.sleep(0)
        await until(lambda: 20 in watching.numbers())

        numbers = watching.numbers()
        assert numbers == list(range(numbers[0], 21))


async def test_another_life_of_the_server_is_a_gap() -> None:
    """And from there it goes on with the new numbers, across another cut too."""
    async with AsyncExitStack() as stack:
        first = application()
        client = await first.__aenter__()
        async with serving(client.app) as served:
            watching = await stack.enter_async_context(Watching(port := served.port))
            await until_listening(client, watching)
            for _ in range(3):
                await client.created(title="in the first life")
            await until(lambda: watching.numbers() == [1, 2, 3])
            await served.server.stop(0)
            await first.__aexit__(None, None, None)
        client = await stack.enter_async_context(application())
        await client.created(title="before it is back")
        server = Server(client.app, 1000, PATIENT)
        assert await server.start("127.0.0.1", port) == port
        stack.push_async_callback(server.stop, 0)
        await until_listening(client, watching)
        await client.created(title="in the second life")
        await until(lambda: watching.numbers() == [1, 2, 3, 1, 2])
        for connection in list(server.connections):
            connection.transport.abort()
        await client.created(title="while it is away")
        await until(lambda: watching.numbers() == [1, 2, 3, 1, 2, 3])
        assert watching.lines[3][1:2] == ["history.gap"]
        assert [words[1] for words in watching.lines[4:]] == ["task.created"] * 2


# What is printed.


@pytest.mark.parametrize("bad", ["\x1b[2J", "\x1b]0;owned\a", "\r", "\x9b31m", "\u202e", "\x7f"])
def test_no_title_controls_the_terminal(bad: str) -> None:
    task = {"id": ONE_ID, "status": "pending", "title": f"a{bad}z"}
    line = as_line({"type": "task.created", "seq": 1, "task": task})
    assert line.isprintable()
    assert line.endswith("z")
    assert "\x1b" not in line


async def test_no_title_controls_the_terminal_from_afar() -> None:
    async with watched() as (client, _, watching):
        await until_listening(client, watching)
        await client.created(title="a\x1b[31m\n2 task.created forged\u202e")
        await client.created(title="é€😀")
        await until(lambda: len(watching.lines) == 2)

        assert watching.numbers() == [1, 2]
        assert watching.lines[0][-3:] == ["a?[31m?2", "task.created", "forged?"]
        assert watching.lines[1][-1] == "é€😀"


def test_each_event_has_its_line() -> None:
    assert as_line({"type": "report.completed", "seq": 12, "jobId": ONE_ID}).split() == [
        "12",
        "report.completed",
        ONE_ID,
    ]
    assert as_line({"type": "history.gap", "seq": 7}).startswith("     7 history.gap")


# The program.


@asynccontextmanager
async def program(
    *arguments: str, settings: dict[str, str] = SETTINGS
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the program; end it with the block."""
    environment = {name: os.environ[name] for name in os.environ.keys() - SETTINGS.keys()}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "taskflow.watch", *arguments),
        cwd=PACKAGE,
        env=environment | {"no_proxy": "127.0.0.1"} | settings,
        stdout=pipe,
        stderr=pipe,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def test_ctrl_c_ends_it_without_a_word() -> None:
    async with application() as client, serving(client.app) as served:
        async with program("--url", url(served.port)) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            while (await client.shown("/tasks/system/ws"))["rooms"] < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # it starts, and needs the processor for that
            task = await client.created(title="seen")
            line = await process.stdout.readline()
            assert line.split() == [b"1", b"task.created", task["id"].encode(), b"pending", b"seen"]

            process.send_signal(signal.SIGINT)

            assert await process.wait() == 0
            assert await process.stdout.read() == b""
            assert await process.stderr.read() == b""
        await until(lambda: not served.server.connections)


async def test_a_token_that_is_refused_is_one_line_and_status_1() -> None:
    wrong = {**SETTINGS, "TASKFLOW_USER_TOKEN": "another-token"}
    async with application() as client, serving(client.app) as served:
        async with program("--url", url(served.port), settings=wrong) as process:
            out, err = await process.communicate()
        assert (process.returncode, out) == (1, b"")
        assert len(err.splitlines()) == 1
        assert err.startswith(b"taskflow.watch: ")
        assert b"401" in err


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        (["--url", "http://127.0.0.1"], SETTINGS),
        (["--url", "nonsense"], SETTINGS),
    ],
)
async def test_a_bad_setting_is_one_line_and_status_1(
    arguments: list[str], settings: dict[str, str]
) -> None:
    async with program(*arguments, settings=settings) as process:
        out, err = await process.communicate()
    assert (process.returncode, out) == (1, b"")
    assert len(err.splitlines()) == 1
    assert err.startswith(b"taskflow.watch: ")


async def test_what_is_no_websocket_is_one_line_and_status_1() -> None:
    """Some other server, at a port that was mistaken."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        async with program("--url", url(port)) as process:
            out, err = await process.communicate()
    assert (process.returncode, out) == (1, b"")
    assert len(err.splitlines()) == 1, err
    assert err.startswith(b"taskflow.watch: ")
