"""Demo endpoints: one example of each error, and streams of synthetic rows."""

from collections.abc import Iterator
from functools import partial

from taskflow import errors
from taskflow.codec import encode
from taskflow.http import Handler, Request, Response
from taskflow.query import Query
from taskflow.streaming import CSV, NDJSON, csv_table, ndjson

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


def rows(request: Request) -> Iterator[tuple[int, str, int]]:
    """Return as many rows as the query asks for. Each is made when it is taken."""
    count = Query(request.query).integer("count", 50_000, 1, 300_000)
    return ((number, f"Task {number}", number % 10) for number in range(1, count + 1))


async def stream_csv(request: Request) -> Response:
    """Respond with synthetic rows as CSV."""
    return Response(200, csv_table("id,title,priority", rows(request)), content_type=CSV)


async def stream_ndjson(request: Request) -> Response:
    """Respond with synthetic rows as JSON, one per line."""
    columns = ("id", "title", "priority")
    lines = (encode(dict(zip(columns, row, strict=True))) for row in rows(request))
    return Response(200, ndjson(lines), content_type=NDJSON)


def demo_routes() -> dict[str, Handler]:
    """Return the handlers by method and path."""
    return {
        "GET /demo/stream/csv": stream_csv,
        "GET /demo/stream/ndjson": stream_ndjson,
        **{route: partial(fail, *example) for route, example in EXAMPLES.items()},
    }
