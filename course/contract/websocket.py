"""A WebSocket client that sends any frames, and reads those of the server strictly (RFC 6455).

It knows frames, and nothing of tasks, rooms or steps.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .answer import ContractError
from .client import Connection

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
"""The example of RFC 6455, 1.3. Any 16 bytes would do."""

MOST_IN_A_MESSAGE = 64 * 1024
"""Bytes."""


def handshake_fields(
    *more: str, key: str | None = KEY, version: str | None = "13", upgrade: str | None = "websocket"
) -> list[str]:
    """The header lines that ask for an upgrade; those that are `None` are left out."""
    fields = ["Connection: Upgrade"]
    fields += [] if upgrade is None else [f"Upgrade: {upgrade}"]
    fields += [] if key is None else [f"Sec-WebSocket-Key: {key}"]
    fields += [] if version is None else [f"Sec-WebSocket-Version: {version}"]
    return [*fields, *more]


def accept_of(key: str) -> str:
    """What the server must make of a key (RFC 6455, 4.2.2)."""
    salted = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return base64.b64encode(hashlib.sha1(salted.encode()).digest()).decode()


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that the server sent; `code` is that of a close frame, 1005 if it says none."""

    opcode: int
    payload: bytes
    final: bool

    @property
    def code(self) -> int:
        return int.from_bytes(self.payload[:2]) if self.payload else 1005


def frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, reserved: int = 0, mask: bool = True
) -> bytes:
    """A frame as a client sends it, or as it must not: `reserved` are the three bits."""
    first, bit, size = final << 7 | reserved << 4 | opcode, mask << 7, len(payload)
    if size < 126:
        head = struct.pack("!BB", first, bit | size)
    elif size < 65_536:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    if not mask:
        return head + payload
    key = os.urandom(4)
    repeated = (key * (size // 4 + 1))[:size]
    covered = int.from_bytes(payload) ^ int.from_bytes(repeated)
    return head + key + covered.to_bytes(size)


def text(value: object) -> bytes:
    """A frame with a value as JSON, or with a text as it is."""
    return frame(TEXT, (value if isinstance(value, str) else json.dumps(value)).encode())


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason)


def fragments(payloads: Sequence[bytes], opcode: int = TEXT) -> list[bytes]:
    """The frames of one message, a fragment for each payload."""
    last = len(payloads) - 1
    return [
        frame(CONTINUATION if at else opcode, payload, final=at == last)
        for at, payload in enumerate(payloads)
    ]


class WebSocket:
    """The client's end, once the server has agreed."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def send(self, *frames: bytes) -> None:
        """Send frames, all in one piece."""
        self.connection.send(b"".join(frames))

    def say(self, value: object) -> None:
        self.send(text(value))

    def frame(self) -> Frame:
        """The next frame, which must be as a server may send it."""
        __tracebackhide__ = True
        first, second = self.connection.take(2)
        size = second
        if second == 126:
            size = int.from_bytes(self.connection.take(2))
        elif second == 127:
            size = int.from_bytes(self.connection.take(8))
        opcode, final = first & 15, first >= 128
        is_shortest = second < 126 or size >= (126 if second == 126 else 65_536)
        is_control = opcode in (CLOSE, PING, PONG) and final and size <= 125
        is_data = opcode in (CONTINUATION, TEXT, BINARY)
        if second > 127 or first & 0b0111_0000 or not is_shortest or not (is_data or is_control):
            raise ContractError(
                f"expected a good frame, received one that begins {first}, {second}"
            )
        return Frame(opcode, self.connection.take(size), final)

    def next(self) -> Frame:
        """The next frame that is no ping; pings are answered."""
        __tracebackhide__ = True
        while (received := self.frame()).opcode == PING:
            self.send(frame(PONG, received.payload))
        return received

    def message(self) -> dict[str, Any]:
        """The next message, which must be an object with a type."""
        __tracebackhide__ = True
        received = self.next()
        if received.opcode == CLOSE:
            raise ContractError(f"expected a message, received a close with {received.code}")
        try:
            value = json.loads(received.payload.decode())
        except ValueError:
            value = None
        is_message = isinstance(value, dict) and isinstance(value.get("type"), str)
        if received.opcode != TEXT or not received.final or not is_message:
            raise ContractError(f"expected a message of JSON as text, received {received}")
        return dict(value)

    def closed(self) -> int:
        """The code with which the server closes, be there messages before; then its end comes."""
        __tracebackhide__ = True
        while (received := self.next()).opcode != CLOSE:
            pass
        if len(received.payload) == 1:
            raise ContractError("expected a code of two bytes in a close, received one byte")
        received.payload[2:].decode()
        self.connection.ended()
        return received.code
