"""Many clients that read, one that does not, and somebody who changes a task again and again.

    python3 guides/examples/websockets_slow.py localhost:3000

Each change is a large event. The script waits until every reader has it before it makes the next,
but no longer than two seconds.
"""

import selectors
import sys
import time

from memory_talk import Client, request
from websockets_wire import Wire

READERS, CHANGES = 20, 200
LARGE = "\N{SNAIL}" * 10_000  # a description of 40,000 bytes
SMALL = 64 * 1024  # what the kernel may hold for the slow one, so that the server notices soon
PATIENCE = 2.0  # seconds


def read(readers: list[Wire], goal: int) -> bool:
    """Read from all until each has had so many bytes; return whether they have."""
    end = time.monotonic() + PATIENCE
    with selectors.DefaultSelector() as selector:
        for reader in readers:
            selector.register(reader.socket, selectors.EVENT_READ, reader)
        while any(reader.received < goal for reader in readers):
            if time.monotonic() > end:
                return False
            for key, _ in selector.select(timeout=0.1):
                key.data.received += len(key.data.socket.recv(256 * 1024))
    return True


def main() -> None:
    """Make changes until all are told of them, or somebody waits too long."""
    address = sys.argv[1]
    admin = Client(address)
    task = admin.ask("POST", "/tasks", {"title": "Snail"})["id"]
    slow = Wire(address, room=SMALL)
    readers = [Wire(address) for _ in range(READERS)]
    for reader in readers:
        reader.receive()  # connection.ready
        reader.received = 0
    told = 0  # events that all readers have got
    for number in range(CHANGES):
        admin.ask("PATCH", f"/tasks/{task}", {"description": LARGE, "priority": number + 2})
        if not read(readers, (number + 1) * len(LARGE.encode())):
            break
        told = number + 1
    count = CHANGES if told == CHANGES else f"fewer than {CHANGES // 2}"
    print(f"the {READERS} readers have got: {count} of {CHANGES} events")
    stats = admin.ask("GET", "/tasks/system/ws")
    print(
        f"clients left: {stats['clients']} of {READERS + 1}, dropped messages: {stats['dropped']}"
    )
    for wire in (slow, *readers):
        wire.close()
    admin.pipeline([request("DELETE", f"/tasks/{task}")])
    admin.close()


if __name__ == "__main__":
    main()
