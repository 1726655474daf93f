"""The composition root: builds the parts, and wires them into the one callable that is served."""

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from io import FileIO

from taskflow.codec import encode, utc_now
from taskflow.config import Tokens
from taskflow.demo_routes import demo_routes
from taskflow.errors import ForbiddenOrigin, TaskflowError
from taskflow.events import Events
from taskflow.http import Handler, Request, Response
from taskflow.hub import PING_SECONDS, Hub
from taskflow.job_routes import JobRoutes
from taskflow.lifetimes import in_background
from taskflow.logs import AccessLog, RequestLog
from taskflow.memory import AllocationTracer, History, MemoryRoutes
from taskflow.middleware import Auth, Permission, chain
from taskflow.router import Router
from taskflow.routes import TaskRoutes, health
from taskflow.store import Store
from taskflow.upgrade import websocket_routes
from taskflow.workers import WorkerPool

READING = {"GET", "HEAD", "OPTIONS", "TRACE"}  # the safe methods (RFC 9110, 9.2.1)


@asynccontextmanager
async def build_app(tokens: Tokens, ping_seconds: float = PING_SECONDS) -> AsyncIterator[Handler]:
    """Run the services, and give the router inside the links that every request passes."""
    log = AccessLog(FileIO(sys.stderr.fileno(), "w", closefd=False))
    store = Store()
    history = History()
    events = Events()
    store.listeners.append(events.changed)
    tracer = AllocationTracer()
    memory = MemoryRoutes(history, events, tracer)
    pool = WorkerPool()
    pool.listeners.append(events.finished)
    jobs = JobRoutes(store, pool)
    hub = Hub(events)
    routes = TaskRoutes(store).routes() | memory.routes() | jobs.routes() | demo_routes()
    router = Router({"GET /health": health, **websocket_routes(hub), **routes})
    links = (
        partial(RequestLog, log, history),
        ErrorBoundary,
        partial(Auth, tokens),
        SameOrigin,
        Permission,
    )
    async with AsyncExitStack() as services:
        services.callback(tracer.close)
        await services.enter_async_context(in_background(log.run()))
        await services.enter_async_context(in_background(pool.run()))
        await services.enter_async_context(in_background(hub.run(ping_seconds)))
        yield chain(router, *links)


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
            return error_response(error, request)
        except Exception:
            what = request.method, request.path, request.context["id"]
            logging.getLogger(__name__).exception("%s %s failed (request %s)", *what)
            return error_response(TaskflowError("the server has failed; its log says how"), request)


def error_response(error: TaskflowError, request: Request) -> Response:
    """Return the answer that says what was wrong, in the one shape that all errors have."""
    value = {
        "code": error.code,
        "message": str(error),
        "requestId": request.context["id"],
        "timestamp": utc_now(),
        "details": error.details,
    }
    return Response(error.status, encode({"error": value}), dict(error.headers))


@dataclass(frozen=True, slots=True)
class SameOrigin:
    """Lets no page of another origin change anything.

    A browser lets any page send requests to any server, this one on the reader's own machine
    included, but it names the page's origin, which a page cannot forge (RFC 6454, 7).
    """

    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on what only reads or comes from here. Raises ForbiddenOrigin.

        An upgrade to another protocol is no mere reading: who knows what is said there.
        """
        changes = request.method not in READING or "upgrade" in request.headers
        if changes and (origin := request.headers.get("origin")) is not None:
            own = "http://" + request.headers.get("host", "")
            if origin.lower().removesuffix(":80") != own.lower().removesuffix(":80"):
                raise ForbiddenOrigin(f"a page of {origin[:100]} may not change tasks here")
        return await self.next(request)
