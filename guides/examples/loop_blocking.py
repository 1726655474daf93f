"""A shouting server that waits for one client at a time. It works, for one client."""

import socket


def main() -> None:
    """Serve one client after the other until Ctrl-C."""
    with socket.create_server(("127.0.0.1", 3000)) as listener:
        print("listening on port 3000", flush=True)
        while True:
            connection, _ = listener.accept()  # waits until a client comes
            with connection:
                while data := connection.recv(4096):  # waits until it says something
                    connection.sendall(data.upper())  # waits until it has taken the answer


if __name__ == "__main__":
    main()
