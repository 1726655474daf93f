"""The building blocks of the document at `/openapi.json`: JSON Schemas, and the type Operation.

A schema follows JSON Schema, draft 2020-12, which OpenAPI 3.1 uses. Every bound is a constant of
the code that enforces it, so the document and the code agree on all of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from taskflow import errors
from taskflow.context import Role
from taskflow.job_routes import DEFAULT_ITERATIONS, MAX_ITERATIONS, MAX_ON_LOOP
from taskflow.jobs import JobStatus
from taskflow.routes import DEFAULT_PAGE, MAX_CURSOR, MAX_PAGE
from taskflow.tasks import MAX_DEPENDENCIES, MAX_DESCRIPTION, MAX_PRIORITY, MAX_TITLE, Status

Schema = dict[str, Any]
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

# The characters that `str.strip` removes from a title. In other regular expression dialects, `\s`
# is a slightly different set, so the characters are listed here.
SPACES = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
NO_SPACE = rf"[^{SPACES}\x00]"
TITLE = rf"^[{SPACES}]*{NO_SPACE}([^\x00]{{0,{MAX_TITLE - 2}}}{NO_SPACE})?[{SPACES}]*$"


def ref(name: str, kind: str = "schemas") -> Schema:
    """Return a reference to a named component of the document."""
    return {"$ref": f"#/components/{kind}/{name}"}


def record(**properties: Schema) -> Schema:
    """Return the schema of an object with exactly these properties, all of them required."""
    return partial_record(**properties) | {"required": list(properties)}


def partial_record(**properties: Schema) -> Schema:
    """Return the schema of an object that may have any of these properties, and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def array_of(item: Schema) -> Schema:
    """Return the schema of an array."""
    return {"type": "array", "items": item}


def nullable(schema: Schema) -> Schema:
    """Return the schema of a value that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def integer(lowest: int, highest: int, **keywords: object) -> Schema:
    """Return the schema of an integer in a range, with further JSON Schema keywords."""
    return {"type": "integer", "minimum": lowest, "maximum": highest, **keywords}


TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number", "minimum": 0}
BOOLEAN: Schema = {"type": "boolean"}
ID: Schema = {"type": "string", "format": "uuid"}
TIMESTAMP: Schema = {
    "type": "string",
    "format": "date-time",
    "examples": ["2026-01-31T12:00:00.000Z"],
}

NEW_TITLE: Schema = {
    "type": "string",
    "pattern": TITLE,
    "description": f"1 to {MAX_TITLE} characters after trimming, without NUL.",
}
DESCRIPTION: Schema = {"type": "string", "maxLength": MAX_DESCRIPTION, "pattern": r"^[^\x00]*$"}
STATUS = {"type": "string", "enum": [*Status]}
PRIORITY = integer(-MAX_PRIORITY, MAX_PRIORITY, description="Higher is more urgent.")
DEPENDENCIES = array_of(ID) | {"maxItems": MAX_DEPENDENCIES, "uniqueItems": True}
ITERATIONS = integer(1, MAX_ITERATIONS, default=DEFAULT_ITERATIONS)
ITERATIONS_ON_LOOP = integer(1, MAX_ON_LOOP, default=DEFAULT_ITERATIONS)
HEAVY_ITERATIONS = integer(0, MAX_ITERATIONS, default=0)
PAGE = integer(1, MAX_PAGE, default=DEFAULT_PAGE)
CURSOR = integer(0, MAX_CURSOR)

SETTABLE: dict[str, Schema] = {
    "title": NEW_TITLE,
    "description": DESCRIPTION | {"default": ""},
    "status": STATUS | {"default": Status.PENDING},
    "priority": PRIORITY | {"default": 1},
    "dependencies": DEPENDENCIES
    | {"default": [], "description": "Existing tasks that do not depend on this one."},
}
# The same fields without defaults, because a field that a change leaves out keeps its value.
CHANGES = {
    name: {key: value for key, value in schema.items() if key != "default"}
    for name, schema in SETTABLE.items()
}

MEMORY: dict[str, Schema] = {
    "process": record(residentBytes=COUNT, virtualBytes=COUNT),
    "collector": record(
        enabled=BOOLEAN, counts=array_of(COUNT), stats=array_of({"type": "object"})
    ),
}
BOUNDED = {
    name: record(size=COUNT, limit=COUNT) for name in ("requests", "events", "cache", "leakedBytes")
}

REPORT: dict[str, Schema] = {
    "summary": record(
        totalTasks=COUNT, blockedTasks=COUNT, unblockedTasks=COUNT, totalDependencies=COUNT
    ),
    "byStatus": record(**dict.fromkeys(Status, COUNT)),
    "byPriority": record(high=COUNT, medium=COUNT, low=COUNT),
    "syntheticCpuScore": COUNT,
    "generatedAt": TIMESTAMP,
    "durationMs": NUMBER,
}
JOB: dict[str, Schema] = {
    "jobId": ID,
    "status": {"type": "string", "enum": [*JobStatus]},
    "createdAt": TIMESTAMP,
    "startedAt": nullable(TIMESTAMP),
    "finishedAt": nullable(TIMESTAMP),
    "output": {"anyOf": [ref("Report"), ref("Sum"), {"type": "null"}]},
    "error": nullable(TEXT),
}

SCHEMAS: dict[str, Schema] = {
    "Task": record(
        id=ID,
        title={"type": "string", "minLength": 1, "maxLength": MAX_TITLE},
        description=DESCRIPTION,
        status=STATUS,
        priority=PRIORITY,
        dependencies=DEPENDENCIES,
        createdAt=TIMESTAMP,
        updatedAt=TIMESTAMP,
    ),
    "NewTask": partial_record(**SETTABLE) | {"required": ["title"]},
    "TaskChanges": partial_record(**CHANGES),
    "EmptyQueue": record(message={"const": "Queue is empty"}),
    "Order": record(
        scope={"enum": ["all", "task"]},
        scopedTaskId=nullable(ID),
        totalTasksInOrder=COUNT,
        orderedTaskIds=array_of(ID),
        orderedTasks=array_of(ref("Task")),
    ),
    "ImportResult": record(
        created=COUNT, failedCount=COUNT, failed=array_of(record(line=COUNT, error=TEXT))
    ),
    "Health": record(status={"const": "healthy"}, timestamp=TIMESTAMP, uptimeSeconds=NUMBER),
    "Ready": record(status={"const": "ready"}),
    "Memory": partial_record(
        **MEMORY,
        bounded=record(**BOUNDED),
        tracing=BOOLEAN,
        top=array_of(record(site=TEXT, bytes=COUNT, blocks=COUNT)),
    )
    | {"required": [*MEMORY, "bounded"]},
    "MemorySizes": record(**MEMORY, **BOUNDED),
    "RequestEntry": record(
        id=TEXT,
        method=TEXT,
        path=TEXT,
        status=COUNT,
        durationMs=NUMBER,
        timestamp=TIMESTAMP,
        role=nullable({"type": "string", "enum": [*Role]}),
    ),
    "WebSockets": record(clients=COUNT, rooms=COUNT, delivered=COUNT, dropped=COUNT),
    "Pong": record(message={"const": "pong"}),
    "Sum": record(result=COUNT, durationMs=NUMBER),
    "Report": record(**REPORT),
    "Job": record(**JOB),
    "JobAccepted": record(jobId=ID, statusPath=TEXT),
    "Workers": record(
        workers=COUNT,
        running=COUNT,
        queued=COUNT,
        queueLimit=COUNT,
        records=COUNT,
        recordLimit=COUNT,
        restarts=COUNT,
    ),
    "Error": record(
        error=record(
            code=TEXT,
            message=TEXT,
            requestId=TEXT,
            timestamp=TIMESTAMP,
            details={
                "type": "object",
                "description": "The same facts for programs: `field` and `reason` for "
                "VALIDATION_ERROR and MISSING_REQUIRED_FIELD, `missingTaskId` for "
                "MISSING_DEPENDENCY, `cyclePath` for CYCLE_DETECTED.",
            },
        )
    ),
    "Document": {"type": "object", "required": ["openapi", "info", "paths"]},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """The description of one route."""

    tag: str
    summary: str
    # The successful responses by status.
    responses: Mapping[int, Schema]
    # The errors that the handler may raise.
    raises: tuple[type[errors.TaskflowError], ...] = ()
    # The query parameters.
    query: tuple[Schema, ...] = ()
    body: Schema | None = None
    description: str = ""


def response(
    description: str,
    content: str | Schema | None = None,
    media_type: str = JSON,
    headers: Iterable[str] = (),
    links: Schema | None = None,
) -> Schema:
    """Return the description of a successful response.

    The content is a schema, or the name of one in SCHEMAS; None is a response without a body.
    """
    described: Schema = {
        "description": description,
        "headers": {name: ref(name, "headers") for name in ("X-Request-Id", *headers)},
    }
    if links is not None:
        described["links"] = links
    if content is not None:
        schema = ref(content) if isinstance(content, str) else content
        described["content"] = {media_type: {"schema": schema}}
    return described


def parameter(name: str, schema: Schema, description: str) -> Schema:
    """Return the description of a query parameter, which is never required."""
    return {"name": name, "in": "query", "schema": schema, "description": description}


def request_body(content: Schema, *media_types: str, required: bool = True) -> Schema:
    """Return the description of a request body, which is JSON if no media type is given."""
    return {
        "required": required,
        "content": {media_type: {"schema": content} for media_type in media_types or (JSON,)},
    }


def operation_id(route: str) -> str:
    """Return the identifier of a route for programs: `get_tasks_id` for `GET /tasks/{id}`."""
    words = "".join(letter if letter.isalnum() else " " for letter in route)
    return "_".join(words.lower().split())


def links_to(parameters: Mapping[str, str], *routes: str) -> Schema:
    """Return links from a response to the routes that take one of its values as a parameter."""
    return {
        operation_id(route): {"operationId": operation_id(route), "parameters": dict(parameters)}
        for route in routes
    }
