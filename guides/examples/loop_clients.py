"""Two clients of a shouting server: the first one says nothing, the second one does.

python3 guides/examples/loop_clients.py localhost:3000
"""

import socket
import sys


def main(host: str, port: int) -> None:
    """Say what the second client hears while the first is there, and when it has left."""
    silent = socket.create_connection((host, port))
    with socket.create_connection((host, port), timeout=1) as client:
        client.sendall(b"hello")
        try:
            print("beside a silent client:", client.recv(100).decode())
        except TimeoutError:
            print("beside a silent client: no answer within a second")
            silent.close()
            print("when that one has left:", client.recv(100).decode())
    silent.close()


if __name__ == "__main__":
    name, _, number = sys.argv[1].partition(":")
    main(name, int(number))
