"""Links: they surround the router, and every request passes through them to its handler.

    ErrorBoundary ─► SameOrigin ─► Router ─► handler

A link holds the next one and is called like a handler. It passes the request on or refuses it by
raising an error.
"""

import logging
from dataclasses import dataclass

from taskflow.codec import encode
from taskflow.errors import ForbiddenOrigin, TaskflowError
from taskflow.http import Handler, Request, Response

logger = logging.getLogger(__name__)

# Methods that only read (RFC 9110, 9.2.1), except for TRACE, which no path supports.
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True, slots=True)
class ErrorBoundary:
    """The one place where errors become responses, including the parser's refusals."""

    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Return the response of the next link, or the response that its error becomes."""
        try:
            if request.refusal is not None:
                raise request.refusal
            return await self.next(request)
        except TaskflowError as error:
            # A refusal would keep its own request alive: its traceback refers to this call.
            return error_response(error.with_traceback(None))
        except Exception:
            logger.exception("%s %r failed", request.method, request.path)
            return error_response(TaskflowError("the server failed; its log has the details"))


def error_response(error: TaskflowError) -> Response:
    """Return the response that reports an error."""
    return Response(error.status, encode({"error": str(error)}), dict(error.headers))


@dataclass(frozen=True, slots=True)
class SameOrigin:
    """Protection against pages of other origins, which must not change tasks.

    A browser lets any page send requests to any server, including one on the reader's own
    machine. But it adds the page's origin, which the page cannot forge (RFC 6454, 7).
    """

    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on requests that only read or come from this server. Raises ForbiddenOrigin."""
        origin = request.headers.get("origin")
        if origin is not None and request.method not in SAFE_METHODS:
            own = "http://" + request.headers.get("host", "")
            if origin.lower().removesuffix(":80") != own.lower().removesuffix(":80"):
                raise ForbiddenOrigin(f"a page of {origin[:100]} may not change tasks here")
        return await self.next(request)
