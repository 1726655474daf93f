"""Readiness: whether the server takes changes, for a load balancer to ask (`GET /ready`).

A server whose disk fails still serves reads, so it is alive (`GET /health`) but not ready.
Restarting it would not help, and neither would sending it writes.
"""

from taskflow.codec import encode
from taskflow.errors import ServiceUnavailable
from taskflow.http import Handler, Request, Response
from taskflow.journal import Journal

READY = encode({"status": "ready"})


class Readiness:
    """Knows whether a change that begins now can succeed."""

    def __init__(self) -> None:
        # None if the tasks are kept in memory only.
        self.journal: Journal | None = None
        self._is_stopping = False

    def routes(self) -> dict[str, Handler]:
        """Return the handlers by method and path."""
        return {"GET /ready": self.show}

    def stop(self) -> None:
        """From now on, report that the server stops."""
        self._is_stopping = True

    async def show(self, request: Request) -> Response:
        """Respond with 200 while changes are taken. Raises ServiceUnavailable with the reason."""
        refusal = "" if self.journal is None else self.journal.refusal
        if self._is_stopping:
            refusal = "the server stops"
        if refusal:
            raise ServiceUnavailable(refusal)
        return Response(200, READY)
