"""Tries what the threat model says is defended, on a server of its own, and prints the answers."""

import socket
from contextlib import ExitStack, closing, suppress

from final_server import ADMIN, USER, running

AS_ADMIN = f"Authorization: Bearer {ADMIN}\r\n"
AS_USER = f"Authorization: Bearer {USER}\r\n"
FOREIGN = "Origin: https://evil.example\r\n"
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
JSON = "Content-Type: application/json\r\n"
DEEP = "[" * 10_000


def request(line: str, *fields: str, host: str = "localhost", body: str = "") -> bytes:
    """Return the bytes of a request."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{line} HTTP/1.1\r\nHost: {host}\r\n{''.join(fields)}{length}\r\n{body}".encode()


ATTACKS = (
    ("a stranger", "reads without a token", request("GET /tasks")),
    ("a stranger", "guesses one", request("GET /tasks", "Authorization: Bearer guess\r\n")),
    ("a reader", "writes", request("POST /tasks", AS_USER, JSON, body='{"title": "t"}')),
    (
        "a web page in a browser of the team",
        "changes something, even with a good token",
        request("POST /tasks/claim", AS_ADMIN, FOREIGN),
    ),
    (
        "a web page in a browser of the team",
        "opens a WebSocket",
        request("GET /ws/tasks", AS_ADMIN, UPGRADE, FOREIGN),
    ),
    (
        "a web page in a browser of the team",
        "points its own name at our address (DNS rebinding)",
        request("GET /tasks", AS_ADMIN, host="evil.example"),
    ),
    (
        "somebody before a proxy",
        "gives a body two lengths (request smuggling)",
        request("POST /tasks", AS_ADMIN, "Transfer-Encoding: chunked\r\n", body="0\r\n\r\n"),
    ),
    (
        "any client",
        "asks for a file by a path with `..`",
        request("GET /board/..%2f..%2fconfig.py", AS_USER),
    ),
    ("any client", "sends a head of 20 KiB", request("GET /tasks", "X: " + "x" * 20_480 + "\r\n")),
    (
        "any client",
        "announces a body of 2 MiB",
        request("POST /tasks", AS_ADMIN, JSON, "Content-Length: 2097152\r\n"),
    ),
    (
        "any client",
        "nests JSON 10,000 deep",
        request("POST /tasks", AS_ADMIN, JSON, body=f'{{"title": {DEEP}'),
    ),
    ("any client", "begins a request and never ends it", b"GET /tasks HTTP/1.1\r\nHost: x\r\n"),
)


def connected(port: int) -> socket.socket:
    """Return a new connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def status(connection: socket.socket, sent: bytes) -> str:
    """Send bytes; return the status line's number and words."""
    with suppress(OSError):  # refused before it has taken all
        connection.sendall(sent)
    received = b""
    while b"\r\n" not in received and (piece := connection.recv(4096)):
        received += piece
    return received.partition(b"\r\n")[0].decode().partition(" ")[2]


def table() -> None:
    """Print each attack with what it is answered."""
    print("| who | tries | is answered |\n| --- | --- | --- |")
    flags = ("--data", ":memory:", "--head-timeout", "0.5", "--max-connections", "3")
    with running(*flags) as (port, _):
        for who, tries, sent in ATTACKS:
            with closing(connected(port)) as connection:
                print(f"| {who} | {tries} | {status(connection, sent)} |")
        with ExitStack() as crowd:
            clients = [crowd.enter_context(closing(connected(port))) for _ in range(4)]
            answer = status(clients[-1], request("GET /health"))
        print(f"| any client | takes more connections than there are | {answer} |")
