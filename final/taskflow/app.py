"""The composition root: it builds the parts and wires them into the one callable that is served."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from taskflow.allocations import AllocationTracer
from taskflow.background import in_background
from taskflow.board import BOARD_PATHS, board_routes
from taskflow.config import Settings, Tokens
from taskflow.database import Database
from taskflow.demo_routes import demo_routes
from taskflow.events import Events
from taskflow.history import History
from taskflow.http import Handler
from taskflow.hub import Hub
from taskflow.job_routes import JobRoutes
from taskflow.journal import Journal, recover
from taskflow.logs import AccessEntry, AccessLog, LogWriter
from taskflow.memory_routes import MemoryRoutes
from taskflow.metrics import Metrics
from taskflow.middleware import (
    AllowedHosts,
    Auth,
    Durable,
    ErrorBoundary,
    Permission,
    RequestLog,
    SameOrigin,
    chain,
)
from taskflow.openapi import openapi_routes
from taskflow.readiness import Readiness
from taskflow.router import Router
from taskflow.routes import TaskRoutes, health
from taskflow.store import Store
from taskflow.upgrade import websocket_routes
from taskflow.workers import WorkerPool

# Paths that need no token, because they reveal nothing about tasks. Load balancers ask for /health,
# or for the server as a whole: OPTIONS *.
OPEN_PATHS = frozenset({"/health", "/ready", "*", "/openapi.json", *BOARD_PATHS})

# Routes that only demonstrate something. They exist only with --demos.
DEMO_ROUTE = re.compile(r"\w+ (/demo/.*|/tasks/memory/.*|/tasks/reports/blocking)")

Link = Callable[[Handler], Handler]


@dataclass(frozen=True, slots=True)
class Application:
    """The callable that is served, and the parts that the server must know."""

    handler: Handler
    hub: Hub
    metrics: Metrics
    readiness: Readiness


class Parts:
    """The parts of the application that do not depend on the settings."""

    def __init__(self, log: LogWriter) -> None:
        self.log = log
        self.store = Store()
        self.events = Events()
        self.history = History()
        self.tracer = AllocationTracer()
        self.pool = WorkerPool()
        self.hub = Hub(self.events)
        self.metrics = Metrics(self.log, self.store, self.pool, self.hub)
        self.readiness = Readiness()


@asynccontextmanager
async def build_app(settings: Settings, log: LogWriter) -> AsyncIterator[Application]:
    """Run the services, and yield the router inside the links that every request passes through.

    Raises CannotStart.
    """
    parts = Parts(log)
    async with AsyncExitStack() as services:
        services.callback(parts.tracer.close)
        journal = None
        if not settings.in_memory:
            journal = open_journal(settings, parts, services)
            await services.enter_async_context(journal.running())
        observers = connect(parts, journal)
        await services.enter_async_context(in_background(parts.pool.run()))
        await services.enter_async_context(in_background(parts.hub.run(settings.ping_interval)))
        router = Router(build_routes(settings, parts, journal))
        handler = chain(router, *build_links(settings, observers, journal))
        yield Application(handler, parts.hub, parts.metrics, parts.readiness)


def open_journal(settings: Settings, parts: Parts, services: AsyncExitStack) -> Journal:
    """Open the database, and load its tasks into the store. Raises CannotStart."""
    database = Database(Path(settings.data))
    services.callback(database.close)
    recover(parts.store, database)
    return Journal(parts.store, database)


def connect(parts: Parts, journal: Journal | None) -> list[Callable[[AccessEntry], None]]:
    """Connect every part to those that it listens to. Return the observers of requests."""
    if journal is None:
        parts.store.listeners.append(parts.events.changed)
    else:
        # Events report only what is on the disk.
        parts.store.listeners.append(journal.changed)
        journal.listeners.append(parts.events.changed)
        # Clients may have read what was undone.
        journal.undo_listeners.extend([parts.events.forget, parts.hub.report_gap])
        parts.metrics.journal = journal
        parts.readiness.journal = journal
    parts.pool.listeners.append(parts.events.finished)
    parts.events.listeners.append(parts.hub.publish)
    return [AccessLog(parts.log).add, parts.history.add, parts.metrics.answered]


def build_routes(settings: Settings, parts: Parts, journal: Journal | None) -> dict[str, Handler]:
    """Return the handlers by method and path."""
    give_way = partial(asyncio.sleep, 0) if journal is None else journal.committed
    routes = {
        "GET /health": health,
        **websocket_routes(parts.hub),
        **TaskRoutes(parts.store, give_way).routes(),
        **MemoryRoutes(parts.history, parts.events, parts.tracer).routes(),
        **JobRoutes(parts.store, parts.pool).routes(),
        **parts.metrics.routes(),
        **parts.readiness.routes(),
        **demo_routes(),
    }
    if not settings.demos:
        routes = {name: route for name, route in routes.items() if not DEMO_ROUTE.fullmatch(name)}
    routes |= board_routes()
    return routes | openapi_routes(routes, OPEN_PATHS)


def build_links(
    settings: Settings, observers: list[Callable[[AccessEntry], None]], journal: Journal | None
) -> list[Link]:
    """Return the links that every request passes through, from the outside to the inside."""
    own = (host.lower() for host in settings.host)
    hosts = ("localhost", *own, *settings.allowed_hosts)
    tokens = Tokens(settings.admin_token, settings.user_token)
    links: list[Link] = [
        partial(RequestLog, observers),
        ErrorBoundary,
        partial(AllowedHosts, hosts),
        partial(Auth, tokens, OPEN_PATHS),
        partial(SameOrigin, settings.scheme),
        Permission,
    ]
    if journal is not None:
        links.append(partial(Durable, journal))
    return links
