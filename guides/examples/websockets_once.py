"""An event for many clients: encoded and framed for each of them, or once."""

import asyncio
import json
from time import process_time
from unittest.mock import patch

from websockets import Frame, ServerProtocol, State

from taskflow import events, hub
from taskflow.codec import encode
from taskflow.store import Store
from taskflow.websocket import WebSocket, text_frame

CLIENTS, CHANGES = 500, 20
TIMES = 4  # at least so much slower


class Nowhere(asyncio.Transport):
    """A transport that takes everything at once: what it costs to send is not the question."""

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return whom the connection belonged to before."""
        return asyncio.Protocol()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take it."""

    def get_write_buffer_size(self) -> int:
        """Return that nothing waits."""
        return 0


class ForEach(hub.Hub):
    """A hub that makes the message anew for each client."""

    def publish(self, event: events.Event) -> None:
        """Send an event to all, as most of us would at first."""
        message = json.loads(event.message)
        for client in list(self._rooms):
            client.send(text_frame(json.dumps(message).encode()))


def serve(kind: type[hub.Hub]) -> tuple[int, int, float]:
    """Change a task for many clients; return encodings and frames for each change, and seconds."""
    store, source = Store(), events.Events()
    store.listeners.append(source.changed)
    center = kind(source)
    source.listeners.append(center.publish)
    for _ in range(CLIENTS):
        WebSocket(ServerProtocol(state=State.OPEN), center).connection_made(Nowhere())
    task = store.create({"title": "Wash", "description": "the good cups " * 20})
    with (
        patch.object(json, "dumps", wraps=json.dumps) as dumps,
        patch("taskflow.events.encode", wraps=encode) as encoded,
        patch.object(Frame, "serialize", autospec=True, side_effect=Frame.serialize) as framed,
    ):
        store.update(task.id, {"priority": 2})
    encodings, frames = dumps.call_count + encoded.call_count, framed.call_count
    started = process_time()
    for number in range(CHANGES):
        store.update(task.id, {"priority": number + 3})
    return encodings, frames, (process_time() - started) / CHANGES


def table() -> None:
    """Print what one event costs with either hub."""
    best: dict[type[hub.Hub], float] = {}
    print(f"| one event, {CLIENTS} clients | encoded as JSON | framed | processor time |")
    print("| --- | ---: | ---: | ---: |")
    for name, kind in (("for each client", ForEach), ("once", hub.Hub)):
        encodings, frames, _ = serve(kind)
        best[kind] = min(serve(kind)[2] for _ in range(3))
        print(f"| {name} | {encodings} | {frames} | {best[kind] * 1000:.2f} ms |")
    ratio = best[ForEach] / best[hub.Hub]
    assert ratio > TIMES, ratio
    print(f"\nThe first takes more than {TIMES} times as long.")


if __name__ == "__main__":
    table()
