"""The composition root: it builds the parts and wires them into the one callable that is served."""

from functools import partial

from taskflow.config import Tokens
from taskflow.demo_routes import demo_routes
from taskflow.http import Handler
from taskflow.logs import AccessLog, LogWriter
from taskflow.middleware import Auth, ErrorBoundary, Permission, RequestLog, SameOrigin, chain
from taskflow.router import Router
from taskflow.routes import TaskRoutes, health
from taskflow.store import Store

# Load balancers have no token. They ask for /health, or for the server as a whole: OPTIONS *.
OPEN_PATHS = {"/health", "*"}


def build_app(tokens: Tokens, log: LogWriter) -> Handler:
    """Return the application: the router inside the links that every request passes through."""
    store = Store()
    routes = {
        "GET /health": health,
        **TaskRoutes(store).routes(),
        **demo_routes(),
    }
    request_log = partial(RequestLog, [AccessLog(log).add])
    auth = partial(Auth, tokens, OPEN_PATHS)
    return chain(Router(routes), request_log, ErrorBoundary, auth, SameOrigin, Permission)
