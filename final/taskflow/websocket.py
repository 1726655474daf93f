"""One WebSocket: frames in, messages up; messages down, frames out (RFC 6455).

    data_received ─► ServerProtocol ─► frames ─► message ─► hub.received
                           │
    transport ◄────────────┘ pongs and closes               hub ─► send ─► transport

`ServerProtocol`, of the library websockets, has the shape of our own parser: bytes in, frames out,
and no socket. What it leaves to us: to join the frames of one message, to check that text is
UTF-8, to ask with pings whether anybody is still there, and to end a client that takes nothing.
"""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from websockets import CloseCode, Frame, Opcode, ServerProtocol, State

if TYPE_CHECKING:
    from taskflow.hub import Hub

MAX_MESSAGE = 64 * 1024  # bytes; over it, the protocol closes with 1009
MAX_UNSENT = 1024 * 1024  # bytes that a slow client may leave waiting
CLOSE_SECONDS = 2.0  # how long a client may take to say goodbye


def text_frame(message: bytes) -> bytes:
    """Return a message as a frame, which is the same for every client (RFC 6455, 5.2)."""
    return Frame(Opcode.TEXT, message).serialize(mask=False)


class WebSocket(asyncio.Protocol):
    """The server's end of one WebSocket: what asyncio calls instead of our Connection."""

    def __init__(self, protocol: ServerProtocol, hub: "Hub") -> None:
        self._protocol = protocol
        self._hub = hub
        self._message = bytearray()  # what has come of the current one
        self._is_text = False
        self._awaits_pong = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._before = self.transport.get_protocol()  # it too wants to know when the socket is gone
        self._hub.join(self)

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for frame in self._protocol.events_received():
            if isinstance(frame, Frame):
                self._frame_received(frame)
        self._flush()

    def eof_received(self) -> None:
        self._protocol.receive_eof()  # half-closed is closed (RFC 6455, 7.1.1)
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        self._hub.leave(self)
        self._before.connection_lost(error)

    def _frame_received(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            self._awaits_pong = False
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._is_text = frame.opcode is Opcode.TEXT
        elif frame.opcode is not Opcode.CONT:
            return
        self._message += frame.data
        if frame.fin and self._protocol.state is State.OPEN:
            message, self._message = bytes(self._message), bytearray()
            try:
                self._hub.received(self, message.decode() if self._is_text else message)
            except UnicodeDecodeError:
                self.close(CloseCode.INVALID_DATA, "text must be UTF-8")

    def send(self, frame: bytes) -> bool:
        """Send a frame that is made already; return whether the client could take it."""
        if self._protocol.state is State.OPEN:
            self.transport.write(frame)
            self._flush()
        return self._protocol.state is State.OPEN

    def ping(self) -> None:
        """Ask whether the client is still there; end it if it has not answered the last time."""
        if self._awaits_pong:
            self.close(CloseCode.INTERNAL_ERROR, "no pong")
        else:
            self._awaits_pong = True
            self._protocol.send_ping(b"")
            self._flush()

    def close(self, code: CloseCode, reason: str) -> None:
        """Say why, and end the connection; the client has CLOSE_SECONDS to read that."""
        self._protocol.fail(code, reason)
        self._flush()

    def _flush(self) -> None:
        """Send what the protocol has to say, and see to the end if that was its last word."""
        for data in self._protocol.data_to_send():
            if data:
                self.transport.write(data)
            elif self.transport.can_write_eof():  # b"" is the end (half-close)
                with suppress(OSError):  # the client has just gone
                    self.transport.write_eof()
            elif not self.transport.is_closing():  # TLS has no half-close
                self.transport.close()
        if self._protocol.state is State.OPEN:
            if self.transport.get_write_buffer_size() > MAX_UNSENT:
                self.close(CloseCode.TRY_AGAIN_LATER, "too slow")
        elif self._hub.leave(self):
            asyncio.get_running_loop().call_later(CLOSE_SECONDS, self.transport.abort)
