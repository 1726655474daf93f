"""Asks an application of step 5 in process, without a socket, and says who refused and why."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from traceback import walk_tb

from taskflow.app import OPEN_PATHS
from taskflow.config import EXAMPLE_TOKENS, Tokens
from taskflow.errors import TaskflowError
from taskflow.http import Handler, Request, Response
from taskflow.middleware import Auth, ErrorBoundary, Permission, SameOrigin, chain
from taskflow.parser import RequestParser
from taskflow.router import Router
from taskflow.routes import TaskRoutes, health
from taskflow.store import Store

TOKENS = Tokens(*EXAMPLE_TOKENS)
ADMIN, USER = TOKENS.admin, TOKENS.user
Link = Callable[[Handler], Handler]
AUTH = partial(Auth, TOKENS, OPEN_PATHS)

# The links of app.py, in its order.
LINKS: tuple[Link, ...] = (ErrorBoundary, AUTH, SameOrigin, Permission)


def all_routes(store: Store) -> dict[str, Handler]:
    """Return the routes of step 5."""
    return {"GET /health": health, **TaskRoutes(store).routes()}


def build(store: Store, links: tuple[Link, ...] = LINKS) -> Handler:
    """Build the application with these links, as `build_app` does with its own."""
    return chain(Router(all_routes(store)), *links)


@dataclass
class Asked:
    """A request, and what became of it."""

    request: Request
    status: int = 0
    message: str = ""
    body_read: int = 0  # bytes of the body that anybody took
    headers: dict[str, str] = field(default_factory=dict)


def head_of(method: str, path: str, token: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return the bytes of a head."""
    lines = {"Host": "localhost", "Content-Length": str(len(body)), **headers}
    if token:
        lines["Authorization"] = f"Bearer {token}"
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode()


def ask(
    app: Handler,
    target: str,
    token: str = "",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> Asked:
    """Send `METHOD /path` through the parser and the application."""
    method, path = target.split(" ")
    parser = RequestParser()
    parser.feed(head_of(method, path, token, headers or {}, body) + body)
    request = parser.next_request()
    assert request is not None
    asked = Asked(request)

    async def receive() -> bytes:
        piece = parser.take_body()
        asked.body_read += len(piece)
        return piece

    request.receive = receive
    response = asyncio.run(_answer(app, request))
    asked.status = response.status
    asked.message = b"".join(response.pieces).decode()
    asked.headers = response.headers
    return asked


async def _answer(app: Handler, request: Request) -> Response:
    return await app(request)


def place(error: TaskflowError) -> str:
    """Return the function that raised a refusal, such as `Permission.__call__`."""
    *_, (frame, _) = walk_tb(error.__traceback__)
    return frame.f_code.co_qualname
