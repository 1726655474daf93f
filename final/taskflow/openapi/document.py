"""The document at `/openapi.json`: the requests and responses of every route (OpenAPI 3.1).

    operations.py ─► the Operation of each route ─┐
    errors.py ─────► statuses and codes ──────────┼─► document ─► JSON, encoded once at the start
    schemas.py ────► JSON Schemas ────────────────┘

An operation lists the errors that its handler may raise. This module adds the errors that any
request may meet. Errors with the same status share one response, which lists their codes.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from itertools import groupby
from operator import attrgetter

from taskflow import errors
from taskflow.codec import encode
from taskflow.config import VERSION
from taskflow.context import Role
from taskflow.http import Handler, Request, Response
from taskflow.openapi.demo_operations import DEMOS
from taskflow.openapi.operations import BOARD, OPERATIONS
from taskflow.openapi.schemas import (
    COUNT,
    ID,
    JSON,
    SCHEMAS,
    TEXT,
    Operation,
    Schema,
    operation_id,
    ref,
)

ErrorClass = type[errors.TaskflowError]

# The errors that any request may meet, in a link of the chain or in the connection.
EVERYWHERE: tuple[ErrorClass, ...] = (
    # The request is malformed, or its host is not allowed.
    errors.BadRequest,
    errors.ForbiddenOrigin,
    errors.RequestTimeout,
    errors.HeadersTooLarge,
    # The server has a bug.
    errors.TaskflowError,
    errors.NotImplementedYet,
    # There are too many connections, or the disk takes no changes.
    errors.ServiceUnavailable,
    errors.HttpVersionNotSupported,
)
# The errors of requests that match no operation.
UNMATCHED: tuple[ErrorClass, ...] = (errors.NotFound, errors.MethodNotAllowed)

DESCRIBED = OPERATIONS | BOARD | DEMOS

ABOUT = """
A task queue: tasks with priorities and dependencies, claimed in order of urgency.

- Every path that supports GET supports HEAD, with the same headers and no body.
- An unknown path gets 404 with the code `NOT_FOUND`, and a method that the path does not support
  gets 405; see `components/responses`.
- Every path supports OPTIONS, which gets 204 with the supported methods in `Allow`. So does
  `OPTIONS *`, which needs no token.
- The user token allows GET, HEAD and OPTIONS. Other methods need the admin token, and get 403
  without it.
- The ids of tasks and jobs are compared without regard to case and written in lower case.
- Bodies are UTF-8 without a content coding such as gzip.
- An `X-Request-Id` of 1 to 64 characters of `A-Z a-z 0-9 . _ -` is used as the id of the request.
- Unknown query parameters are ignored. A known one must not be repeated.
- A change is on the disk before its response is sent. After a 503, nothing was stored, unless the
  message says how much. If a change may be there or not after a crash of the server, the
  connection is closed without a response.
- HTTP/1.0 and HTTP/1.1 are supported, and so are chunked bodies.
""".strip()

# The schema of each header, whether a response that lists the header always has it, and its
# description.
HEADERS: dict[str, tuple[Schema, bool, str]] = {
    "X-Request-Id": (TEXT, True, "The id of the request: the client's own, or a new UUID."),
    "Location": (TEXT, True, "The path of the new task or job."),
    "X-Total-Count": (COUNT, True, "The number of all ready tasks."),
    "X-Role": ({"enum": [*Role]}, True, "The role of the token: only `admin` may write."),
    "Link": (TEXT, False, 'The path of the next page, as `<...>; rel="next"`, if there is one.'),
    "Content-Disposition": (TEXT, True, "The suggested name of the file."),
    "ETag": (TEXT, True, "The version of the file; send it back in `If-None-Match`."),
    "Allow": (TEXT, True, "The methods that the path supports."),
    "Retry-After": ({"type": "integer"}, False, "Seconds to wait, if the job queue is full."),
    "Accept-Encoding": ({"const": "identity"}, False, "If the body had a content coding."),
    "WWW-Authenticate": ({"const": "Bearer"}, True, "The required kind of token (RFC 6750)."),
    "Upgrade": ({"const": "websocket"}, True, "The protocol of this path."),
    "Sec-WebSocket-Accept": (TEXT, True, "Proof that the server understood the handshake."),
    "Sec-WebSocket-Protocol": (TEXT, False, "`taskflow`, if the client offered it."),
    "Sec-WebSocket-Version": ({"const": "13"}, True, "The supported version (RFC 6455)."),
}
COMPONENTS = {
    "schemas": SCHEMAS,
    "headers": {
        name: {"schema": schema, "required": always, "description": description}
        for name, (schema, always, description) in HEADERS.items()
    },
    "parameters": {"id": {"name": "id", "in": "path", "required": True, "schema": ID}},
    "securitySchemes": {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "The user token or the admin token.",
        }
    },
}


def openapi_routes(routes: Iterable[str], open_paths: Collection[str]) -> dict[str, Handler]:
    """Return the route of the document, which describes the given routes and itself.

    The document is built and encoded here, once.
    """
    names = [*routes, "GET /openapi.json"]
    operations = {name: DESCRIBED[name] for name in names if name in DESCRIBED}
    encoded = encode(build_document(operations, open_paths))
    return {"GET /openapi.json": partial(send_document, encoded)}


async def send_document(encoded: bytes, request: Request) -> Response:
    """Respond with the encoded document."""
    return Response(200, encoded)


def build_document(operations: Mapping[str, Operation], open_paths: Collection[str]) -> Schema:
    """Return the document for these operations, whose keys are the names of their routes.

    The paths in `open_paths` need no token.
    """
    refusals: dict[str, Schema] = dict(responses_by_status(UNMATCHED).values())
    paths: dict[str, Schema] = {}
    for route, operation in operations.items():
        method, path = route.split(" ")
        is_open = path in open_paths
        described = describe_operation(route, operation, is_open)
        error_classes = errors_of(route, operation, is_open)
        for status, (name, response) in responses_by_status(error_classes).items():
            refusals[name] = response
            described["responses"][str(status)] = ref(name, "responses")
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


def describe_operation(route: str, operation: Operation, is_open: bool) -> Schema:
    """Return the description of an operation without its error responses."""
    method, _ = route.split(" ")
    described: Schema = {
        "operationId": operation_id(route),
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    if operation.description:
        described["description"] = operation.description
    if is_open:
        described["security"] = []
    elif method != "GET":
        described["security"] = [{"bearer": ["admin"]}]
    if operation.query:
        described["parameters"] = list(operation.query)
    if operation.body is not None:
        described["requestBody"] = operation.body
    described["responses"] = {
        str(status): response for status, response in operation.responses.items()
    }
    return described


def errors_of(route: str, operation: Operation, is_open: bool) -> list[ErrorClass]:
    """Return the errors that a request for this operation may meet."""
    method, _ = route.split(" ")
    error_classes = [*EVERYWHERE, *operation.raises]
    if not is_open:
        error_classes.append(errors.InvalidToken)
    if method != "GET":
        error_classes.append(errors.InsufficientPermissions)
    return error_classes


def responses_by_status(error_classes: Iterable[ErrorClass]) -> dict[int, tuple[str, Schema]]:
    """Return one named error response for each status of these errors."""
    by_status = attrgetter("status")
    return {
        status: error_response(sorted(group, key=attrgetter("code")))
        for status, group in groupby(sorted(error_classes, key=by_status), by_status)
    }


def error_response(error_classes: Iterable[ErrorClass]) -> tuple[str, Schema]:
    """Return the shared response of errors with the same status, after its name.

    The name is made of their codes and headers, so equal responses have equal names.
    """
    descriptions: dict[str, str] = {}
    headers = {"X-Request-Id": ref("X-Request-Id", "headers")}
    for error_class in error_classes:
        first_line, _, _ = (error_class.__doc__ or "").partition("\n")
        descriptions.setdefault(error_class.code, first_line)
        headers |= {name: ref(name, "headers") for name, _ in error_class.headers}
        if error_class is errors.MethodNotAllowed:
            headers["Allow"] = ref("Allow", "headers")
    codes = {"properties": {"error": {"properties": {"code": {"enum": list(descriptions)}}}}}
    name = ".".join((*descriptions, *headers)).replace(".X-Request-Id", "")
    return name, {
        "description": "\n".join(f"- `{code}`: {text}" for code, text in descriptions.items()),
        "headers": headers,
        "content": {JSON: {"schema": {"allOf": [ref("Error"), codes]}}},
    }
