"""Step 10: what a client may say, in one frame or many, and what is answered to it."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from .api import TIME, Api
from .conftest import Launch
from .live import Listener, handshake, listen
from .websocket import (
    BINARY,
    CONTINUATION,
    MOST_IN_A_MESSAGE,
    PING,
    PONG,
    TEXT,
    fragments,
    frame,
    text,
)

SAID = b'{"type":"ping"}'

# The first message


def test_the_first_message_tells_a_client_where_it_is(api: Api) -> None:
    listeners = [listen(api) for _ in range(3)]
    for listener in listeners:
        UUID(listener.ready["epoch"])
        assert listener.ready["subscribedRooms"] == ["tasks"]
        assert type(listener.ready["seq"]) is int
        assert listener.ready["seq"] >= 0
        assert TIME.fullmatch(listener.ready["timestamp"])
        listener.quiet()
    assert len({listener.ready["clientId"] for listener in listeners}) == 3
    assert len({listener.ready["epoch"] for listener in listeners}) == 1


def test_each_life_of_a_server_has_its_epoch(api: Api, launch: Launch) -> None:
    other, _ = launch()
    assert listen(other).ready["epoch"] != listen(api).ready["epoch"]


# Answers


def test_a_ping_is_answered(api: Api) -> None:
    listener = listen(api)
    for _ in range(3):
        pong = listener.ask({"type": "ping"})
        assert pong["type"] == "pong"


def test_messages_are_answered_in_order(api: Api) -> None:
    """Though they come in one packet, before the first answer is read."""
    listener = listen(api)
    listener.send(*[text({"type": kind}) for kind in ("ping", "dance", "ping")] * 50)
    answers = [listener.message()["type"] for _ in range(150)]
    assert answers == ["pong", "error", "pong"] * 50


DEEP = '{{"type":"dance","a":{}{}}}'

NOT_A_MESSAGE = [
    "",
    " ",
    "ping",
    "{",
    '{"type":"ping"',
    '{"type":"ping"}}',
    '{"type":"ping"} {"type":"ping"}',
    "[]",
    '[{"type":"ping"}]',
    '"ping"',
    "1",
    "null",
    "true",
    "{}",
    '{"Type":"ping"}',
    '{"type":null}',
    '{"type":1}',
    '{"type":["ping"]}',
    '{"type":{"type":"ping"}}',
    '{"type":"ping","type":"ping"}',
    '{"type":"ping","a":NaN}',
    '{"type":"ping","a":-Infinity}',
    '{"type":"ping","a":1e999}',
    '{"type":"ping","a":' + "1" * 101 + "}",
    '{"type":"ping","a":"\\ud800"}',
    "\ufeff" + '{"type":"ping"}',
    "{'type':'ping'}",
    DEEP.format("[" * 32, "]" * 32),
    DEEP.format('{"a":' * 10_000 + "1", "}" * 10_000),
    DEEP.format("[" * 30_000, ""),
]

NOT_A_SUBSCRIPTION = [
    {},
    {"rooms": None},
    {"rooms": "tasks"},
    {"rooms": {}},
    {"rooms": 1},
    {"room": ["tasks"]},
    {"rooms": ["tasks"], "since": "1", "epoch": "{epoch}"},
    {"rooms": ["tasks"], "since": 1.5, "epoch": "{epoch}"},
    {"rooms": ["tasks"], "since": True, "epoch": "{epoch}"},
    {"rooms": [], "since": False},
    {"rooms": ["tasks"], "since": [1], "epoch": "{epoch}"},
]


@pytest.mark.parametrize("said", NOT_A_MESSAGE, ids=lambda said: str(said)[:30])
def test_what_is_no_message_is_answered_so_and_the_connection_stays(api: Api, said: str) -> None:
    """Read as strictly as a body of JSON is."""
    listener = listen(api)
    listener.send(text(said))
    listener.refused("INVALID_MESSAGE")
    listener.quiet()


def test_depth_within_the_bound_is_well(api: Api) -> None:
    listener = listen(api)
    listener.send(text(DEEP.format("[" * 31, "]" * 31)))
    listener.refused("UNSUPPORTED_MESSAGE")


@pytest.mark.parametrize("content", [b"", SAID, b"\xff\xfe\0", b"x" * MOST_IN_A_MESSAGE])
def test_a_message_is_text(api: Api, content: bytes) -> None:
    listener = listen(api)
    listener.send(frame(BINARY, content))
    listener.refused("INVALID_MESSAGE")
    listener.send(*fragments([content[:1], content[1:]], BINARY))
    listener.refused("INVALID_MESSAGE")
    listener.quiet()


@pytest.mark.parametrize("fields", NOT_A_SUBSCRIPTION, ids=str)
def test_a_subscription_has_a_list_of_rooms(api: Api, fields: dict[str, object]) -> None:
    """And if it says since when, a number. What is refused changes nothing."""
    listener = listen(api)
    listener.say({"type": "subscribe", **fields})
    listener.refused("INVALID_MESSAGE")
    api.create()
    listener.told("task.created")


@pytest.mark.parametrize(
    "kind", ["", "pong", "PING", "ping ", "unsubscribe", "task.created", "é€😀"]
)
def test_a_message_of_another_type_is_answered_so(api: Api, kind: str) -> None:
    listener = listen(api)
    listener.say({"type": kind})
    listener.refused("UNSUPPORTED_MESSAGE")
    listener.send(text(json.dumps({"type": kind}, ensure_ascii=False)))
    listener.refused("UNSUPPORTED_MESSAGE")
    listener.quiet()


# Frames


def test_a_message_may_come_in_fragments(api: Api) -> None:
    """At any place, in empty ones too, and inside of a character."""
    said = '{"type":"é€😀","a":"ü"}'.encode()
    listener = listen(api)
    for at in range(len(said) + 1):
        listener.send(*fragments([said[:at], said[at:]]))
        listener.refused("UNSUPPORTED_MESSAGE")
    listener.send(*fragments([bytes([byte]) for byte in said]))
    listener.refused("UNSUPPORTED_MESSAGE")
    listener.send(*fragments([b"", *[SAID[:5], b"", SAID[5:]], b""]))
    assert listener.message()["type"] == "pong"
    listener.quiet()


def test_control_frames_may_come_between_fragments(api: Api) -> None:
    """And are answered before the message is whole (RFC 6455, 5.4)."""
    listener = listen(api)
    first, second, third = fragments([SAID[:4], SAID[4:9], SAID[9:]])
    for at, part in enumerate((first, second)):
        listener.send(part, frame(PONG, b"unasked for"), frame(PING, b"%d" % at))
        answer = listener.frame()
        assert (answer.opcode, answer.payload) == (PONG, b"%d" % at)
    listener.send(third)
    assert listener.message()["type"] == "pong"


def test_bytes_may_be_cut_anywhere(api: Api) -> None:
    listener = listen(api)
    data = frame(PING, b"a") + b"".join(fragments([SAID[:7], SAID[7:]])) + text({"type": "dance"})
    api.send_apart(listener.connection, [bytes([byte]) for byte in data])
    answer = listener.frame()
    assert (answer.opcode, answer.payload) == (PONG, b"a")
    assert listener.message()["type"] == "pong"
    listener.refused("UNSUPPORTED_MESSAGE")


@pytest.mark.parametrize("payload", [b"", b"a", b"\0\xff", bytes(range(125))], ids=len)
def test_a_ping_frame_is_answered_with_the_same_payload(api: Api, payload: bytes) -> None:
    listener = listen(api)
    listener.send(frame(PING, payload))
    answer = listener.frame()
    assert (answer.opcode, answer.payload) == (PONG, payload)
    listener.quiet()


def test_a_pong_that_nobody_asked_for_is_nothing(api: Api) -> None:
    listener = listen(api)
    listener.send(frame(PONG), frame(PONG, b"x" * 125))
    listener.quiet()


@pytest.mark.parametrize("size", [125, 126, 65_535, MOST_IN_A_MESSAGE])
def test_a_message_may_be_as_large_as_the_bound(api: Api, size: int) -> None:
    """In one frame or in many."""
    said = SAID.ljust(size)
    listener = listen(api)
    for frames in ([frame(TEXT, said)], fragments([said[:100], said[100:]])):
        listener.send(*frames)
        assert listener.message()["type"] == "pong"
    pieces = [said[at : at + 1_000] for at in range(0, size, 1_000)]
    for _ in range(2):  # what one message has used up is given back for the next
        listener.send(*fragments(pieces))
        assert listener.message()["type"] == "pong"


def test_an_unfinished_message_is_waited_for(api: Api) -> None:
    """And holds nobody up, not even the events for the same client."""
    slow, other = listen(api), listen(api)
    slow.send(frame(TEXT, SAID[:3], final=False))
    task = api.create()
    assert [listener.told("task.created")[0]["task"] for listener in (slow, other)] == [task, task]
    slow.send(frame(CONTINUATION, SAID[3:]))
    assert slow.message()["type"] == "pong"


# Beside HTTP


def test_the_server_answers_requests_meanwhile(api: Api) -> None:
    listeners = [listen(api) for _ in range(20)]
    waiting = api.connect()
    for listener in listeners:
        listener.say({"type": "ping"})
        waiting.send(api.request("GET", "/health"))
        waiting.answer().expect(200)
    for listener in listeners:
        assert listener.message()["type"] == "pong"


def test_behind_the_handshake_a_request_is_no_request(api: Api) -> None:
    """A proxy may be of another opinion about who said what; nothing is answered to it."""
    connection = api.say(handshake(api) + api.request("GET", "/health"))
    connection.switched()
    assert Listener(connection).closed() == 1002
