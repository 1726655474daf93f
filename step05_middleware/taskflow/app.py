"""The composition root: it builds the parts and wires them into the one callable that is served."""

from functools import partial

from taskflow.config import Tokens
from taskflow.http import Handler
from taskflow.middleware import Auth, ErrorBoundary, Permission, SameOrigin, chain
from taskflow.router import Router
from taskflow.routes import TaskRoutes, health
from taskflow.store import Store

# Load balancers have no token. They ask for /health, or for the server as a whole: OPTIONS *.
OPEN_PATHS = {"/health", "*"}


def build_app(tokens: Tokens) -> Handler:
    """Return the application: the router inside the links that every request passes through."""
    store = Store()
    routes = {
        "GET /health": health,
        **TaskRoutes(store).routes(),
    }
    auth = partial(Auth, tokens, OPEN_PATHS)
    return chain(Router(routes), ErrorBoundary, auth, SameOrigin, Permission)
