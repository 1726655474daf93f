r"""Send bytes to a server exactly as given, and print what comes back.

    python3 guides/examples/http_send.py localhost:3000 'GET /hea' 'lth HTTP/1.1\r\nHost: x\r\n\r\n'

Each argument is sent by itself, a tenth of a second after the one before; `\r\n` in it means the
two bytes. Then the sending side is closed, as by a client that has no more to say.
"""

import re
import socket
import sys
import time


def send(address: str, pieces: list[str]) -> bytes:
    """Return all that the server answers until it closes."""
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number, piece in enumerate(pieces):
            time.sleep(0.1 if number else 0)
            connection.sendall(piece.encode().decode("unicode_escape").encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


if __name__ == "__main__":
    answers = send(sys.argv[1], sys.argv[2:])
    shown = re.sub(rb"(?<!\n)(HTTP/1\.1 \d)", rb"\n\1", answers)  # each answer on a new line
    print(shown.decode().strip() or "(nothing came back)")
