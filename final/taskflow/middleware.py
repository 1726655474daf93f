"""The chain of responsibility: links that a request passes on its way to its handler.

    RequestLog ─► ErrorBoundary ─► AllowedHosts ─► Auth ─► SameOrigin ─► Permission ─► Durable
                                                                                          │
                                                  handler ◄─ Validation ◄─ Router ◄───────┘

Each link holds the next one and is called like a handler. It passes the request on, or refuses it
by raising, so that nothing behind it runs (Gamma et al., Design Patterns, Chain of Responsibility).
A link knows nothing of its neighbours; that they are in the right order is for `build_links` in
`app.py` to say. ErrorBoundary is there too, RequestLog in `logs.py`, AllowedHosts and SameOrigin in
`guards.py`, and Durable in `journal.py`.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from taskflow.board import BOARD_PATHS
from taskflow.codec import decode_object
from taskflow.config import Tokens
from taskflow.errors import InsufficientPermissions, InvalidToken, UnsupportedMediaType
from taskflow.http import Handler, Request, Response

OPEN_PATHS = {"/health", "/openapi.json", *BOARD_PATHS}  # no token: they tell nothing of tasks

# Where a browser can put a token when it opens a WebSocket: among the subprotocols it offers.
OFFERED_TOKEN = re.compile(r"(?:^|,)[\t ]*bearer\.([^\t ,]+)")


class Role(StrEnum):
    """What a client has proved to be."""

    ADMIN = "admin"
    USER = "user"


def chain(handler: Handler, *links: Callable[[Handler], Handler]) -> Handler:
    """Return the handler inside of the links, the first of them outermost."""
    for link in reversed(links):
        handler = link(handler)
    return handler


@dataclass(frozen=True, slots=True)
class Auth:
    """Finds out who asks, by the token that the request carries (RFC 6750)."""

    tokens: Tokens
    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Note the role and pass on. Raises InvalidToken."""
        if request.path not in OPEN_PATHS:
            request.context["role"] = self._role(shown_token(request))
        return await self.next(request)

    def _role(self, token: str) -> Role:
        """Compare with both tokens, and in a time that does not tell how much of one was right."""
        is_text = token.isascii()  # compare_digest takes no other text
        is_admin = is_text and hmac.compare_digest(token, self.tokens.admin)
        is_user = is_text and hmac.compare_digest(token, self.tokens.user)
        if not is_admin and not is_user:
            raise InvalidToken("a valid token is needed: Authorization: Bearer TOKEN")
        return Role.ADMIN if is_admin else Role.USER


def shown_token(request: Request) -> str:
    """Return the token of a request, which may stand alone or behind the word Bearer."""
    offers = request.headers.get("sec-websocket-protocol")
    if offers and (offered := OFFERED_TOKEN.search(offers)):
        return offered[1]
    authorization = request.headers.get("authorization", "")
    scheme, _, rest = authorization.partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else authorization


@dataclass(frozen=True, slots=True)
class Permission:
    """Users read, admins also write. Who has no role is on an open path: Auth comes before."""

    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on what the role may do. Raises InsufficientPermissions."""
        if request.method not in {"GET", "HEAD"} and request.context.get("role") is Role.USER:
            raise InsufficientPermissions(f"{request.method} needs the admin token")
        return await self.next(request)


@dataclass(frozen=True, slots=True)
class Validation:
    """Stands before a handler that takes a JSON object, and checks it whole.

    The checked fields are in `request.context["fields"]`, so the handler sees good input only.
    """

    check: Callable[[Mapping[str, object]], Mapping[str, object]]
    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on a good body. Raises, in this order, 413, 415, 400 and 422."""
        request.check_length()
        check_media_type(request, "application/json")
        request.context["fields"] = self.check(decode_object(await request.read()))
        return await self.next(request)


def check_media_type(request: Request, expected: str) -> None:
    """Raise UnsupportedMediaType if the body says that it is something else."""
    media_type = request.headers.get("content-type", expected)
    if media_type != expected and media_type.split(";")[0].strip().lower() != expected:
        raise UnsupportedMediaType(f"the body must be {expected}")
