"""Live events: what is done to tasks, and what a listener on a WebSocket hears of it.

    python3 -m course demo live

Half-way the listener hangs up. When it is back it says which event it saw last, and gets what it
missed.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stage import ADMIN, Client, perform, told
from websockets import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

PATIENCE = 30.0  # seconds that an event may take


class Listener:
    """Prints events. `place` is the number of the event seen last, and whose number it is."""

    def __init__(self, socket: ClientConnection, place: dict[str, Any]) -> None:
        self._socket = socket
        ready = self._receive()
        place.setdefault("since", ready["seq"])
        place.setdefault("epoch", ready["epoch"])
        self._place = place
        self._send({"type": "subscribe", "rooms": ["tasks", "reports"], **place})
        for _ in self._until("subscription.confirmed"):
            pass  # an event before that comes again behind it

    def hear(self, last: str = "pong") -> int:
        """Print all events that there are by now, or those up to one of this type; count them."""
        if last == "pong":
            self._send({"type": "ping"})  # what has happened comes before the answer to this
        count = 0
        for event in self._until(last):
            if event["type"] != "pong":
                told(event["seq"] == self._place["since"] + 1, "the numbers rise by one")
                self._place["since"] = event["seq"]
                print(f"  {as_line(event)}", flush=True)
                count += 1
        return count

    def _until(self, last: str) -> Iterator[dict[str, Any]]:
        kind = ""
        while kind != last:
            message = self._receive()
            kind = message["type"]
            yield message

    def _receive(self) -> Any:
        return json.loads(self._socket.recv(timeout=PATIENCE))

    def _send(self, message: object) -> None:
        self._socket.send(json.dumps(message))


def as_line(event: dict[str, Any]) -> str:
    """Return an event as a line for people: its number, its type, and whose event it is."""
    subject = event.get("task", {"id": event.get("jobId", "")})
    details = [subject[name] for name in ("id", "status", "title") if name in subject]
    return " ".join((f"{event['seq']:6} {event['type']:16}", *details))


@contextmanager
def listening(address: str, place: dict[str, Any]) -> Iterator[Listener]:
    """Connect, ask for what came since the place, and hang up in the end."""
    url = f"ws://{address}/ws/tasks"
    with connect(url, additional_headers=ADMIN, proxy=None) as socket:
        yield Listener(socket, place)


def show(address: str) -> None:
    """Make changes, and print after each what a listener is told."""
    client, place = Client(address), dict[str, Any]()

    def change(text: str, method: str, path: str, value: Any = None) -> Any:
        print(text, flush=True)
        return client.change(method, path, value)

    with listening(address, place) as listener:
        wash = change("create Wash", "POST", "/tasks", {"title": "Wash", "priority": 5})["id"]
        told(listener.hear() == 1, "a new task is one event")
        after = {"title": "Iron", "dependencies": [wash]}
        iron = change("create Iron, which waits for it", "POST", "/tasks", after)["id"]
        told(listener.hear() == 1, "a new task is one event")
        change("claim", "POST", "/tasks/claim")
        told(listener.hear() == 1, "a claim is one event")
        done = {"status": "completed"}
        change("complete Wash", "PATCH", f"/tasks/{wash}", done)
        told(listener.hear() == 1, "a change is one event")
        change("the same again, which changes nothing", "PATCH", f"/tasks/{wash}", done)
        told(listener.hear() == 0, "a change that changes nothing is no event")

    print("the listener hangs up")
    change("delete Wash, which Iron depends on", "DELETE", f"/tasks/{wash}")
    change("create Fold", "POST", "/tasks", {"title": "Fold"})

    print(f"the listener is back, and has seen the events up to {place['since']}")
    with listening(address, place) as listener:
        told(listener.hear() == 3, "what was missed comes late")
        change("delete Iron", "DELETE", f"/tasks/{iron}")
        told(listener.hear() == 1, "to delete what nobody waits for is one event")
        change("start a report", "POST", "/tasks/reports/start")
        told(listener.hear("report.completed") == 1, "the end of a report is one event")
    client.close()
    print(f"\nAs told: {place['since']} events in order, three of them late, none lost.")


if __name__ == "__main__":
    try:
        perform(show, sys.argv[1])
    except ConnectionClosed as error:
        sys.exit(f"The listener was cut off: {error}")
