"""The shouting server on one thread for any number of clients: a selector, and callbacks."""

import selectors
import socket
from functools import partial

selector = selectors.DefaultSelector()


class Client:
    """One connection, and what it has not taken yet. It is read from or written to, in turns."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._unsent = b""
        selector.register(connection, selectors.EVENT_READ, self.can_read)

    def can_read(self) -> None:
        """Take what has come; from now on wait until the client takes the answer."""
        self._unsent = self._connection.recv(4096).upper()
        if self._unsent:
            selector.modify(self._connection, selectors.EVENT_WRITE, self.can_write)
        else:
            selector.unregister(self._connection)
            self._connection.close()

    def can_write(self) -> None:
        """Send as much as there is room for; when all is sent, wait for bytes again."""
        sent = self._connection.send(self._unsent)
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            selector.modify(self._connection, selectors.EVENT_READ, self.can_read)


def can_accept(listener: socket.socket) -> None:
    """Take a new client in."""
    connection, _ = listener.accept()
    Client(connection)  # the selector keeps it, through its callback


def main() -> None:
    """Serve all clients until Ctrl-C."""
    with socket.create_server(("127.0.0.1", 3000)) as listener:
        listener.setblocking(False)
        selector.register(listener, selectors.EVENT_READ, partial(can_accept, listener))
        print("listening on port 3000", flush=True)
        while True:
            for key, _ in selector.select():  # the one place where this program waits
                key.data()


if __name__ == "__main__":
    main()
