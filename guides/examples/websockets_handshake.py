"""The handshake of a WebSocket as it goes over the wire, with a message right behind it.

python3 guides/examples/websockets_handshake.py localhost:3000
"""

import sys

from websockets_wire import HANDSHAKE, TEXT, Wire, frame

MESSAGE = b'{"type":"ping"}'


def show(mark: str, text: str) -> None:
    """Print each line behind a mark."""
    for line in text.replace("\r\n", "\n").splitlines():
        print(f"{mark} {line}".rstrip())


def main() -> None:
    """Send both at once, and print what comes back."""
    behind = frame(TEXT, MESSAGE)
    show(">", HANDSHAKE)
    show(">", behind.hex(" "))
    wire = Wire(sys.argv[1], behind=behind)
    show("<", wire.head.decode())
    for _ in range(2):
        opcode, payload = wire.receive()
        show("<", f"opcode {opcode}: {payload.decode()}")
    wire.close()


if __name__ == "__main__":
    main()
