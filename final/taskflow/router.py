"""From a method and a path to the handler that answers them."""

import re
from collections.abc import Mapping

from taskflow.errors import MethodNotAllowed, NotFound
from taskflow.http import Handler, Request, Response

PARAMETER = re.compile(r"\{(\w+)\}")


class Router:
    """The handlers by path and method. A literal path wins over one with `{id}` in it."""

    def __init__(self, routes: Mapping[str, Handler]) -> None:
        """Take the handlers by what they answer, such as `GET /tasks/{id}`."""
        self._literal: dict[str, dict[str, Handler]] = {}
        self._patterns: dict[str, tuple[re.Pattern[str], dict[str, Handler]]] = {}
        for route, handler in routes.items():
            method, path = route.split(" ")
            if "{" in path:
                pattern = re.compile(PARAMETER.sub(r"(?P<\1>[^/]+)", path))
                _, handlers = self._patterns.setdefault(path, (pattern, {}))
            else:
                handlers = self._literal.setdefault(path, {})
            handlers[method] = handler
            if method == "GET":
                handlers["HEAD"] = handler  # the connection leaves the body out

    async def __call__(self, request: Request) -> Response:
        """Answer with the handler of this path and method. Raises NotFound, MethodNotAllowed.

        Notes in `request.context["route"]` which path it took, as the routes have it.
        """
        if (handlers := self._literal.get(request.path)) is not None:
            request.context["route"] = request.path
        else:
            handlers = self._match(request)
        if request.method not in handlers:
            raise MethodNotAllowed(request.method, ", ".join(handlers))
        return await handlers[request.method](request)

    def _match(self, request: Request) -> dict[str, Handler]:
        """Return the handlers of the first pattern that the path matches. O(patterns)."""
        for path, (pattern, handlers) in self._patterns.items():
            if match := pattern.fullmatch(request.path):
                request.params = match.groupdict()
                request.context["route"] = path
                return handlers
        raise NotFound(f"there is nothing at {request.path[:100]}")
