"""`python -m benchmarks.drain PORT PATH TIMES`: take an answer, and throw it away, TIMES times.

A process of its own that does next to nothing for a byte, so that a server which streams is held
up by itself alone. What it saw goes to stdout as JSON.
"""

from __future__ import annotations

import json
import socket
import sys
import time

from benchmarks.client import AUTHORIZATION, encode

BUFFER = 256 * 1024  # bytes
TAIL = 4096  # bytes of the end that are looked at


def drain(port: int, path: str) -> tuple[float, bytes]:
    """Return the seconds until the end of the answer, and the last of its bytes."""
    buffer = memoryview(bytearray(BUFFER))
    tail = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        begin = time.perf_counter()
        connection.sendall(encode("GET", path, headers=[AUTHORIZATION, "Connection: close"]))
        while count := connection.recv_into(buffer):
            tail = (tail + bytes(buffer[max(0, count - TAIL) : count]))[-TAIL:]
        return time.perf_counter() - begin, tail


def main(port: str, path: str, times: str) -> None:
    """Drain, and print the seconds of each time and the end of the last."""
    taken = [drain(int(port), path) for _ in range(int(times))]
    print(json.dumps({"seconds": [one[0] for one in taken], "tail": taken[-1][1].decode("latin1")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
