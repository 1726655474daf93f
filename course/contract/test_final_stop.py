"""Final: how it stops, and that a file belongs to one server. Starts servers of its own."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from .api import Api
from .conftest import Attempt, Launch
from .live import Listener, handshake
from .process import ServerProcess

TASK = b'{"title": "in flight"}'


def refuses_connections(api: Api) -> None:
    """Return when nobody new is let in: the stop has begun."""
    __tracebackhide__ = True
    for _ in range(100_000):
        try:
            socket.create_connection(api.address, 1).close()
        except ConnectionError:
            return
        except TimeoutError:
            pass  # its SYN was lost in the crowd that this loop makes: ask again
    raise AssertionError("expected the server to let nobody in when it stops")


def begin_to_stop(api: Api, process: ServerProcess) -> threading.Thread:
    """Ask the server to stop, and return when it has begun to."""
    waiting = threading.Thread(target=process.stop)
    waiting.start()
    refuses_connections(api)
    return waiting


@pytest.fixture
def _hang_up() -> Iterator[None]:
    """Let the servers hear SIGHUP, though `nohup` may have started the tests."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("_hang_up")
def test_a_terminal_that_closes_stops_it_gracefully(launch: Launch) -> None:
    api, process = launch()
    connection = api.say(handshake(api))
    connection.switched()
    listener = Listener(connection)

    process.send(signal.SIGHUP)

    assert listener.closed() == 1001
    connection.close()
    assert process.ended() == 0


@pytest.mark.parametrize("arrived", [0, 10], ids=["head only", "half of the body"])
def test_a_request_in_flight_is_finished_and_kept(launch: Launch, arrived: int) -> None:
    api, process = launch("--grace", "8")
    connection = api.connect()
    head = api.head("POST", "/tasks", f"Content-Length: {len(TASK)}")
    api.send_apart(connection, [head, TASK[:arrived]])

    waiting = begin_to_stop(api, process)
    connection.send(TASK[arrived:])

    answer = connection.answer("POST").expect(201)
    assert answer.field("connection") == "close"
    connection.ended()
    connection.close()
    waiting.join()
    assert process.stopped


def test_idle_connections_are_closed_and_websockets_told(launch: Launch) -> None:
    api, process = launch("--grace", "8")
    idle = api.say(api.request("GET", "/health"))
    idle.answer().expect(200)
    connection = api.say(handshake(api))
    connection.switched()
    listener = Listener(connection)

    waiting = begin_to_stop(api, process)

    idle.ended()
    assert listener.closed() == 1001
    connection.close()
    waiting.join()


def test_a_stop_takes_no_longer_than_the_grace(launch: Launch) -> None:
    """Also with a client that has promised a body and sends no more."""
    api, process = launch("--grace", "0.2")
    connection = api.connect()
    api.send_apart(connection, [api.head("POST", "/tasks", "Content-Length: 5")])
    process.stop()


def test_a_second_signal_ends_it_at_once_and_loses_nothing(launch: Launch, tmp_path: Path) -> None:
    data = str(tmp_path / "tasks.db")
    api, process = launch("--grace", "60", "--data", data)
    task = api.create(title="acknowledged")
    connection = api.connect()
    api.send_apart(connection, [api.head("POST", "/tasks", "Content-Length: 5")])
    process.send(signal.SIGTERM)
    refuses_connections(api)

    process.send(signal.SIGTERM)

    assert process.ended() == -signal.SIGTERM

    again, _ = launch("--data", data)
    assert again.tasks() == [task]


def test_what_was_acknowledged_is_there_again(launch: Launch, tmp_path: Path) -> None:
    data = str(tmp_path / "tasks.db")
    api, process = launch("--data", data)
    first = api.create(title="first")
    second = api.create(title="second", dependencies=[first["id"]])
    done = api.change(first, status="completed")
    process.stop()

    again, _ = launch("--data", data)
    assert again.tasks() == [done, second]


def test_without_a_file_nothing_is_kept(launch: Launch) -> None:
    api, process = launch("--data", ":memory:")
    api.create()
    process.stop()
    again, _ = launch("--data", ":memory:")
    assert again.tasks() == []


def test_a_file_belongs_to_one_server(launch: Launch, attempt: Attempt, tmp_path: Path) -> None:
    data = str(tmp_path / "tasks.db")
    api, _ = launch("--data", data)
    task = api.create()

    second = attempt("--demos", "--data", data, settings={})

    assert (second.returncode, second.stdout) == (2, "")
    assert len(second.stderr.splitlines()) == 1, second.stderr
    assert data in second.stderr
    assert api.tasks() == [task]
