"""A client in the terminal: it prints what happens to tasks, and continues after an interruption.

    .venv/step10/bin/python guides/examples/websockets_watch.py localhost:3000

It knows which event it saw last. When the connection is lost, it connects again, each time after a
longer pause, and asks for the events that it missed.
"""

import asyncio
import json
import sys
from contextlib import suppress
from typing import Any

from websockets import ConnectionClosed, connect

USER = {"Authorization": "Bearer secret-user-123"}


async def watch(url: str) -> None:
    """Print events until it is cancelled. Raises InvalidHandshake if the token is refused."""
    # The number of the last event, and the epoch to which the number belongs.
    place: dict[str, Any] = {}
    async for connection in connect(url, additional_headers=USER, proxy=None):
        with suppress(ConnectionClosed):
            ready = json.loads(await connection.recv())
            place = place or {"since": ready["seq"], "epoch": ready["epoch"]}
            wanted = {"type": "subscribe", "rooms": ["tasks", "reports"], **place}
            await connection.send(json.dumps(wanted))
            while json.loads(await connection.recv())["type"] != "subscription.confirmed":
                # An event before the confirmation is sent again after it.
                pass
            async for message in connection:
                event = json.loads(message)
                place.update(since=event["seq"], epoch=event.get("epoch", place["epoch"]))
                print(as_line(event), flush=True)
        print("the connection is lost; trying again", file=sys.stderr)


def as_line(event: dict[str, Any]) -> str:
    """Return an event as a line for people, without characters that control their terminal."""
    task = event.get("task", {"id": event.get("jobId", "some events are no longer known")})
    details = [task[name] for name in ("id", "status", "title") if name in task]
    text = " ".join((f"{event['seq']:6} {event['type']:16}", *details))
    return "".join(character if character.isprintable() else "?" for character in text)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(watch(f"ws://{sys.argv[1]}/ws/tasks"))
