"""A client in the terminal: prints what happens to tasks, and goes on after an interruption.

    python -m taskflow.watch --url ws://127.0.0.1:3000/ws/tasks

It knows which event it saw last. When the connection is lost it connects again, each time after a
longer pause, and asks for what came since.
"""

import argparse
import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from websockets import ConnectionClosed, InvalidHandshake, InvalidURI, connect

from taskflow.config import EXAMPLE_TOKENS, ConfigError, read_env


async def watch(url: str, token: str) -> None:
    """Print events for ever. Raises InvalidHandshake if the server refuses the token."""
    place: dict[str, Any] = {}  # the number of the event seen last, and whose number it is
    async for connection in connect(url, additional_headers={"Authorization": f"Bearer {token}"}):
        with suppress(ConnectionClosed):
            ready = json.loads(await connection.recv())
            place = place or {"since": ready["seq"], "epoch": ready["epoch"]}
            wanted = {"type": "subscribe", "rooms": ["tasks", "reports"], **place}
            await connection.send(json.dumps(wanted))
            while json.loads(await connection.recv())["type"] != "subscription.confirmed":
                pass  # an event before that comes again behind it
            async for message in connection:
                event = json.loads(message)
                place.update(since=event["seq"], epoch=event.get("epoch", place["epoch"]))
                print(as_line(event), flush=True)
        print("the connection is lost; trying again", file=sys.stderr)


def as_line(event: dict[str, Any]) -> str:
    """Return an event as a line for people, without what would control their terminal."""
    task = event.get("task", {"id": event.get("jobId", "some events are not known any more")})
    details = [task[name] for name in ("id", "status", "title") if name in task]
    text = " ".join((f"{event['seq']:6} {event['type']:16}", *details))
    return "".join(character if character.isprintable() else "?" for character in text)


def main() -> int:
    """Read the command line, and watch; return the exit status."""
    parser = argparse.ArgumentParser(prog="taskflow.watch", description="Prints live events.")
    parser.add_argument("--url", default="ws://127.0.0.1:3000/ws/tasks", help="(%(default)s)")
    options = parser.parse_args()
    try:
        name = "TASKFLOW_USER_TOKEN"
        token = os.environ.get(name) or read_env(Path(".env")).get(name) or EXAMPLE_TOKENS[1]
        # Of two tokens, both are good.
        asyncio.run(watch(options.url, token.partition(",")[0].strip()))
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # nobody reads it any more, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ConfigError, InvalidURI, InvalidHandshake) as error:
        print(f"taskflow.watch: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
