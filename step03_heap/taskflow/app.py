"""The composition root: builds the parts, and wires them into the one callable that is served."""

import logging
from dataclasses import dataclass

from taskflow.codec import encode
from taskflow.errors import ForbiddenOrigin, TaskflowError
from taskflow.http import Handler, Request, Response
from taskflow.router import Router
from taskflow.routes import TaskRoutes, health
from taskflow.store import Store

READING = {"GET", "HEAD", "OPTIONS", "TRACE"}  # the safe methods (RFC 9110, 9.2.1)


def build_app() -> Handler:
    """Return the application: errors around origins around routes around handlers."""
    store = Store()
    router = Router({"GET /health": health, **TaskRoutes(store).routes()})
    return ErrorBoundary(SameOrigin(router))


@dataclass(frozen=True, slots=True)
class ErrorBoundary:
    """The one place where errors become answers, those of the parser included."""

    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Answer with what is inside, or with what went wrong there."""
        try:
            if request.refusal is not None:
                raise request.refusal
            return await self.next(request)
        except TaskflowError as error:
            return error_response(error)
        except Exception:
            logging.getLogger(__name__).exception("%s %s failed", request.method, request.path)
            return error_response(TaskflowError("the server has failed; its log says how"))


def error_response(error: TaskflowError) -> Response:
    """Return the answer that says what was wrong."""
    return Response(error.status, encode({"error": str(error)}), dict(error.headers))


@dataclass(frozen=True, slots=True)
class SameOrigin:
    """Lets no page of another origin change anything.

    A browser lets any page send requests to any server, this one on the reader's own machine
    included, but it names the page's origin, which a page cannot forge (RFC 6454, 7).
    """

    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on what only reads or comes from here. Raises ForbiddenOrigin."""
        if request.method not in READING and (origin := request.headers.get("origin")) is not None:
            own = "http://" + request.headers.get("host", "")
            if origin.lower().removesuffix(":80") != own.lower().removesuffix(":80"):
                raise ForbiddenOrigin(f"a page of {origin[:100]} may not change tasks here")
        return await self.next(request)
