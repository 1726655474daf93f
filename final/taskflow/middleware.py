"""The chain of responsibility: links that every request passes through to its handler.

    RequestLog ─► ErrorBoundary ─► AllowedHosts ─► Auth ─► SameOrigin ─► Permission ─► Durable
                                                                                          │
                                                  handler ◄─ Validation ◄─ Router ◄───────┘

A link holds the next one and is called like a handler. It passes the request on or refuses it by
raising an error, so that nothing after it runs (Gamma et al., Design Patterns, Chain of
Responsibility). A link knows nothing about its neighbours; `app.py` puts them in the right order.
"""

import hmac
import ipaddress
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from time import perf_counter

from taskflow.clock import new_id, utc_now
from taskflow.codec import decode_object, encode
from taskflow.config import Tokens
from taskflow.context import Role
from taskflow.errors import (
    BadRequest,
    ForbiddenOrigin,
    InsufficientPermissions,
    InvalidToken,
    NoResponse,
    TaskflowError,
)
from taskflow.events import current_request
from taskflow.http import Handler, Request, Response
from taskflow.journal import Journal
from taskflow.logs import AccessEntry

logger = logging.getLogger(__name__)

# Where a browser can put a token when it opens a WebSocket: among the subprotocols it offers.
OFFERED_TOKEN = re.compile(r"(?:^|,)[\t ]*bearer\.([^\t ,]+)")

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
        """Add the id to the response: the client's own id if it has a good form, or a new one."""
        request_id = request.headers.get("x-request-id")
        if request_id is None or not GOOD_ID.fullmatch(request_id):
            request_id = new_id()
        request.context.request_id = request_id
        current_request.set(request_id)
        entry = AccessEntry(request_id, request.method, request.path, request.client)
        request.on_sent = partial(self._report, perf_counter(), entry)
        response = await self.next(request)
        response.headers["X-Request-Id"] = request_id
        return response

    def _report(
        self, started: float, entry: AccessEntry, request: Request, status: int, sent: int
    ) -> None:
        """Complete the entry, and pass it to the observers."""
        entry.timestamp = utc_now()
        entry.status = status
        entry.sent = sent
        entry.seconds = perf_counter() - started
        entry.role = request.context.role
        entry.route = request.context.route
        for observer in self.observers:
            observer(entry)


@dataclass(frozen=True, slots=True)
class ErrorBoundary:
    """The one place where errors become responses, including the parser's refusals."""

    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Return the response of the next link, or the one that its error becomes.

        Raises NoResponse if there can be none.
        """
        try:
            if request.refusal is not None:
                raise request.refusal
            return await self.next(request)
        except TaskflowError as error:
            # A refusal would keep its own request alive: its traceback refers to this call.
            return error_response(error.with_traceback(None), request)
        except NoResponse:
            raise
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
        """Compare with all tokens, in a time that does not show how many characters match.

        The loops run to their ends, so the time does not show either which token it is.
        """
        role: Role | None = None
        # compare_digest takes only ASCII text.
        if token.isascii():
            for proved, secrets in (Role.ADMIN, self.tokens.admin), (Role.USER, self.tokens.user):
                for secret in secrets.split(","):
                    if hmac.compare_digest(token, secret):
                        role = proved
        if role is None:
            raise InvalidToken("a valid token is needed: Authorization: Bearer TOKEN")
        return role


def token_of(request: Request) -> str:
    """Return the token of a request, which may follow the word Bearer or be there alone."""
    offered = OFFERED_TOKEN.search(request.headers.get("sec-websocket-protocol", ""))
    if offered is not None:
        return offered[1]
    authorization = request.headers.get("authorization", "")
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else authorization


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Protection against DNS rebinding: requests that reach this server under a foreign name.

    A page of evil.example can let its name point to 127.0.0.1 a second later. For the browser it
    then has the same origin as this server. Nobody can redirect an address in this way, so every
    address is allowed, and names only if they are known. A client of HTTP/1.0 may leave out the
    name; browsers never do.
    """

    names: tuple[str, ...]
    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on requests for an allowed name or for an address. Raises BadRequest."""
        host = request.headers.get("host")
        if host is not None and not is_allowed_host(host, self.names):
            raise BadRequest(f"this server is not {host[:100]} (see --allowed-hosts)")
        return await self.next(request)


# Clients send the same host again and again, and parsing an address takes 3 µs.
@lru_cache(maxsize=256)
def is_allowed_host(host: str, names: tuple[str, ...]) -> bool:
    """Return whether a host, with or without a port, is one of the names or an address."""
    name = host.lower().rstrip("0123456789").removesuffix(":") if ":" in host else host.lower()
    if name.removesuffix(".") in names:
        return True
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class SameOrigin:
    """Protection against pages of other origins, which must not change tasks.

    A browser lets any page send requests to any server, including one on the reader's own
    machine. But it adds the page's origin, which the page cannot forge (RFC 6454, 7).
    """

    scheme: str
    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on requests that only read or come from this server. Raises ForbiddenOrigin.

        After an upgrade to another protocol, this link would not see what the page changes.
        """
        origin = request.headers.get("origin")
        is_safe = request.method in SAFE_METHODS and "upgrade" not in request.headers
        if origin is not None and not is_safe:
            default_port = ":443" if self.scheme == "https" else ":80"
            own = f"{self.scheme}://{request.headers.get('host', '')}".lower()
            if origin.lower().removesuffix(default_port) != own.removesuffix(default_port):
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
class Durable:
    """Durability: the response to a write waits until its changes are on the disk.

    Refusals wait too. That a task is not found may be due to a deletion that can still fail, and
    a client that deletes it for the second time would take it for deleted.
    """

    journal: Journal
    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on, and wait for the commit.

        Raises NotStored, OutcomeUnknown, ServiceUnavailable.
        """
        if request.method in SAFE_METHODS:
            return await self.next(request)
        self.journal.begin()
        try:
            response = await self.next(request)
        except TaskflowError:
            await self.journal.committed()
            raise
        await self.journal.committed()
        return response


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
