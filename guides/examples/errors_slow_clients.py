"""Many clients that never finish their heads, and one that only wants to be served.

    python3 guides/examples/errors_slow_clients.py localhost:3000 200

Each slow client sends the first line of a request, and then one more header every half second.
Twice the good client asks for /health: at once, and five seconds later.
"""

import selectors
import socket
import sys
import time
from contextlib import suppress

LINE = b"GET /tasks HTTP/1.1\r\n"
SECONDS, EVERY = 5.0, 0.5
Address = tuple[str, int]


def drop_ended(clients: set[socket.socket]) -> None:
    """Close the clients that the server has answered or closed, until there are no more."""
    while True:
        with selectors.DefaultSelector() as selector:
            for client in clients:
                selector.register(client, selectors.EVENT_READ, client)
            ended = {key.data for key, _ in selector.select(timeout=0.1)}
        if not ended:
            return
        for client in ended:
            client.close()
        clients -= ended


def drip(clients: set[socket.socket]) -> None:
    """Send one more header from each."""
    for client in clients:
        with suppress(OSError):  # it may have been let go a moment ago
            client.sendall(b"X-Slow: yes\r\n")


def good_client(address: Address) -> str:
    """Return the first line that the server answers to a whole request."""
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return client.makefile("rb").readline().decode().strip()


def report(when: str, clients: set[socket.socket], address: Address) -> None:
    """Print how many slow clients are held, and what the good one gets."""
    print(f"{when:16} slow clients held: {len(clients):2}; good client: {good_client(address)}")


def main() -> None:
    """Attack, and look twice."""
    host, _, port = sys.argv[1].partition(":")
    address = host, int(port)
    clients: set[socket.socket] = set()
    for number in range(int(sys.argv[2])):
        client = socket.create_connection(address, timeout=10)
        client.sendall(LINE)
        clients.add(client)
        if number % 50 == 0:
            drop_ended(clients)  # before they are a crowd that is not even told
    drop_ended(clients)
    report("at once:", clients, address)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(EVERY)
        drip(clients)
        drop_ended(clients)
    report("5 seconds later:", clients, address)
    for client in clients:
        client.close()


if __name__ == "__main__":
    main()
