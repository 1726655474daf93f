"""The router: from a method and a path to a handler."""

import re
from collections.abc import Mapping

from taskflow.errors import MethodNotAllowed, NotFound
from taskflow.http import Handler, Request, Response

PARAMETER = re.compile(r"\{(\w+)\}")


class Router:
    """The handlers by path and method. A literal path wins over one that contains `{id}`."""

    def __init__(self, routes: Mapping[str, Handler]) -> None:
        """Take the handlers by method and path, such as `GET /tasks/{id}`."""
        # Handlers by method, by path.
        self._handlers: dict[str, dict[str, Handler]] = {}
        self._patterns: dict[str, re.Pattern[str]] = {}
        for route, handler in routes.items():
            method, path = route.split(" ")
            handlers = self._handlers.setdefault(path, {})
            handlers[method] = handler
            if method == "GET":
                # The connection leaves out the body of a response to HEAD.
                handlers["HEAD"] = handler
            if "{" in path:
                self._patterns[path] = re.compile(PARAMETER.sub(r"(?P<\1>[^/]+)", path))

    async def __call__(self, request: Request) -> Response:
        """Return the response of the handler. Raises NotFound, MethodNotAllowed.

        Notes the path of the route in the context.
        """
        request.context.route = self._match(request)
        handlers = self._handlers[request.context.route]
        if request.method not in handlers:
            raise MethodNotAllowed(request.method, ", ".join(handlers))
        return await handlers[request.method](request)

    def _match(self, request: Request) -> str:
        """Return the path of the route, and note its parameters in the request. O(patterns)."""
        path = request.path
        if path in self._handlers and path not in self._patterns:
            return path
        for route, pattern in self._patterns.items():
            match = pattern.fullmatch(path)
            if match is not None:
                request.params = match.groupdict()
                return route
        raise NotFound(f"there is nothing at {path[:100]}")
