"""Send messages to a WebSocket of Taskflow, and print all that comes.

    python3 guides/examples/websockets_talk.py localhost:3000 '{"type":"ping"}'

Two ping frames go last. The first may reach the server together with the messages, and its pong
may then overtake what there is to say to them. The second is sent when that pong is here: whatever
the server had to say comes before the second pong.
"""

import sys

from websockets_wire import PING, PONG, TEXT, Wire


def main() -> None:
    """Send each argument as one message."""
    wire = Wire(sys.argv[1])
    for message in sys.argv[2:]:
        wire.send(TEXT, message.encode())
    try:
        for _ in range(2):
            wire.send(PING, b"")
            opcode, payload = wire.receive()
            while opcode != PONG:
                print(payload.decode())
                opcode, payload = wire.receive()
    except EOFError:
        print("(the connection has ended)")
    wire.close()


if __name__ == "__main__":
    main()
