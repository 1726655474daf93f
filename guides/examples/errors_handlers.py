"""The wrong turn: a try/except in every handler, and what it does not see."""

import asyncio
import logging
from functools import partial

from taskflow.app import OPEN_PATHS
from taskflow.codec import encode
from taskflow.config import Tokens
from taskflow.context import Context
from taskflow.deadlines import Timeouts
from taskflow.demo_routes import demo_routes
from taskflow.errors import BadRequest, RequestTimeout, TaskflowError
from taskflow.http import Handler, Request, Response
from taskflow.middleware import (
    Auth,
    ErrorBoundary,
    Permission,
    SameOrigin,
    Validation,
    chain,
    error_response,
)
from taskflow.router import Router
from taskflow.routes import TaskRoutes
from taskflow.server import Server
from taskflow.store import Store

TOKENS = Tokens("the-admin-token", "the-user-token")


async def careful(handler: Handler, request: Request) -> Response:
    """Do what a careful author writes into each handler."""
    try:
        return await handler(request)
    except TaskflowError as error:
        return error_response(error, request)
    except Exception:
        return Response(500, encode({"error": "internal error"}))


def with_care(handler: Handler) -> Handler:
    """Return the handler with its try/except; a validation stays in front of it."""
    if isinstance(handler, Validation):
        return Validation(handler.check, partial(careful, handler.next))
    return partial(careful, handler)


async def too_slow() -> bytes:
    """Receive what a client sends that has stopped sending."""
    raise RequestTimeout("the body took too long")


def request(method: str, path: str, token: str = TOKENS.admin, **headers: str) -> Request:
    """Return a request as the parser would."""
    context = Context(request_id="1")
    return Request(method, path, headers={"authorization": token, **headers}, context=context)


def requests() -> dict[str, tuple[str, Request]]:
    """Return requests that go wrong, and where each does."""
    nonsense = request("", "")
    nonsense.refusal = BadRequest("the head has a malformed line")
    slow = request("POST", "/tasks")
    slow.content_length = 1
    slow.receive = too_slow
    return {
        "bytes that are no request": ("`RequestParser`", nonsense),
        "no token": ("`Auth`", request("GET", "/tasks", token="")),
        "a page of another origin": ("`SameOrigin`", request("POST", "/tasks", origin="http://x")),
        "a user who deletes": ("`Permission`", request("DELETE", "/tasks/1", TOKENS.user)),
        "an unknown path": ("`Router`", request("GET", "/nope")),
        "a method that is not there": ("`Router`", request("PUT", "/tasks")),
        "an empty body": ("`Validation`", request("POST", "/tasks")),
        "a body that takes too long": ("`Connection`, called by `Validation`", slow),
        "an unknown task": ("the handler", request("GET", "/tasks/1")),
        "a bug": ("the handler", request("GET", "/demo/error/internal")),
    }


async def status(app: Handler, bad: Request) -> str:
    """Return the status that the request is answered with, if it is answered."""
    try:
        return str((await app(bad)).status)
    except Exception as error:
        return f"none: `{type(error).__name__}` goes on"


async def _compare() -> None:
    routes = {**TaskRoutes(Store()).routes(), **demo_routes()}
    links = partial(Auth, TOKENS, OPEN_PATHS), SameOrigin, Permission
    boundary = chain(Router(routes), ErrorBoundary, *links)
    careful_ones = chain(Router({r: with_care(h) for r, h in routes.items()}), *links)
    print(
        f"| what is wrong | raised by | try/except in all {len(routes)} handlers | one boundary |"
    )
    print("| --- | --- | --- | --- |")
    for name, (place, bad) in requests().items():
        theirs = await status(careful_ones, bad)
        print(f"| {name} | {place} | {theirs} | {await status(boundary, requests()[name][1])} |")


def compare() -> None:
    """Print a table: who answers what."""
    logging.disable()
    asyncio.run(_compare())


async def _unanswered() -> None:
    async def failing(request: Request) -> Response:
        raise TaskflowError("nobody catches this")

    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    server = Server(failing, 1000, Timeouts(idle=0.5, head=0.5, body=0.5, write=0.5))
    port = await server.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /tasks HTTP/1.1\r\nHost: x\r\n\r\n")
    try:
        print(await asyncio.wait_for(reader.read(100), timeout=2))
    except TimeoutError:
        print("two seconds later: no answer, and the connection is still open")
    writer.close()
    await writer.wait_closed()
    await server.stop()


def unanswered() -> None:
    """Show what a client sees of an exception that nothing catches."""
    asyncio.run(_unanswered())
