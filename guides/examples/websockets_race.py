"""A client that connects, and asks for what it missed a moment later: too late for its order.

    python3 guides/examples/websockets_race.py localhost:3000

It saw an event, was away during the second, and is back. A third comes before it asks for what it
missed.
"""

import json
import sys

from memory_talk import Client
from websockets_wire import PING, PONG, TEXT, Wire


def main() -> None:
    """Print what arrives, in its order."""
    address = sys.argv[1]
    admin = Client(address)
    admin.ask("POST", "/tasks", {"title": "Seen"})
    wire = Wire(address)
    ready = json.loads(wire.receive()[1])
    wire.close()
    admin.ask("POST", "/tasks", {"title": "Missed"})
    wire = Wire(address)
    wire.receive()  # connection.ready
    admin.ask("POST", "/tasks", {"title": "Live"})
    wire.send(
        TEXT,
        json.dumps(
            {
                "type": "subscribe",
                "rooms": ["tasks"],
                "since": ready["seq"],
                "epoch": ready["epoch"],
            }
        ).encode(),
    )
    wire.send(PING, b"")
    opcode, payload = wire.receive()
    while opcode != PONG:
        message = json.loads(payload)
        line = str(message["type"])
        if "seq" in message:
            line += f" seen + {message['seq'] - ready['seq']}: {message['task']['title']}"
        print(line)
        opcode, payload = wire.receive()
    wire.close()
    admin.close()


if __name__ == "__main__":
    main()
