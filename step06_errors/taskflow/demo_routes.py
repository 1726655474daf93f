"""Demo endpoints: one example of each error."""

from functools import partial

from taskflow import errors
from taskflow.http import Handler, Request, Response

EXAMPLES: dict[str, tuple[type[Exception], tuple[str, ...]]] = {
    "GET /demo/error/internal": (ZeroDivisionError, ("a bug, made on purpose",)),
    "GET /demo/error/unauthorized": (errors.InvalidToken, ("an example of a missing token",)),
    "GET /demo/error/forbidden": (errors.InsufficientPermissions, ("an example of a refusal",)),
    "GET /demo/error/notfound": (errors.NotFound, ("an example of a missing thing",)),
    "POST /demo/error/validation": (errors.ValidationError, ("title", "an example of a bad value")),
    "POST /demo/error/missingfield": (errors.MissingRequiredField, ("title", "is required")),
}


async def fail(error: type[Exception], arguments: tuple[str, ...], request: Request) -> Response:
    """Raise the example, which becomes a response where all errors do."""
    raise error(*arguments)


def demo_routes() -> dict[str, Handler]:
    """Return the handlers by method and path."""
    return {route: partial(fail, *example) for route, example in EXAMPLES.items()}
