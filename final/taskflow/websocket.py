"""One WebSocket: frames come in and become messages, messages go out as frames (RFC 6455).

    data_received ─► ServerProtocol ─► frames ─► message ─► room.received
                           │
    _write ◄───────────────┘ pongs and closes                 room ─► send ─► _write

`ServerProtocol`, from the library websockets, has the form of our own parser: bytes in, frames out,
and no socket. This module joins the frames of a message, checks that text is UTF-8, pings the
client, and closes a client that does not read.
"""

import asyncio
from contextlib import suppress
from typing import Protocol, cast

from websockets import CloseCode, Frame, Opcode, ServerProtocol, State

# Bytes. The library closes a larger message with 1009.
MAX_MESSAGE = 64 * 1024

# Bytes that may wait for a slow client.
MAX_UNSENT = 1024 * 1024

# Bytes of one client that are handled in one turn of the event loop. They hold up to 85 messages.
PORTION = 512

# How long a client may take to confirm the close.
CLOSE_SECONDS = 2.0


def text_frame(message: bytes) -> bytes:
    """Return a message as a frame, which is the same for every client (RFC 6455, 5.2)."""
    return Frame(Opcode.TEXT, message).serialize(mask=False)


class Room(Protocol):
    """What a WebSocket reports to: in this program, the hub."""

    def join(self, client: "WebSocket") -> None:
        """Add a client."""

    def leave(self, client: "WebSocket") -> bool:
        """Remove a client, and return whether it was there."""

    def received(self, client: "WebSocket", message: str | bytes) -> None:
        """Handle a message."""


class WebSocket(asyncio.Protocol):
    """The server's end of one WebSocket. The event loop calls it instead of the Connection."""

    def __init__(self, protocol: ServerProtocol, room: Room) -> None:
        self._protocol = protocol
        self._room = room

        # The part of the current message that has arrived.
        self._message = bytearray()
        self._is_text = False
        self._awaits_pong = False

        # Drops the connection if the client does not confirm the close.
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # The Connection must still learn that the socket has gone.
        self._connection = self._transport.get_protocol()
        self._room.join(self)

    def data_received(self, data: bytes) -> None:
        """Handle a portion of the bytes, and the next one after the turns of other clients."""
        # The stream or the connection has ended, and its last bytes no longer matter.
        if self._protocol.state is State.CLOSED or self._transport.is_closing():
            return
        self._protocol.receive_data(data[:PORTION])
        for frame in self._protocol.events_received():
            if isinstance(frame, Frame):
                self._frame_received(frame)
        self._flush()
        if len(data) > PORTION:
            # Until then the kernel keeps what the client sends, and TCP slows the client down.
            self._transport.pause_reading()
            asyncio.get_running_loop().call_soon(self.data_received, data[PORTION:])
        else:
            self._transport.resume_reading()

    def eof_received(self) -> None:
        # A WebSocket that is closed in one direction is closed (RFC 6455, 7.1.1).
        self._protocol.receive_eof()
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        self._room.leave(self)
        if self._deadline is not None:
            self._deadline.cancel()
        # The protocol refers to its generator and to an exception, and both of them refer to it.
        self._protocol.parser.close()
        self._protocol.parser_exc = None
        self._connection.connection_lost(error)

    def _frame_received(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            self._awaits_pong = False
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._is_text = frame.opcode is Opcode.TEXT
        elif frame.opcode is not Opcode.CONT:
            return
        self._message += frame.data
        if frame.fin and self._protocol.state is State.OPEN:
            message = bytes(self._message)
            self._message.clear()
            try:
                self._room.received(self, message.decode() if self._is_text else message)
            except UnicodeDecodeError:
                self.close(CloseCode.INVALID_DATA, "text must be UTF-8")

    def send(self, frame: bytes) -> bool:
        """Send a complete frame, and return whether the client could take it."""
        if self._protocol.state is State.OPEN:
            self._write(frame)
            self._flush()
        return self._protocol.state is State.OPEN

    def ping(self) -> None:
        """Ask whether the client is still there. Close it if it has not responded to the last."""
        if self._awaits_pong:
            self.close(CloseCode.INTERNAL_ERROR, "no pong")
        else:
            self._awaits_pong = True
            self._protocol.send_ping(b"")
            self._flush()

    def close(self, code: CloseCode, reason: str) -> None:
        """Send a close frame. The client has CLOSE_SECONDS to read it."""
        self._protocol.fail(code, reason)
        self._flush()

    def abort(self) -> None:
        """Drop the connection now."""
        self._transport.abort()

    def _flush(self) -> None:
        """Send what the protocol has prepared, and end the connection if that was a close."""
        for data in self._protocol.data_to_send():
            if data:
                self._write(data)
            elif self._transport.can_write_eof():
                # b"" stands for the end. The client may have reset the connection already.
                with suppress(OSError):
                    self._transport.write_eof()
            elif not self._transport.is_closing():
                # TLS cannot close one direction alone.
                self._transport.close()
        if self._protocol.state is State.OPEN:
            if self._transport.get_write_buffer_size() > MAX_UNSENT:
                self.close(CloseCode.TRY_AGAIN_LATER, "too slow")
        elif self._room.leave(self):
            self._deadline = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self.abort)

    def _write(self, data: bytes) -> None:
        """Send bytes. All output passes through here."""
        self._transport.write(data)
