"""The composition root: it builds the parts and wires them into the one callable that is served."""

from taskflow.http import Handler
from taskflow.middleware import ErrorBoundary, SameOrigin
from taskflow.router import Router
from taskflow.routes import TaskRoutes, health


def build_app() -> Handler:
    """Return the application: the router inside the links that every request passes through."""
    routes = {
        "GET /health": health,
        **TaskRoutes().routes(),
    }
    return ErrorBoundary(SameOrigin(Router(routes)))
