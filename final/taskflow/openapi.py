"""The document at `/openapi.json`: what this server takes and answers (OpenAPI 3.1).

    operations.py ─► Operation of each route ─┐
    errors.py ─────► statuses and codes ──────┼─► document ─► JSON, made once at the start
    schemas.py ────► JSON Schema ─────────────┘

What an operation may refuse is told as the errors that it raises, and what every request may meet
is added here. Refusals with the same status share one answer, which lists their codes.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import groupby
from operator import attrgetter

from taskflow import errors
from taskflow.codec import encode
from taskflow.config import VERSION
from taskflow.demo_operations import DEMOS
from taskflow.http import Handler, Request, Response
from taskflow.middleware import OPEN_PATHS
from taskflow.operations import BOARD, OPERATIONS
from taskflow.schemas import ID, JSON, SCHEMAS, TEXT, Operation, Schema, operation_id, ref

ERRORS = tuple[type[errors.TaskflowError], ...]

# What any request may be refused for, before or behind its handler.
EVERYWHERE: ERRORS = (
    errors.BadRequest,  # malformed, or to a host that is not allowed
    errors.ForbiddenOrigin,
    errors.RequestTimeout,
    errors.HeadersTooLarge,
    errors.TaskflowError,  # a bug of ours
    errors.NotImplementedYet,
    errors.ServiceUnavailable,  # too many connections, or a disk that takes no changes
    errors.HttpVersionNotSupported,
)
OF_NO_OPERATION: ERRORS = (errors.NotFound, errors.MethodNotAllowed)

DESCRIBED = OPERATIONS | BOARD | DEMOS

ABOUT = """
A task queue: tasks with priorities and dependencies, handed out in order of urgency.

- Wherever there is GET there is HEAD, with the same headers and no body.
- A path that is not here answers 404 with the code `NOT_FOUND`, and a method that a path does not
  have answers 405, see `components/responses`.
- The token of a user may GET; the other methods need the token of an admin, else 403.
- `X-Request-Id` in a request is taken over if it is 1 to 64 of `A-Z a-z 0-9 . _ -`.
- Parameters of the query that are not here are ignored; those that are may not be repeated.
- HTTP/1.0 and 1.1. Bodies may come in chunks.
""".strip()

HEADERS: dict[str, tuple[Schema, bool, str]] = {  # whether it is always there
    "X-Request-Id": (TEXT, True, "Of the request: what it gave itself, or a new UUID."),
    "Location": (TEXT, True, "The path of what there is now."),
    "Link": (TEXT, False, 'The path of the next page, as `<...>; rel="next"`, if there is one.'),
    "Content-Disposition": (TEXT, True, "How to call the file."),
    "ETag": (TEXT, True, "Of the content; give it back in `If-None-Match`."),
    "Allow": (TEXT, True, "The methods that the path has."),
    "Retry-After": ({"type": "integer"}, False, "Seconds; there if the queue of jobs is full."),
    "WWW-Authenticate": ({"const": "Bearer"}, True, "How to show who you are (RFC 6750)."),
    "Upgrade": ({"const": "websocket"}, True, "What is spoken here."),
    "Sec-WebSocket-Accept": (TEXT, True, "The proof that the handshake was understood."),
    "Sec-WebSocket-Protocol": (TEXT, False, "`taskflow`, if it was offered."),
    "Sec-WebSocket-Version": ({"const": "13"}, True, "Which version of it (RFC 6455)."),
}
COMPONENTS = {
    "schemas": SCHEMAS,
    "headers": {
        name: {"schema": schema, "required": always, "description": about}
        for name, (schema, always, about) in HEADERS.items()
    },
    "parameters": {"id": {"name": "id", "in": "path", "required": True, "schema": ID}},
    "securitySchemes": {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "The token of a user or of an admin.",
        }
    },
}


async def show(written: bytes, request: Request) -> Response:
    """Answer the document."""
    return Response(200, written)


def openapi_routes(routes: Iterable[str]) -> dict[str, Handler]:
    """Return the handler of the document about these routes and itself; it is made here, once."""
    names = [*routes, "GET /openapi.json"]
    described = {name: DESCRIBED[name] for name in names if name in DESCRIBED}
    return {"GET /openapi.json": partial(show, encode(document(described)))}


def document(operations: Mapping[str, Operation]) -> Schema:
    """Return the document about these operations, which are named as the routes are."""
    paths: dict[str, Schema] = {}
    refusals: dict[str, Schema] = dict(responses_to(OF_NO_OPERATION).values())
    for route, operation in operations.items():
        method, path = route.split(" ")
        refused = responses_to(raised_by(method, path, operation))
        refusals.update(refused.values())
        described = describe(route, operation)
        described["responses"] |= {
            str(status): ref(name, "responses") for status, (name, _) in refused.items()
        }
        paths.setdefault(path, {})[method.lower()] = described
        if "{id}" in path:
            paths[path]["parameters"] = [ref("id", "parameters")]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Taskflow",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {"responses": refusals, **COMPONENTS},
    }


def describe(route: str, operation: Operation) -> Schema:
    """Return what is said of an operation, but for its refusals."""
    method, path = route.split(" ")
    described: Schema = {
        "operationId": operation_id(route),
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    if operation.description:
        described["description"] = operation.description
    if path in OPEN_PATHS:
        described["security"] = []
    elif method != "GET":
        described["security"] = [{"bearer": ["admin"]}]
    if operation.query:
        described["parameters"] = list(operation.query)
    if operation.body is not None:
        described["requestBody"] = operation.body
    described["responses"] = {str(status): good for status, good in operation.answers.items()}
    return described


def raised_by(method: str, path: str, operation: Operation) -> ERRORS:
    """Return all that a request for this operation may be refused for."""
    refusals = [*EVERYWHERE, *operation.raises]
    if path not in OPEN_PATHS:
        refusals.append(errors.InvalidToken)
    if method != "GET":
        refusals.append(errors.InsufficientPermissions)
    return tuple(refusals)


def responses_to(refusals: ERRORS) -> dict[int, tuple[str, Schema]]:
    """Return the answers to refusals by status: the name of each in the document, and it."""
    by_status = attrgetter("status")
    return {
        status: one_response(sorted(group, key=attrgetter("code")))
        for status, group in groupby(sorted(refusals, key=by_status), by_status)
    }


def one_response(refusals: Iterable[type[errors.TaskflowError]]) -> tuple[str, Schema]:
    """Return the answer to refusals of one status, and its name: their codes and headers."""
    about: dict[str, str] = {}
    headers = {"X-Request-Id": ref("X-Request-Id", "headers")}
    for error in refusals:
        about.setdefault(error.code, (error.__doc__ or "").partition("\n")[0])
        headers |= {name: ref(name, "headers") for name, _ in error.headers}
        if error is errors.MethodNotAllowed:
            headers["Allow"] = ref("Allow", "headers")
    codes = {"properties": {"error": {"properties": {"code": {"enum": list(about)}}}}}
    return ".".join((*about, *headers)).replace(".X-Request-Id", ""), {
        "description": "\n".join(f"- `{code}`: {text}" for code, text in about.items()),
        "headers": headers,
        "content": {JSON: {"schema": {"allOf": [ref("Error"), codes]}}},
    }
