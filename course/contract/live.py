"""The words of the tests of live events: listen, subscribe, told, quiet."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from .answer import ContractError
from .api import TIME, Api, Task
from .client import Connection
from .websocket import WebSocket, handshake_fields

PATH = "/ws/tasks"
STATS = "/tasks/system/ws"

READY = {"type", "clientId", "subscribedRooms", "epoch", "seq", "timestamp"}

Message = dict[str, Any]


def handshake(api: Api, *fields: str, **changes: str | None) -> bytes:
    """The request for a WebSocket."""
    return api.head("GET", PATH, *handshake_fields(*fields, **changes))


class Listener(WebSocket):
    """A client that has been let in."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.ready = self.message()
        assert set(self.ready) >= READY, self.ready
        assert self.ready["type"] == "connection.ready"

    @property
    def place(self) -> Message:
        """Where it was when it came, in the words of `subscribe`."""
        return {"since": self.ready["seq"], "epoch": self.ready["epoch"]}

    def ask(self, value: object) -> Message:
        """Say something, and return the answer."""
        self.say(value)
        return self.message()

    def subscribe(self, *rooms: str, **place: object) -> list[str]:
        """Be in these rooms from now on; return those that the server says it is in."""
        __tracebackhide__ = True
        answer = self.ask({"type": "subscribe", "rooms": rooms, **place})
        if answer["type"] != "subscription.confirmed":
            raise ContractError(f"expected subscription.confirmed, received {answer}")
        return [str(room) for room in answer["subscribedRooms"]]

    def told(self, *types: str) -> list[Message]:
        """The next messages, which must be events of these types."""
        __tracebackhide__ = True
        events = [self.message() for _ in types]
        if [event["type"] for event in events] != list(types):
            raise ContractError(f"expected {types}, received {events}")
        for event in events:
            check_event(event)
        return events

    def refused(self, code: str) -> None:
        """The next message says that the last one was wrong. The connection stays."""
        __tracebackhide__ = True
        answer = self.message()
        if answer["type"] != "error" or answer["code"] != code or not answer["message"]:
            raise ContractError(f"expected an error with {code}, received {answer}")

    def quiet(self) -> None:
        """Nothing was told that has not been looked at. No need to wait: answers are in order."""
        __tracebackhide__ = True
        answer = self.ask({"type": "ping"})
        if answer["type"] != "pong":
            raise ContractError(f"expected nothing but a pong, received {answer}")


def listen(api: Api, *rooms: str, buffers: int = 0) -> Listener:
    """A new client, in these rooms or, as all are at first, in `tasks`."""
    connection = api.connect(buffers)
    connection.send(handshake(api))
    connection.switched()
    listener = Listener(connection)
    if rooms:
        assert listener.subscribe(*rooms) == list(rooms)
    return listener


def check_event(event: Message) -> None:
    """An event has all that its type promises."""
    assert type(event["seq"]) is int
    assert TIME.fullmatch(event["timestamp"]), event
    assert "requestId" in event
    if event["type"].startswith("report."):
        UUID(event["jobId"])
    elif event["type"] == "task.deleted":
        assert set(event["task"]) == {"id"}
    else:
        assert event["type"] in ("task.created", "task.updated")


def numbers(events: list[Message]) -> list[int]:
    return [event["seq"] for event in events]


def tasks_of(events: list[Message]) -> list[Task]:
    return [event["task"] for event in events]


def stats(api: Api) -> dict[str, int]:
    counts: dict[str, int] = api.ask("GET", STATS).expect(200).json()
    return counts
