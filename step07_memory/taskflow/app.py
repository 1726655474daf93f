"""The composition root: it builds the parts and wires them into the one callable that is served."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from taskflow.allocations import AllocationTracer
from taskflow.config import Tokens
from taskflow.demo_routes import demo_routes
from taskflow.events import Events
from taskflow.history import History
from taskflow.http import Handler
from taskflow.logs import AccessLog, LogWriter
from taskflow.memory_routes import MemoryRoutes
from taskflow.middleware import Auth, ErrorBoundary, Permission, RequestLog, SameOrigin, chain
from taskflow.router import Router
from taskflow.routes import TaskRoutes, health
from taskflow.store import Store

# Load balancers have no token. They ask for /health, or for the server as a whole: OPTIONS *.
OPEN_PATHS = {"/health", "*"}


@asynccontextmanager
async def build_app(tokens: Tokens, log: LogWriter) -> AsyncIterator[Handler]:
    """Run the services, and yield the router inside the links that every request passes through."""
    store = Store()
    events = Events()
    history = History()
    tracer = AllocationTracer()

    # Who listens to whom.
    store.listeners.append(events.changed)
    observers = [AccessLog(log).add, history.add]

    routes = {
        "GET /health": health,
        **TaskRoutes(store).routes(),
        **MemoryRoutes(history, events, tracer).routes(),
        **demo_routes(),
    }
    request_log = partial(RequestLog, observers)
    auth = partial(Auth, tokens, OPEN_PATHS)
    async with AsyncExitStack() as services:
        services.callback(tracer.close)
        yield chain(Router(routes), request_log, ErrorBoundary, auth, SameOrigin, Permission)
