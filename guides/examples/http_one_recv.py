"""The wrong turn: a server that takes what one recv() gives for one whole request."""

import json
import socket


def answer(data: bytes) -> bytes:
    """Return the answer to the request that these bytes are taken for."""
    head, _, body = data.partition(b"\r\n\r\n")
    try:
        method, path, _version = head.split(b"\r\n")[0].split(b" ")
        title = json.loads(body)["title"]
    except (ValueError, KeyError) as error:
        return f"HTTP/1.1 400 Bad Request\r\n\r\n{error}\n".encode()
    return b"HTTP/1.1 201 Created\r\n\r\n%b %b: %d letters\n" % (method, path, len(title))


def main() -> None:
    """Serve one client after the other until Ctrl-C."""
    with socket.create_server(("127.0.0.1", 3000)) as listener:
        print("listening on port 3000", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(answer(connection.recv(65536)))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass  # what came too late to be looked at


if __name__ == "__main__":
    main()
