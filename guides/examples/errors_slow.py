"""A client that is slow in one way or another, and says what became of it.

    python3 guides/examples/errors_slow.py localhost:3000 head

The server should have short deadlines; the guide of step 6 starts one.
"""

import json
import socket
import sys
import time

HEADERS = "Host: localhost\r\nAuthorization: Bearer secret-admin-123\r\n"
GET = f"GET /tasks HTTP/1.1\r\n{HEADERS}\r\n".encode()


def post(length: int) -> bytes:
    """Return the head of a request that announces a body."""
    return f"POST /tasks HTTP/1.1\r\n{HEADERS}Content-Length: {length}\r\n\r\n".encode()


def head(client: socket.socket) -> None:
    """Send half a head, and then nothing."""
    client.sendall(GET[:-10])


def body(client: socket.socket) -> None:
    """Send a head, a little of the body, and then nothing."""
    client.sendall(post(5_000) + b'{"title":')


def moving(client: socket.socket) -> None:
    """Send a body that takes two seconds, but always moves: 1,000 bytes ten times a second."""
    whole = b'{"title":"slow"' + b" " * 19_984 + b"}"
    client.sendall(post(len(whole)))
    for start in range(0, len(whole), 1_000):
        time.sleep(0.1)
        client.sendall(whole[start : start + 1_000])


def idle(client: socket.socket) -> None:
    """Send nothing."""


def deaf(client: socket.socket) -> None:
    """Make big tasks, ask for all of them forty times, and take nothing of the answers."""
    big = json.dumps({"title": "big", "description": "x" * 10_000}).encode()
    for _ in range(100):
        client.sendall(post(len(big)) + big)
        while b"x" * 100 not in client.recv(65536):
            pass
    with socket.create_connection(client.getpeername()) as other:
        other.sendall(GET * 40)
        time.sleep(2)
        taken = sum(map(len, iter(lambda: other.recv(1 << 20), b"")))
    print(f"the connection has ended; all 40 answers came: {taken > 40 * 1_000_000}")


def outcome(client: socket.socket) -> str:
    """Return what the server answers, if it does."""
    answer = b"".join(iter(lambda: client.recv(65536), b""))
    if not answer:
        return "closed without a word"
    start, _, rest = answer.partition(b"\r\n")
    value = json.loads(rest.partition(b"\r\n\r\n")[2])
    error = value.get("error", {})
    return f"{start.decode()}: {error.get('message', 'the task has been made')}"


WAYS = {way.__name__: way for way in (head, body, moving, idle)}


def main() -> None:
    """Be slow, and print what the server makes of it."""
    host, _, port = sys.argv[1].partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as client:
        if sys.argv[2] == "deaf":
            deaf(client)
            return
        WAYS[sys.argv[2]](client)
        if sys.argv[2] == "moving":
            client.shutdown(socket.SHUT_WR)
        print(outcome(client))


if __name__ == "__main__":
    main()
