"""The WebSocket client of the tour, made with the library `websockets`."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from taskflow.tour.client import TIMEOUT, message_of
from taskflow.tour.screen import Screen, as_json
from taskflow.tour.session import CheckFailed, Session


class Listener:
    """A client that follows events."""

    def __init__(self, connection: ClientConnection, screen: Screen) -> None:
        self._connection = connection
        self._screen = screen

    def send(self, message: Mapping[str, object]) -> None:
        """Send a message."""
        self._screen.row(f"> {as_json(message)}")
        self._connection.send(json.dumps(message))

    def receive(self, kind: str) -> Any:
        """Return the next message of this type, and drop those before it."""
        message = self._next()
        while message["type"] != kind:
            message = self._next()
        self._screen.row(f"< {as_json(message)}")
        return message

    def events_of(self, task_id: str, count: int) -> tuple[list[Any], list[int]]:
        """Return the next events of a task, and the numbers of all events received until then."""
        events: list[Any] = []
        numbers: list[int] = []
        while len(events) < count:
            message = self._next()
            numbers.append(message["seq"])
            if message.get("task", {}).get("id") == task_id:
                events.append(message)
                self._screen.row(f"< {as_json(message)}")
        return events, numbers

    def _next(self) -> Any:
        return json.loads(self._connection.recv(TIMEOUT))


@contextmanager
def listening(session: Session) -> Iterator[Listener]:
    """Follow events during the block. Raises CheckFailed if the connection fails."""
    session.screen.request("GET", "/ws/tasks", "(upgrade to a WebSocket)")
    try:
        with connect(
            session.client.websocket_url,
            additional_headers=session.client.authorization("GET"),
            open_timeout=TIMEOUT,
            compression=None,
            proxy=None,
            ssl=session.client.tls,
        ) as connection:
            yield Listener(connection, session.screen)
    # A TimeoutError is an OSError.
    except (OSError, WebSocketException) as error:
        claim = "the WebSocket delivers the expected messages"
        raise CheckFailed(claim, "a message", message_of(error)) from None
