"""The hub: rooms and replay beside an obvious model, and what it answers."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from over_websocket import FakeTransport, messages_of
from websockets import CloseCode

from taskflow import events as events_module
from taskflow import hub as hub_module
from taskflow.background import in_background
from taskflow.events import Events
from taskflow.hub import MAX_ROOMS, Hub
from taskflow.websocket import WebSocket

IDS = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(3)]
ROOMS = ["tasks", "reports", *(f"task:{task_id}" for task_id in IDS)]
KEPT = 6  # events, in these tests


class FakeClient(WebSocket):
    """A client that takes what it is sent, until it is gone."""

    def __init__(self) -> None:
        self._transport = FakeTransport()
        self.taken = bytearray()
        self.is_gone = False
        self.sends = 0
        self.pings = 0
        self.closes: list[tuple[CloseCode, str]] = []

    def send(self, frame: bytes) -> bool:
        self.sends += 1
        if not self.is_gone:
            self.taken += frame
        return not self.is_gone

    def ping(self) -> None:
        self.pings += 1

    def close(self, code: CloseCode, reason: str) -> None:
        self.closes.append((code, reason))

    def told(self) -> list[Any]:
        """Return what it was sent since it was last asked, without the times."""
        messages = messages_of(self.taken)
        self.taken.clear()
        for message in messages:
            assert message.pop("timestamp")
        return messages


def new_hub(events: Events) -> Hub:
    """Return a hub that listens to these events."""
    hub = Hub(events)
    events.listeners.append(hub.publish)
    return hub


def new_events() -> Events:
    """Return events of which fewer are kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events_module, "MAX_EVENTS", KEPT)
        return Events()


def joined(hub: Hub) -> FakeClient:
    """Return a client that has read connection.ready."""
    hub.join(client := FakeClient())
    client.told()
    return client


class HubMachine(RuleBasedStateMachine):
    """The hub beside a list of all that ever happened and a dict of who is where."""

    def __init__(self) -> None:
        super().__init__()
        self.events = new_events()
        self.hub = new_hub(self.events)
        self.rooms: dict[FakeClient, set[str]] = {}
        self.happened: list[tuple[set[str], Any]] = []
        self.delivered = 0
        self.dropped = 0

    def expect(self, client: FakeClient, *messages: Any) -> None:
        """The client is told this now, if it is there."""
        assert client.told() == ([] if client.is_gone else list(messages))
        if client.is_gone:
            self.dropped += len(messages)
        else:
            self.delivered += len(messages)

    def some_client(self, data: st.DataObject) -> FakeClient:
        return data.draw(st.sampled_from(list(self.rooms)))

    @rule()
    def join(self) -> None:
        self.hub.join(client := FakeClient())
        [ready] = client.told()
        self.delivered += 1
        assert ready.pop("clientId")
        place = {"epoch": self.events.epoch, "seq": len(self.happened)}
        assert ready == {"type": "connection.ready", "subscribedRooms": ["tasks"], **place}
        self.rooms[client] = {"tasks"}

    @precondition(lambda self: self.rooms)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        client = self.some_client(data)
        self.hub.leave(client)
        self.hub.leave(client)
        del self.rooms[client]

    @precondition(lambda self: self.rooms)
    @rule(data=st.data())
    def vanish(self, data: st.DataObject) -> None:
        """From now on it takes nothing, and the hub does not know it yet."""
        self.some_client(data).is_gone = True

    @rule(rooms=st.sets(st.sampled_from(ROOMS), min_size=1))
    def publish(self, rooms: set[str]) -> None:
        self.events.publish("task.updated", rooms, b'"task":{}')
        event = {"type": "task.updated", "task": {}, "seq": len(self.happened) + 1}
        self.happened.append((rooms, {**event, "requestId": None}))
        for client, its_rooms in self.rooms.items():
            self.expect(client, *[self.happened[-1][1]] * bool(rooms & its_rooms))

    @precondition(lambda self: self.rooms)
    @rule(
        data=st.data(),
        rooms=st.lists(st.sampled_from(ROOMS), max_size=4, unique=True),
        bad=st.sampled_from([[], [], [], ["nowhere"], [None]]),
        since=st.none() | st.integers(-2, KEPT + 2),
        right=st.booleans(),
    )
    def subscribe(
        self, data: st.DataObject, rooms: list[Any], bad: list[Any], since: int | None, right: bool
    ) -> None:
        """With or without a question for what came since so many events ago."""
        client = self.some_client(data)
        request: dict[str, Any] = {"type": "subscribe", "rooms": rooms + bad}
        if since is not None:
            request["since"] = len(self.happened) - since
            request["epoch"] = self.events.epoch if right else "another"
        self.hub.received(client, json.dumps(request))
        if bad:
            message = f"rooms are tasks, reports and task:ID, up to {MAX_ROOMS}"
            self.expect(client, {"type": "error", "code": "INVALID_ROOM", "message": message})
            return
        self.rooms[client] = set(rooms) or {"tasks"}
        confirmed = {"type": "subscription.confirmed", "subscribedRooms": rooms or ["tasks"]}
        self.expect(client, confirmed, *self.replay(client, since, right))

    def replay(self, client: FakeClient, since: int | None, right: bool) -> list[Any]:
        """What it missed, or that too much happened since."""
        if since is None:
            return []
        if not right or not 0 <= since <= min(KEPT, len(self.happened)):
            seq = len(self.happened)
            return [{"type": "history.gap", "epoch": self.events.epoch, "seq": seq}]
        missed = self.happened[len(self.happened) - since :]
        return [event for rooms, event in missed if rooms & self.rooms[client]]

    @precondition(lambda self: self.rooms)
    @rule(data=st.data())
    def ping(self, data: st.DataObject) -> None:
        client = self.some_client(data)
        self.hub.received(client, '{"type":"ping"}')
        self.expect(client, {"type": "pong"})

    @invariant()
    def counts_are_right(self) -> None:
        assert self.hub.stats() == {
            "clients": len(self.rooms),
            "rooms": len(set[str]().union(*self.rooms.values())),
            "delivered": self.delivered,
            "dropped": self.dropped,
        }


TestHub = HubMachine.TestCase


# What is no request.


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b'{"type":"ping"}', "INVALID_MESSAGE"),
        ("", "INVALID_MESSAGE"),
        ("[]", "INVALID_MESSAGE"),
        ("{}", "INVALID_MESSAGE"),
        ('{"type":null}', "INVALID_MESSAGE"),
        ('{"type":"ping","type":"ping"}', "INVALID_MESSAGE"),
        ('{"type":"ping","a":' + "[" * 32 + "]" * 32 + "}", "INVALID_MESSAGE"),
        ('{"type":"subscribe"}', "INVALID_MESSAGE"),
        ('{"type":"subscribe","rooms":{}}', "INVALID_MESSAGE"),
        ('{"type":"subscribe","rooms":[],"since":"1"}', "INVALID_MESSAGE"),
        ('{"type":"subscribe","rooms":[],"since":1.0}', "INVALID_MESSAGE"),
        ('{"type":"subscribe","rooms":[],"since":true}', "INVALID_MESSAGE"),
        ('{"type":"subscribe","rooms":[],"since":false}', "INVALID_MESSAGE"),
        ('{"type":"subscribe","rooms":[[]]}', "INVALID_ROOM"),
        ('{"type":"subscribe","rooms":["Tasks"]}', "INVALID_ROOM"),
        (
            '{"type":"subscribe","rooms":["TASK:a00f3a1e-1111-4111-8111-111111111111"]}',
            "INVALID_ROOM",
        ),
        ('{"type":"subscribe","rooms":["tasks\\n"]}', "INVALID_ROOM"),
        ('{"type":"dance"}', "UNSUPPORTED_MESSAGE"),
        ('{"type":""}', "UNSUPPORTED_MESSAGE"),
    ],
)
def test_what_cannot_be_done_is_answered_so(message: str | bytes, code: str) -> None:
    client = joined(hub := new_hub(new_events()))
    hub.received(client, message)
    [answer] = client.told()
    assert (answer["type"], answer["code"]) == ("error", code)
    assert answer["message"]
    assert hub.stats()["clients"] == 1


def test_a_client_may_be_in_so_many_rooms_and_no_more() -> None:
    client = joined(hub := new_hub(new_events()))
    rooms = [f"task:{number:08x}-0000-4000-8000-000000000000" for number in range(MAX_ROOMS + 1)]
    hub.received(client, json.dumps({"type": "subscribe", "rooms": rooms}))
    assert client.told()[0]["code"] == "INVALID_ROOM"
    hub.received(client, json.dumps({"type": "subscribe", "rooms": rooms[1:]}))
    assert client.told() == [{"type": "subscription.confirmed", "subscribedRooms": rooms[1:]}]
    assert hub.stats()["rooms"] == MAX_ROOMS


def test_the_id_in_a_room_is_compared_without_regard_to_case() -> None:
    client = joined(hub := new_hub(events := new_events()))
    room = "task:a00f3a1e-1111-4111-8111-111111111111"
    hub.received(client, json.dumps({"type": "subscribe", "rooms": ["task:" + room[5:].upper()]}))
    assert client.told() == [{"type": "subscription.confirmed", "subscribedRooms": [room]}]

    events.publish("task.updated", {room}, b'"task":{}')

    assert [message["type"] for message in client.told()] == ["task.updated"]


# Replay.


def test_what_is_told_again_is_the_same_to_the_byte() -> None:
    events = new_events()
    witness = joined(hub := new_hub(events))
    for number in range(3):
        events.publish("task.updated", {"tasks"}, b'"task":{"priority":%d}' % number)
    first = bytes(witness.taken)
    client = joined(hub)
    place = {"since": 0, "epoch": events.epoch}
    hub.received(client, json.dumps({"type": "subscribe", "rooms": [], **place}))
    assert client.taken.endswith(first)


def test_a_replay_is_sent_in_one_piece() -> None:
    """A system call for each event would hold up all other clients."""
    events = new_events()
    client = joined(hub := new_hub(events))
    for _ in range(KEPT):
        events.publish("task.updated", {"tasks"}, b'"task":{}')
    client.told()
    before = client.sends

    request = {"type": "subscribe", "rooms": [], "since": 0, "epoch": events.epoch}
    hub.received(client, json.dumps(request))

    assert len(client.told()) == 1 + KEPT
    assert client.sends == before + 2


def test_a_client_that_subscribes_again_and_again_leaves_nothing_behind() -> None:
    client = joined(hub := new_hub(new_events()))
    for first in range(0, 50 * MAX_ROOMS, MAX_ROOMS):
        numbers = range(first, first + MAX_ROOMS)
        rooms = [f"task:{number:08x}-0000-4000-8000-000000000000" for number in numbers]
        hub.received(client, json.dumps({"type": "subscribe", "rooms": rooms}))
        assert [message["type"] for message in client.told()] == ["subscription.confirmed"]
        assert hub.stats()["rooms"] == MAX_ROOMS

    hub.leave(client)

    assert (hub.stats()["rooms"], hub.stats()["clients"]) == (0, 0)


def test_more_than_a_client_may_leave_waiting_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be closed as too slow for what it has asked for, again and again."""
    events = new_events()
    client = joined(hub := new_hub(events))
    for _ in range(2):
        events.publish("task.updated", {"tasks"}, b'"task":{}')
    size = sum(len(event.message) for event in events.history)
    client.told()
    request = {"type": "subscribe", "rooms": [], "since": 0, "epoch": events.epoch}
    for most, kinds in ((size, ["task.updated"] * 2), (size - 1, ["history.gap"])):
        monkeypatch.setattr(hub_module, "MAX_UNSENT", most)
        hub.received(client, json.dumps(request))
        assert [message["type"] for message in client.told()[1:]] == kinds


def test_a_client_that_goes_while_others_are_told_harms_nobody() -> None:
    """The first to be told leaves, as one does that is too slow."""
    events = new_events()
    hub = new_hub(events)
    clients = [joined(hub) for _ in range(3)]

    class Leaving(FakeClient):
        def send(self, frame: bytes) -> bool:
            hub.leave(self)
            return False

    hub.join(Leaving())
    clients.append(joined(hub))
    hub.join(Leaving())
    assert hub.stats()["clients"] == 4
    events.publish("task.updated", {"tasks"}, b'"task":{}')
    assert [len(client.told()) for client in clients] == [1] * 4


# The heartbeat, and the end.


async def test_everybody_is_pinged_again_and_again() -> None:
    hub = new_hub(new_events())
    clients = [joined(hub) for _ in range(3)]
    async with in_background(hub.run(0.001)):
        while min(client.pings for client in clients) < 3:  # noqa: ASYNC110  nothing else tells
            await asyncio.sleep(0)
        assert len({client.pings for client in clients}) == 1


async def test_at_the_end_everybody_is_told() -> None:
    """Also a client that joins after that."""
    hub = new_hub(new_events())
    clients = [joined(hub) for _ in range(3)]
    hub.close()
    clients.append(joined(hub))
    for client in clients:
        assert [code for code, _ in client.closes] == [CloseCode.GOING_AWAY]
        assert client.pings == 0
