"""Step 10 with one change: a hub that sends to one client after the other, and waits for each.

PYTHONPATH=step10_websockets .venv/step10/bin/python guides/examples/websockets_careless.py --port 0
"""

import asyncio
import sys

from taskflow import app, websocket
from taskflow.__main__ import main
from taskflow.background import in_background
from taskflow.events import Event, Events
from taskflow.hub import Hub
from taskflow.websocket import text_frame

HIGH = 64 * 1024  # bytes that wait for a client, from which on we wait for it


class TurnHub(Hub):
    """Events wait in a queue, until all clients have taken those before."""

    def __init__(self, events: Events) -> None:
        super().__init__(events)
        self._waiting: asyncio.Queue[Event] = asyncio.Queue()

    def publish(self, event: Event) -> None:
        """Let an event wait for its turn."""
        self._waiting.put_nowait(event)

    async def run(self, ping_seconds: float) -> None:
        """Send, and do what a hub does beside that."""
        async with in_background(self._send_all()):
            await super().run(ping_seconds)

    async def _send_all(self) -> None:
        while True:
            frame = text_frame((await self._waiting.get()).message)
            for client in list(self._rooms):
                self._send(client, frame)
                while client._transport.get_write_buffer_size() > HIGH:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)  # what drain() does, in short


if __name__ == "__main__":
    setattr(app, "Hub", TurnHub)  # noqa: B010 - a type checker would rightly object
    setattr(websocket, "MAX_UNSENT", 1 << 40)  # noqa: B010 - nobody is ever too slow
    sys.exit(main())
