"""What the demos share: a client, a check, and a clean end."""

import json
import sys
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any

ADMIN = {"Authorization": "Bearer secret-admin-123"}  # steps before 5 take no notice of it


class NotAsTold(Exception):
    """Something came out otherwise than the course says."""


def told(kept: bool, claim: str) -> None:
    """Hold the course to what it says. Raises NotAsTold."""
    if not kept:
        raise NotAsTold(claim)


class Client:
    """One connection to a server."""

    def __init__(self, address: str) -> None:
        self._connection = HTTPConnection(address, timeout=60)

    def ask(self, method: str, path: str, value: object = None) -> tuple[int, Any]:
        """Send a request; return the status and the JSON of the answer, None if it is empty."""
        body = None if value is None else json.dumps(value)
        self._connection.request(method, path, body, ADMIN)
        answer = self._connection.getresponse()
        data = answer.read()
        return answer.status, json.loads(data) if data else None

    def get(self, path: str) -> Any:
        """Return what is there. Raises NotAsTold if the server refuses."""
        return self.change("GET", path)

    def change(self, method: str, path: str, value: object = None) -> Any:
        """Send a request that has to succeed; return the JSON of its answer. Raises NotAsTold."""
        status, answer = self.ask(method, path, value)
        told(200 <= status < 300, f"{method} {path} succeeds, and does not answer {status}")
        return answer

    def close(self) -> None:
        """Leave."""
        self._connection.close()


def perform(show: Callable[..., None], *arguments: Any) -> None:
    """Run a demo, and end the program with 0, 1 if something was not as told, 130 after Ctrl-C."""
    try:
        show(*arguments)
    except NotAsTold as error:
        sys.exit(f"Not as told: {error}.")
    except (OSError, HTTPException) as error:
        sys.exit(f"The server is gone: {error!r}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)
