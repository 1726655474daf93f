"""Step 10: how a WebSocket ends, and with which code; and that it ends for nobody else."""

from __future__ import annotations

import signal
import struct

import pytest

from .api import MORE_THAN_BUFFERS, Api
from .conftest import Attempt, Launch
from .live import Listener, handshake, listen, numbers, stats, tasks_of
from .test_step06_log import access_lines
from .websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    MOST_IN_A_MESSAGE,
    PING,
    PONG,
    TEXT,
    close,
    fragments,
    frame,
    text,
)

SAID = b'{"type":"ping"}'


def check_closed(api: Api, code: int, *frames: bytes) -> None:
    """The frames end the connection with this code; another client does not notice."""
    __tracebackhide__ = True
    listener, other = listen(api), listen(api)
    listener.send(*frames)
    assert listener.closed() == code
    other.quiet()


# By the client


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1012, 3000, 4000, 4999])
def test_a_close_is_echoed(api: Api, code: int) -> None:
    """And the server ends the connection, as its end has to do (RFC 6455, 7.1.1)."""
    for reason in (b"", b"goodbye", "tschüß".encode(), b"x" * 123):
        check_closed(api, code, close(code, reason))


def test_a_close_without_a_code_is_echoed_without_one(api: Api) -> None:
    check_closed(api, 1005, frame(CLOSE))


def test_what_comes_behind_a_close_is_nothing(api: Api) -> None:
    task = api.create()
    listener = listen(api)
    listener.send(close(1000), text({"type": "ping"}), frame(PING), b"\xff" * 1000)
    assert listener.frame().code == 1000
    listener.connection.ended()
    assert api.read(task) == task


def test_a_client_that_ends_the_stream_is_gone(api: Api) -> None:
    """A half-close is no way to go on: a WebSocket has two ends (RFC 6455, 7.1.5)."""
    before = stats(api)["clients"]
    for begun in (b"", text({"type": "ping"})[:5], frame(TEXT, SAID, final=False)):
        listener = listen(api)
        listener.send(begun)
        listener.connection.end()
        listener.connection.rest()
    assert stats(api)["clients"] == before


def test_a_client_that_ends_the_stream_with_its_handshake_is_gone_too(api: Api) -> None:
    """What it has said before that is answered."""
    before = stats(api)["clients"]
    slow = api.request("GET", "/demo/cpu/worker/run?iterations=1000")
    for first in (b"", slow):  # behind a request that is waited for, the end is there before 101
        connection = api.say(first + handshake(api) + text({"type": "ping"}))
        connection.end()
        if first:
            connection.answer().expect(200)
        connection.switched()
        assert Listener(connection).message()["type"] == "pong"
        connection.rest()
        assert stats(api)["clients"] == before


def test_clients_that_leave_rudely_harm_nobody(api: Api) -> None:
    staying = listen(api)
    leaving = [listen(api) for _ in range(10)]
    for listener in leaving:
        listener.connection.reset()
    task = api.create()
    assert tasks_of(staying.told("task.created")) == [task]
    staying.quiet()


# Messages that are too large


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_message_over_the_bound_is_1009(api: Api, opcode: int) -> None:
    check_closed(api, 1009, frame(opcode, SAID.ljust(MOST_IN_A_MESSAGE + 1)))


@pytest.mark.parametrize("pieces", [2, 3, 100])
def test_a_message_over_the_bound_in_fragments_is_1009(api: Api, pieces: int) -> None:
    said = SAID.ljust(MOST_IN_A_MESSAGE + pieces)
    size = len(said) // pieces
    cut = [said[at * size :][: size if at < pieces - 1 else None] for at in range(pieces)]
    check_closed(api, 1009, *fragments(cut))


@pytest.mark.parametrize("size", [MOST_IN_A_MESSAGE + 1, 2**32, 2**63 - 1])
def test_what_is_too_large_is_refused_before_it_comes(api: Api, size: int) -> None:
    """By what its head says."""
    check_closed(api, 1009, struct.pack("!BBQ4x", 0x80 | TEXT, 0x80 | 127, size))


def test_the_refusal_arrives_though_the_client_goes_on_sending(api: Api) -> None:
    said = frame(TEXT, b"x" * MORE_THAN_BUFFERS)
    check_closed(api, 1009, said)


# Text that is none


@pytest.mark.parametrize(
    "said",
    [b"\xff", b"\x80", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xf0\x9f\x98"],
)
def test_text_that_is_not_utf_8_is_1007(api: Api, said: bytes) -> None:
    """Though it would be no message either. Also when it is cut into fragments."""
    whole = b'{"type":"' + said + b'"}'
    for text_ in (said, whole):
        check_closed(api, 1007, frame(TEXT, text_))
    for at in range(len(whole)):
        check_closed(api, 1007, *fragments([whole[:at], whole[at:]]))


def test_a_reason_that_is_not_utf_8_is_1007(api: Api) -> None:
    check_closed(api, 1007, close(1000, b"\xff"))


# Protocol errors


@pytest.mark.parametrize(
    "frames",
    [
        *([frame(opcode, SAID[:100], mask=False)] for opcode in (TEXT, BINARY, PING, PONG)),
        [frame(CLOSE, b"\x03\xe8", mask=False)],
        *([frame(TEXT, SAID, reserved=bits)] for bits in (1, 2, 4, 7)),
        *([frame(PING, b"", reserved=bits)] for bits in (1, 2, 4)),
        *([frame(opcode, b"x")] for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        [frame(CONTINUATION, SAID)],
        [frame(CONTINUATION, b"", final=False)],
        [text({"type": "ping"}), frame(CONTINUATION, SAID)],
        [frame(TEXT, SAID, final=False), frame(TEXT, SAID)],
        [frame(TEXT, SAID, final=False), frame(BINARY, SAID, final=False)],
        [*fragments([SAID[:5], SAID[5:]]), frame(CONTINUATION, b"")],
        *([frame(opcode, b"x" * 126)] for opcode in (CLOSE, PING, PONG)),
        *([frame(opcode, b"\x03\xe8", final=False)] for opcode in (CLOSE, PING, PONG)),
        [frame(TEXT, SAID, final=False), frame(PING, b"", final=False)],
    ],
    ids=lambda frames: frames[-1][:4].hex(),
)
def test_a_frame_that_may_not_be_is_1002(api: Api, frames: list[bytes]) -> None:
    check_closed(api, 1002, *frames)


@pytest.mark.parametrize(
    "payload",
    [
        b"\x03",
        *(
            struct.pack("!H", code)
            for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535)
        ),
    ],
    ids=bytes.hex,
)
def test_a_close_that_says_no_good_code_is_1002(api: Api, payload: bytes) -> None:
    check_closed(api, 1002, frame(CLOSE, payload))


def test_what_comes_behind_an_error_is_nothing(api: Api) -> None:
    listener = listen(api)
    listener.send(frame(3), text({"type": "ping"}) * 100)
    received = listener.frame()
    assert (received.opcode, received.code) == (CLOSE, 1002)
    listener.connection.ended()


# Whether anybody is there


@pytest.mark.parametrize("interval", ["0", "-1", "nan"])
def test_pings_without_a_pause_are_refused(attempt: Attempt, interval: str) -> None:
    tokens = {
        "TASKFLOW_ADMIN_TOKEN": "an-admin-of-our-own",
        "TASKFLOW_USER_TOKEN": "a-user-of-our-own",
    }
    ended = attempt(f"--ping-interval={interval}", settings=tokens)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--ping-interval" in ended.stderr.splitlines()[-1]


def test_a_client_that_answers_no_ping_is_1011(launch: Launch) -> None:
    """Though it says other things: what is asked for is a pong. One that pongs stays."""
    api, _ = launch("--ping-interval", "0.2")
    there, gone = listen(api), listen(api)
    for _ in range(5):
        gone.connection.send(text({"type": "ping"}))
        asked = there.frame()
        assert asked.opcode == PING
        there.send(frame(PONG, asked.payload))
    received = [gone.frame()]
    while received[-1].opcode != CLOSE:
        received.append(gone.frame())
    assert [other.opcode for other in received if other.opcode != TEXT] == [PING, CLOSE]
    assert received[-1].code == 1011
    gone.connection.ended()
    there.quiet()
    task = api.create()
    assert tasks_of(there.told("task.created")) == [task]
    assert stats(api)["clients"] == 1


# Slow clients and fast ones


def test_a_client_that_takes_nothing_is_1013_and_nobody_waits_for_it(launch: Launch) -> None:
    """The fast one gets every event, in order."""
    api, _ = launch()
    slow, fast = listen(api, buffers=65_536), listen(api)
    task = api.create(description="😀" * 10_000)
    told = 1
    fast.told("task.created")
    path = f"/tasks/{task['id']}"
    connection = api.connect()
    while not stats(api)["dropped"]:
        assert told < 1_000, f"{told * 40_000:,} bytes wait for a client that takes none"
        connection.send(api.request("PATCH", path, value={"priority": told + 1}))
        connection.answer().expect(200)
        told += 1
        [event] = fast.told("task.updated")
        assert (event["seq"], event["task"]["priority"]) == (told, told)
    after = stats(api)
    assert (after["clients"], after["dropped"]) == (1, 1)
    assert slow.closed() == 1013
    api.delete(task)
    fast.told("task.deleted")
    assert stats(api)["dropped"] == 1


def test_a_client_that_is_merely_late_gets_everything(launch: Launch) -> None:
    """As long as what waits for it is within the bound."""
    api, _ = launch()
    late, task = listen(api), api.create(description="x" * 10_000)
    requests = [("PATCH", f"/tasks/{task['id']}", {"priority": n}) for n in range(2, 52)]
    for answer in api.ask_all(requests):
        answer.expect(200)
    events = late.told("task.created", *["task.updated"] * 50)
    assert numbers(events) == list(range(1, 52))
    assert stats(api)["dropped"] == 0


# The end of the server


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_stops_says_so(launch: Launch, by: signal.Signals) -> None:
    """1001 to all of them, and nothing but that and the events before."""
    api, process = launch()
    listeners = [listen(api), listen(api, "reports"), listen(api)]
    listeners[2].send(frame(TEXT, SAID, final=False))
    api.create()
    process.stop(by)
    listeners[0].told("task.created")
    listeners[2].told("task.created")
    for listener in listeners:
        assert listener.closed() == 1001


# Limits, and the log


def test_websockets_count_as_connections(launch: Launch) -> None:
    """Over the bound there is no room, and after a close there is again."""
    api, _ = launch("--max-connections", "3")
    listeners = [listen(api) for _ in range(3)]
    refused = api.say(handshake(api))
    api.refused(refused.answer(), "SERVICE_UNAVAILABLE")
    refused.close()
    for listener in listeners:
        listener.quiet()
    listeners[0].send(close(1000))
    assert listeners[0].closed() == 1000
    listeners[0].connection.close()
    room_again(api).quiet()
    listeners[1].connection.reset()
    room_again(api).quiet()
    listeners[2].quiet()


def room_again(api: Api) -> Listener:
    """A new client, as soon as the server has noticed that one has left."""
    for _ in range(1_000):
        connection = api.say(handshake(api))
        try:
            connection.switched()
        except AssertionError:
            connection.close()
        else:
            return Listener(connection)
    raise AssertionError("expected room after a client has left")


def test_a_websocket_is_not_idle(launch: Launch) -> None:
    """It may be silent for longer than a connection without a request may be, or a head take."""
    api, _ = launch("--idle-timeout", "0.3", "--head-timeout", "0.3", "--body-timeout", "0.3")
    listener, idle = listen(api), api.connect()
    listener.send(text({"type": "ping"})[:3])
    idle.ended()
    other = api.connect()
    other.ended()
    listener.send(frame(PING)[3:])
    api.create()
    listener.told("task.created")


def test_the_log_has_a_line_for_each_handshake(launch: Launch) -> None:
    """Written when it was answered; and no token in it."""
    api, process = launch()
    connection = api.say(handshake(api, "X-Request-Id: ws-1"))
    connection.switched()
    Listener(connection).quiet()
    offer = f"Sec-WebSocket-Protocol: taskflow, bearer.{api.token}"
    api.with_token("").say(handshake(api.with_token(""), offer, "X-Request-Id: ws-2")).switched()
    api.ask("GET", "/ws/tasks", "X-Request-Id: ws-3").expect(426)
    lines = access_lines(process)
    named = [[line[key] for key in ("id", "method", "path", "status")] for line in lines]
    assert named == [
        ["ws-1", "GET", "/ws/tasks", 101],
        ["ws-2", "GET", "/ws/tasks", 101],
        ["ws-3", "GET", "/ws/tasks", 426],
    ]
    assert lines[0]["bytes"] == 0
    assert api.token not in process.log
