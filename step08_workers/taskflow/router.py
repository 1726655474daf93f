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
        # Handlers by method, by path. The path `*` is the server as a whole (RFC 9110, 9.3.7).
        self._handlers: dict[str, dict[str, Handler]] = {"*": {}}
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
        """Return the response of the handler, or to OPTIONS the methods that the path supports.

        Raises NotFound, MethodNotAllowed.
        """
        handlers = self._handlers[self._match(request)]
        if request.method in handlers:
            return await handlers[request.method](request)
        allowed = ", ".join([*handlers, "OPTIONS"])
        if request.method == "OPTIONS":
            return Response(204, headers={"Allow": allowed})
        raise MethodNotAllowed(request.method, allowed)

    def _match(self, request: Request) -> str:
        """Return the path of the route, and note its parameters in the request. O(patterns).

        The parameters are ids, which are noted in lower case (RFC 9562, 4).
        """
        path = request.path
        if path in self._handlers and path not in self._patterns:
            return path
        for route, pattern in self._patterns.items():
            match = pattern.fullmatch(path)
            if match is not None:
                request.params = {name: text.lower() for name, text in match.groupdict().items()}
                return route
        raise NotFound(f"there is nothing at {path[:100]}")
