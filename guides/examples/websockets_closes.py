"""Every way in which the server ends a WebSocket, provoked on a server of its own."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from memory_talk import Client
from websockets_wire import CLOSE, TEXT, Wire

LARGE = "\N{SNAIL}" * 10_000  # a description of 40,000 bytes
SMALL = 64 * 1024  # what the kernel may hold for the slow client
OURS = {"text must be UTF-8", "too slow", "no pong", "the server stops"}
Server = subprocess.Popen[str]


@contextmanager
def server(*options: str) -> Iterator[tuple[str, Server]]:
    """Run a server; give its address, and its process."""
    command = [sys.executable, "-m", "taskflow", "--port", "0", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        found = re.search(r"127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        yield found[0], process
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def provoke(address: str, act: Callable[[Wire], None], room: int | None = None) -> str:
    """Connect, do something, and return how the server ends it."""
    wire = Wire(address, room=room)
    act(wire)
    code, reason = wire.closed()
    wire.close()
    return f"{code} | {reason if reason in OURS else '(what the library says)' if reason else ''}"


def fall_behind(address: str) -> None:
    """Make events for a client that does not read."""
    admin = Client(address)
    task, number = admin.ask("POST", "/tasks", {"title": "Snail"})["id"], 1
    while admin.ask("GET", "/tasks/system/ws")["dropped"] == 0:
        for _ in range(20):
            number += 1
            change = {"description": LARGE, "priority": number}
            admin.ask("PATCH", f"/tasks/{task}", change)
    admin.close()


def table() -> None:
    """Print what a client did, and the code that it was closed with."""
    print("| what happens | code | reason |")
    print("| --- | ---: | --- |")
    with server() as (address, process):
        acts: dict[str, Callable[[Wire], None]] = {
            "the client says goodbye": lambda wire: wire.send(CLOSE, b"\x03\xe8"),
            "a frame without a mask": lambda wire: wire.send(TEXT, b"Hello", mask=False),
            "text that is not UTF-8": lambda wire: wire.send(TEXT, b"\xff"),
            "a message of 64 KiB and a byte": lambda wire: wire.send(TEXT, bytes(64 * 1024 + 1)),
        }
        for what, act in acts.items():
            print(f"| {what} | {provoke(address, act)} |")
        slow = provoke(address, lambda _: fall_behind(address), SMALL)
        print(f"| more than 1 MiB waits for it | {slow} |")
        stopped = provoke(address, lambda _: process.terminate())
        print(f"| the server stops | {stopped} |")
    with server("--ping-interval", "0.2") as (address, _):
        print(f"| no pong in return for a ping | {provoke(address, lambda wire: None)} |")


if __name__ == "__main__":
    table()
