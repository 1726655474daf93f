"""The chain of responsibility: links that every request passes through to its handler.

    RequestLog ─► ErrorBoundary ─► Auth ─► SameOrigin ─► Permission
                                                              │
                      handler ◄─ Validation ◄─ Router ◄───────┘

A link holds the next one and is called like a handler. It passes the request on or refuses it by
raising an error, so that nothing after it runs (Gamma et al., Design Patterns, Chain of
Responsibility). A link knows nothing about its neighbours; `app.py` puts them in the right order.
"""

import hmac
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter

from taskflow.clock import new_id, utc_now
from taskflow.codec import decode_object, encode
from taskflow.config import Tokens
from taskflow.context import Role
from taskflow.errors import (
    ForbiddenOrigin,
    InsufficientPermissions,
    InvalidToken,
    TaskflowError,
)
from taskflow.http import Handler, Request, Response
from taskflow.logs import AccessEntry

logger = logging.getLogger(__name__)

# The form of a client's own request id.
GOOD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

# Methods that only read (RFC 9110, 9.2.1), except for TRACE, which no path supports.
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def chain(handler: Handler, *links: Callable[[Handler], Handler]) -> Handler:
    """Return the handler inside the links, of which the first is the outermost."""
    for link in reversed(links):
        handler = link(handler)
    return handler


@dataclass(frozen=True, slots=True)
class RequestLog:
    """The outermost link: it gives each request an id, and reports each response to observers."""

    observers: Sequence[Callable[[AccessEntry], None]]
    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Add the id to the response: the client's own id if it has a good form, else a new one."""
        request_id = request.headers.get("x-request-id", "")
        if not GOOD_ID.fullmatch(request_id):
            request_id = new_id()
        request.context.request_id = request_id
        request.on_sent = partial(self._report, perf_counter())
        response = await self.next(request)
        response.headers["X-Request-Id"] = request_id
        return response

    def _report(self, started: float, request: Request, status: int, sent: int) -> None:
        entry = AccessEntry(
            id=request.context.request_id,
            timestamp=utc_now(),
            method=request.method,
            path=request.path,
            status=status,
            sent=sent,
            seconds=perf_counter() - started,
            client=request.client,
            role=request.context.role,
        )
        for observer in self.observers:
            observer(entry)


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
            return error_response(error.with_traceback(None), request)
        except Exception:
            request_id = request.context.request_id
            logger.exception("%s %r failed (request %s)", request.method, request.path, request_id)
            failure = TaskflowError("the server failed; its log has the details")
            return error_response(failure, request)


def error_response(error: TaskflowError, request: Request) -> Response:
    """Return the response that reports an error, in the form that all errors have."""
    value = {
        "code": error.code,
        "message": str(error),
        "requestId": request.context.request_id,
        "timestamp": utc_now(),
        "details": error.details,
    }
    return Response(error.status, encode({"error": value}), dict(error.headers))


@dataclass(frozen=True, slots=True)
class Auth:
    """Authentication by the token that a request carries (RFC 6750)."""

    tokens: Tokens
    open_paths: Collection[str]
    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Note the role of the client and pass on. Raises InvalidToken."""
        if request.path not in self.open_paths:
            request.context.role = self._role(token_of(request))
        return await self.next(request)

    def _role(self, token: str) -> Role:
        """Compare with both tokens, in a time that does not show how many characters match."""
        # compare_digest takes only ASCII text.
        is_text = token.isascii()
        is_admin = is_text and hmac.compare_digest(token, self.tokens.admin)
        is_user = is_text and hmac.compare_digest(token, self.tokens.user)
        if not is_admin and not is_user:
            raise InvalidToken("a valid token is needed: Authorization: Bearer TOKEN")
        return Role.ADMIN if is_admin else Role.USER


def token_of(request: Request) -> str:
    """Return the token of a request, which may follow the word Bearer or be there alone."""
    authorization = request.headers.get("authorization", "")
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else authorization


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


@dataclass(frozen=True, slots=True)
class Permission:
    """Authorisation: users read, admins also write. A request without a role is on an open path."""

    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on what the role may do. Raises InsufficientPermissions."""
        if request.method not in SAFE_METHODS and request.context.role is Role.USER:
            raise InsufficientPermissions(f"{request.method} needs the admin token")
        return await self.next(request)


@dataclass(frozen=True, slots=True)
class Validation:
    """The last link, before a handler that takes a JSON object. It checks the object as a whole.

    The checked fields are in `request.context.fields`, so the handler sees only good input.
    """

    check: Callable[[Mapping[str, object]], Mapping[str, object]]
    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on a request with a good body. Raises, in this order, 413, 415, 400 and 422."""
        request.check_length()
        merge_patch = ["application/merge-patch+json"] if request.method == "PATCH" else []
        request.check_media_type("application/json", *merge_patch)
        request.context.fields = self.check(decode_object(await request.read()))
        return await self.next(request)
