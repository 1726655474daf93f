"""The tour, listening: a WebSocket to the server, with the client that `websockets` brings."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from taskflow.demo_show import Screen, as_json
from taskflow.demo_talk import TIMEOUT, NotAsTold, Talk, words


@contextmanager
def listening(talk: Talk) -> Iterator["Listener"]:
    """Listen to events while the block does. Raises NotAsTold if the server ends that."""
    talk.screen.request("GET", "/ws/tasks", "(upgrade to a WebSocket)")
    try:
        with connect(
            talk.websocket_url,
            additional_headers=talk.fields("GET"),
            open_timeout=TIMEOUT,
            compression=None,
            proxy=None,
            ssl=talk.tls,
        ) as connection:
            yield Listener(connection, talk.screen)
    except (OSError, WebSocketException) as error:  # a TimeoutError is an OSError
        raise NotAsTold(
            "the WebSocket brings what it is to bring", "a message", words(error)
        ) from None


class Listener:
    """One who listens to events."""

    def __init__(self, connection: ClientConnection, screen: Screen) -> None:
        self._connection = connection
        self._screen = screen

    def send(self, message: Mapping[str, object]) -> None:
        """Send a message."""
        self._screen.row(f"> {as_json(message)}")
        self._connection.send(json.dumps(message))

    def receive(self, kind: str) -> Any:
        """Return the next message of a kind; those before it are passed over."""
        while (message := self._next())["type"] != kind:
            pass
        self._screen.row(f"< {as_json(message)}")
        return message

    def events_of(self, task_id: str, count: int) -> tuple[list[Any], list[int]]:
        """Return so many events of a task, and the numbers of all events until the last of them."""
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
