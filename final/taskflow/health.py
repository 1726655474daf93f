"""The health check of a container: it asks the server beside it whether it is alive.

    python -m taskflow.health

A check knows neither the flags of the server nor the port that it got, so the server writes its
addresses into a file when it is ready. TASKFLOW_ADDRESS_FILE is the name of the file for both.
"""

import os
import ssl
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from taskflow.config import CannotStart

# How long the server may take to respond.
SECONDS = 2.0

# Addresses on which a server listens on every interface, and those by which it reaches itself.
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@contextmanager
def address_file(name: str, urls: Sequence[str]) -> Iterator[None]:
    """Keep a file with one URL per line while the block runs, unless the name is empty.

    Raises CannotStart.
    """
    if not name:
        yield
        return
    try:
        Path(name).write_text("".join(f"{url}\n" for url in urls), encoding="utf-8")
    except OSError as error:
        raise CannotStart(f"cannot write {name}: {error.strerror}") from None
    try:
        yield
    finally:
        Path(name).unlink(missing_ok=True)


def ask(url: str) -> int:
    """Return the status of /health at this URL. Raises OSError, HTTPException.

    Proxies that are set in the environment are not used, because http.client knows none.
    """
    parts = urlsplit(url)
    host = LOOPBACK.get(parts.hostname or "", parts.hostname or "")
    connection = HTTPConnection(host, parts.port, timeout=SECONDS)
    if parts.scheme == "https":
        # The certificate is for the name that clients use, which is another one than this.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = HTTPSConnection(host, parts.port, timeout=SECONDS, context=context)
    with closing(connection):
        connection.request("GET", "/health")
        return connection.getresponse().status


def main() -> int:
    """Return 0 if the server is alive, and otherwise 1, after a line that says what is wrong."""
    name = os.environ.get("TASKFLOW_ADDRESS_FILE")
    if not name:
        print("taskflow.health: TASKFLOW_ADDRESS_FILE is not set", file=sys.stderr)
        return 1
    try:
        urls = Path(name).read_text(encoding="utf-8")
        status = ask(urls.partition("\n")[0])
    except (OSError, ValueError, HTTPException) as error:
        print(f"taskflow.health: {error}", file=sys.stderr)
        return 1
    if status != 200:
        print(f"taskflow.health: the status is {status}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
