"""A WebSocket client made of a plain socket, for the scripts of guide 10 (RFC 6455, 4.1, 5.2)."""

import socket
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MASK = bytes.fromhex(
    "37fa213d"
)  # that of the RFC's examples; a real client takes a new one each time
HANDSHAKE = (
    "GET /ws/tasks HTTP/1.1\r\n"
    "Host: localhost\r\n"
    "Upgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Authorization: Bearer secret-user-123\r\n"
    "\r\n"
)


def masked(data: bytes, mask: bytes = MASK) -> bytes:
    """Return the data with each byte XORed with a byte of the mask; twice gives the data again."""
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))


def frame(opcode: int, payload: bytes, *, mask: bool = True, fin: bool = True) -> bytes:
    """Return a frame: masked, as a client's has to be, and whole, unless more is to follow."""
    head = bytes([fin << 7 | opcode])
    masks = mask << 7
    if len(payload) < 126:
        head += bytes([masks | len(payload)])
    elif len(payload) < 1 << 16:
        head += bytes([masks | 126]) + struct.pack("!H", len(payload))
    else:
        head += bytes([masks | 127]) + struct.pack("!Q", len(payload))
    return head + (MASK + masked(payload) if mask else payload)


class Wire:
    """One connection to a server, which has answered the handshake."""

    def __init__(self, address: str, *, room: int | None = None, behind: bytes = b"") -> None:
        """Connect; `room` bounds what the kernel holds for us, `behind` follows the handshake."""
        host, _, port = address.partition(":")
        self.socket = socket.socket()
        if room is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.socket.settimeout(30)
        self.socket.connect((host, int(port)))
        self._buffer = b""
        self.received = 0  # bytes
        self.socket.sendall(HANDSHAKE.encode() + behind)
        self.head = self._until(b"\r\n\r\n")

    def send(self, opcode: int, payload: bytes, *, mask: bool = True, fin: bool = True) -> None:
        """Send one frame."""
        self.socket.sendall(frame(opcode, payload, mask=mask, fin=fin))

    def receive(self) -> tuple[int, bytes]:
        """Return opcode and payload of the next frame. Raises EOFError at the end."""
        first, length = self._take(2)
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8))
        return first & 15, self._take(length)

    def closed(self) -> tuple[int, str]:
        """Wait for the frame that closes the connection; return its code and reason."""
        opcode, payload = self.receive()
        while opcode != CLOSE:
            opcode, payload = self.receive()
        return int.from_bytes(payload[:2], "big"), payload[2:].decode()

    def close(self) -> None:
        """Leave without a word."""
        self.socket.close()

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._receive()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._receive()
        return self._take(self._buffer.index(end) + len(end))

    def _receive(self) -> None:
        data = self.socket.recv(256 * 1024)
        if not data:
            raise EOFError
        self.received += len(data)
        self._buffer += data
