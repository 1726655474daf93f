"""The composition root: it builds the parts and wires them into the one callable that is served."""

from taskflow.http import Handler
from taskflow.middleware import ErrorBoundary, SameOrigin
from taskflow.router import Router
from taskflow.routes import TaskRoutes, health
from taskflow.store import Store


def build_app() -> Handler:
    """Return the application: the router inside the links that every request passes through."""
    store = Store()
    routes = {
        "GET /health": health,
        **TaskRoutes(store).routes(),
    }
    return ErrorBoundary(SameOrigin(Router(routes)))
