"""The composition root: builds the parts, and wires them into the one callable that is served."""

import asyncio
import logging
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path

from taskflow.board import board_routes
from taskflow.codec import encode, utc_now
from taskflow.config import Settings, Tokens
from taskflow.database import Database
from taskflow.demo_routes import demo_routes
from taskflow.errors import TaskflowError
from taskflow.events import Events
from taskflow.guards import AllowedHosts, SameOrigin
from taskflow.http import Handler, Request, Response
from taskflow.hub import Hub
from taskflow.job_routes import JobRoutes
from taskflow.journal import Durable, Journal, recover
from taskflow.lifetimes import in_background
from taskflow.logs import RequestLog
from taskflow.memory import AllocationTracer, History, MemoryRoutes
from taskflow.metrics import CountingLog, Metrics
from taskflow.middleware import Auth, Permission, chain
from taskflow.openapi import openapi_routes
from taskflow.router import Router
from taskflow.routes import TaskRoutes, health
from taskflow.store import Store
from taskflow.upgrade import websocket_routes
from taskflow.workers import WorkerPool

# What only shows something, and is there with --demos only.
DEMO = re.compile(r"\w+ (/demo/.*|/tasks/memory/.*|/tasks/reports/blocking)")


@dataclass(frozen=True, slots=True)
class Application:
    """What is served, and how its long-lived clients are told that it ends."""

    handler: Handler
    say_goodbye: Callable[[], None]
    metrics: Metrics


class Parts:
    """What the application is built of, whatever the settings are."""

    def __init__(self) -> None:
        self.log = CountingLog(FileIO(sys.stderr.fileno(), "w", closefd=False))
        self.store = Store()
        self.events = Events()
        self.history = History()
        self.tracer = AllocationTracer()
        self.pool = WorkerPool()
        self.pool.listeners.append(self.events.finished)
        self.hub = Hub(self.events)
        self.metrics = Metrics(self.log, self.store, self.pool, self.hub)


@asynccontextmanager
async def build_app(settings: Settings) -> AsyncIterator[Application]:
    """Run the services, and give the router inside the links that every request passes."""
    parts = Parts()
    async with AsyncExitStack() as services:
        services.callback(parts.tracer.close)
        await services.enter_async_context(in_background(parts.log.run()))
        journal = None
        if settings.in_memory:
            parts.store.listeners += [parts.metrics.changed, parts.events.changed]
        else:
            journal = open_journal(settings, parts, services)
            await services.enter_async_context(journal.running())
        await services.enter_async_context(in_background(parts.pool.run()))
        await services.enter_async_context(in_background(parts.hub.run(settings.ping_interval)))
        router = Router(build_routes(settings, parts, journal))
        handler = chain(router, *build_links(settings, parts, journal))
        yield Application(handler, parts.hub.say_goodbye, parts.metrics)


def open_journal(settings: Settings, parts: Parts, services: AsyncExitStack) -> Journal:
    """Load what was stored, and from now on store what changes. Raises ConfigError."""
    database = Database(Path(settings.data))
    services.callback(database.close)
    recover(parts.store, database)
    journal = Journal(parts.store, database)
    parts.store.listeners.append(journal.changed)
    journal.listeners.append(parts.events.changed)
    parts.metrics.follow(journal)
    return journal


def build_routes(settings: Settings, parts: Parts, journal: Journal | None) -> dict[str, Handler]:
    """Return the handlers by what they answer."""
    give_way = partial(asyncio.sleep, 0) if journal is None else journal.committed
    routes = {
        "GET /health": health,
        **websocket_routes(parts.hub),
        **TaskRoutes(parts.store, give_way).routes(),
        **MemoryRoutes(parts.history, parts.events, parts.tracer).routes(),
        **JobRoutes(parts.store, parts.pool).routes(),
        **parts.metrics.routes(),
        **demo_routes(),
    }
    if not settings.demos:
        routes = {name: route for name, route in routes.items() if not DEMO.fullmatch(name)}
    routes |= board_routes()
    return routes | openapi_routes(routes)


def build_links(
    settings: Settings, parts: Parts, journal: Journal | None
) -> list[Callable[[Handler], Handler]]:
    """Return what every request passes, from outside to inside."""
    hosts = ("localhost", settings.host.lower(), *settings.allowed_hosts)
    tokens = Tokens(settings.admin_token, settings.user_token)
    links: list[Callable[[Handler], Handler]] = [
        partial(RequestLog, parts.log, parts.history),
        ErrorBoundary,
        partial(AllowedHosts, hosts),
        partial(Auth, tokens),
        partial(SameOrigin, settings.scheme),
        Permission,
    ]
    if journal is not None:
        links.append(partial(Durable, journal))
    return links


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
