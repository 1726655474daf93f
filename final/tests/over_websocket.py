"""The client's end of a WebSocket: frames as a client sends them, and what the server's say."""

import asyncio
import json
from typing import Any

from over_socket import Wire
from websockets import ClientProtocol, Frame, Opcode, State
from websockets.uri import parse_uri

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the example of RFC 6455, 1.3
HANDSHAKE = {
    "host": "localhost",
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-key": KEY,
    "sec-websocket-version": "13",
}


def sent(opcode: Opcode, data: bytes = b"", fin: bool = True) -> bytes:
    """Return a frame as a client sends it: under a mask."""
    return Frame(opcode, data, fin).serialize(mask=True)


def said(value: object) -> bytes:
    """Return a message of JSON as a client sends it."""
    return sent(Opcode.TEXT, json.dumps(value).encode())


def frames_of(data: bytes | bytearray) -> list[Frame]:
    """Return the whole frames in what a server sent, each of which must be good."""
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
    client.receive_data(data)
    frames = [frame for frame in client.events_received() if isinstance(frame, Frame)]
    assert client.parser_exc is None, client.parser_exc
    return frames


def messages_of(data: bytes | bytearray) -> list[Any]:
    """Return the messages in what a server sent."""
    return [json.loads(bytes(f.data)) for f in frames_of(data) if f.opcode is Opcode.TEXT]


def code_of(data: bytes | bytearray) -> int | None:
    """Return the code of the last frame if that is a close, None if it is not."""
    last = frames_of(data)[-1]
    return int.from_bytes(last.data[:2]) if last.opcode is Opcode.CLOSE else None


class FakeTransport(asyncio.Transport):
    """A transport without a socket: it notes what it is given, and is as full as a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.unsent = 0
        self.ended = False
        self.aborted = False
        self.reading = True
        self.before = asyncio.Protocol()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended, "a transport takes nothing behind its end"
        self.written += data

    def write_eof(self) -> None:
        self.ended = True

    def can_write_eof(self) -> bool:
        return True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_reading(self) -> bool:
        return self.reading

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.before

    def is_closing(self) -> bool:
        return self.aborted

    def close(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.aborted = True


async def shake_hands(wire: Wire, token: str, *lines: str) -> None:
    """Become a WebSocket."""
    fields = [f"{name}: {value}" for name, value in HANDSHAKE.items()]
    head = ["GET /ws/tasks HTTP/1.1", *fields, f"Authorization: Bearer {token}", *lines, "", ""]
    await wire.send("\r\n".join(head).encode())
    assert (await wire.answer()).status == 101
