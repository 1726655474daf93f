"""Twenty clients that want a large export and read it slowly; and one that asks how it goes.

    python3 guides/examples/streaming_readers.py localhost:3000

For six seconds each of the twenty reads 4 KiB ten times a second. Then all read what is left.
"""

import http.client
import socket
import sys
import time

from memory_talk import Client

READERS = 20
SECONDS, EVERY = 6.0, 0.1
SMALL = 64 * 1024  # what the client's kernel may hold for it, so that the server notices soon
LAST_CHUNK = b"0\r\n\r\n"
LITTLE, MUCH = 8, 16  # MiB
GET = (
    b"GET /demo/stream/csv?count=300000 HTTP/1.1\r\nHost: localhost\r\n"
    b"Authorization: Bearer secret-user-123\r\nConnection: close\r\n\r\n"
)


class Reader:
    """One client, which reads when it is told to."""

    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        self._socket.settimeout(30)
        self._socket.connect((host, int(port)))
        self._socket.sendall(GET)
        self.taken = 0
        self.end = b""

    def read(self, count: int) -> bool:
        """Take so many bytes or fewer; return whether there were any."""
        data = self._socket.recv(count)
        self.taken += len(data)
        self.end = (self.end + data)[-len(LAST_CHUNK) :]
        return bool(data)

    def read_all(self) -> None:
        """Take all that is left, and leave."""
        while self.read(256 * 1024):
            pass
        self._socket.close()


def health(address: str) -> float:
    """Return how long `/health` took, in seconds."""
    started = time.perf_counter()
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("GET", "/health")
    assert connection.getresponse().status == 200
    connection.close()
    return time.perf_counter() - started


def main() -> None:
    """Read slowly, and watch the server."""
    address = sys.argv[1]
    client = Client(address)
    before = most = client.resident()
    readers = [Reader(address) for _ in range(READERS)]
    waits = []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for reader in readers:
            reader.read(4096)
        waits.append(health(address))
        most = max(most, client.resident())
        time.sleep(EVERY)
    for reader in readers:
        reader.read_all()
    grown = most - before
    size = f"less than {LITTLE}" if grown < LITTLE else f"more than {MUCH}"
    assert grown < LITTLE or grown > MUCH, f"it has grown by {grown:.0f} MiB"
    print(f"answers of {sum(reader.taken for reader in readers) // 1024**2} MiB in all")
    print(f"the server has grown by {size} MiB")
    print(f"/health took {max(waits) * 1000:.1f} ms at most")
    print(f"whole answers: {sum(reader.end == LAST_CHUNK for reader in readers)} of {READERS}")
    client.close()


if __name__ == "__main__":
    main()
