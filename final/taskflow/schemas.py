"""The pieces of the document at `/openapi.json`: schemas of JSON, and how an operation is told.

A schema is JSON Schema (draft 2020-12, as OpenAPI 3.1 has it). Bounds are the constants of the
code that holds to them, so that they cannot say something else here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taskflow import errors
from taskflow.job_routes import DEFAULT_ITERATIONS, MAX_ITERATIONS, MAX_ON_LOOP
from taskflow.routes import DEFAULT_PAGE, MAX_PAGE
from taskflow.tasks import MAX_DEPENDENCIES, MAX_DESCRIPTION, MAX_PRIORITY, MAX_TITLE, Status
from taskflow.workers import JobStatus

Schema = dict[str, Any]
JSON = "application/json"

# What a title is trimmed of: what is a space to Python, which is not quite what `\s` is elsewhere.
SPACES = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
NO_SPACE = rf"[^{SPACES}\x00]"
TITLE = rf"^[{SPACES}]*{NO_SPACE}([^\x00]{{0,{MAX_TITLE - 2}}}{NO_SPACE})?[{SPACES}]*$"


def ref(name: str, kind: str = "schemas") -> Schema:
    """Return a reference to a named piece of the document."""
    return {"$ref": f"#/components/{kind}/{name}"}


def thing(**properties: Schema) -> Schema:
    """Return the schema of an object that has just these properties, all of them."""
    return open_thing(**properties) | {"required": list(properties)}


def open_thing(**properties: Schema) -> Schema:
    """Return the schema of an object that may have these properties, and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def many(item: Schema) -> Schema:
    """Return the schema of an array."""
    return {"type": "array", "items": item}


def optional(schema: Schema) -> Schema:
    """Return the schema of something that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def whole(lowest: int, highest: int, **more: object) -> Schema:
    """Return the schema of a whole number in a range, written without a fraction."""
    return {"type": "integer", "minimum": lowest, "maximum": highest, **more}


TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number", "minimum": 0}
TRUTH: Schema = {"type": "boolean"}
ID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00.000Z"]}

TITLE_IN: Schema = {
    "type": "string",
    "pattern": TITLE,
    "description": f"1 to {MAX_TITLE} characters after trimming, without NUL.",
}
DESCRIPTION: Schema = {"type": "string", "maxLength": MAX_DESCRIPTION, "pattern": r"^[^\x00]*$"}
STATUS = {"type": "string", "enum": [*Status]}
PRIORITY = whole(-MAX_PRIORITY, MAX_PRIORITY, description="Higher is more urgent.")
DEPENDENCIES = many(ID) | {"maxItems": MAX_DEPENDENCIES, "uniqueItems": True}
ITERATIONS = whole(1, MAX_ITERATIONS, default=DEFAULT_ITERATIONS)
ITERATIONS_ON_LOOP = whole(1, MAX_ON_LOOP, default=DEFAULT_ITERATIONS)
HEAVY_ITERATIONS = whole(0, MAX_ITERATIONS, default=0)
PAGE = whole(1, MAX_PAGE, default=DEFAULT_PAGE)

SETTABLE: dict[str, Schema] = {
    "title": TITLE_IN,
    "description": DESCRIPTION | {"default": ""},
    "status": STATUS | {"default": Status.PENDING},
    "priority": PRIORITY | {"default": 1},
    "dependencies": DEPENDENCIES
    | {"default": [], "description": "Tasks that exist, and that do not wait for this one."},
}
CHANGES = {  # without defaults: what is not given stays as it is
    name: {key: value for key, value in schema.items() if key != "default"}
    for name, schema in SETTABLE.items()
}

MEMORY: dict[str, Schema] = {
    "process": thing(residentBytes=COUNT, virtualBytes=COUNT),
    "collector": thing(enabled=TRUTH, counts=many(COUNT), stats=many({"type": "object"})),
}
BOUNDED = {
    name: thing(size=COUNT, limit=COUNT) for name in ("requests", "events", "cache", "leakedBytes")
}

REPORT: dict[str, Schema] = {
    "summary": thing(
        totalTasks=COUNT, blockedTasks=COUNT, unblockedTasks=COUNT, totalDependencies=COUNT
    ),
    "byStatus": thing(**dict.fromkeys(Status, COUNT)),
    "byPriority": thing(high=COUNT, medium=COUNT, low=COUNT),
    "syntheticCpuScore": COUNT,
    "generatedAt": TIME,
    "durationMs": NUMBER,
}
JOB: dict[str, Schema] = {
    "jobId": ID,
    "status": {"type": "string", "enum": [*JobStatus]},
    "createdAt": TIME,
    "startedAt": optional(TIME),
    "finishedAt": optional(TIME),
    "output": {"anyOf": [ref("Report"), ref("Sum"), {"type": "null"}]},
    "error": optional(TEXT),
}

SCHEMAS: dict[str, Schema] = {
    "Task": thing(
        id=ID,
        title={"type": "string", "minLength": 1, "maxLength": MAX_TITLE},
        description=DESCRIPTION,
        status=STATUS,
        priority=PRIORITY,
        dependencies=DEPENDENCIES,
        createdAt=TIME,
        updatedAt=TIME,
    ),
    "NewTask": open_thing(**SETTABLE) | {"required": ["title"]},
    "TaskChanges": open_thing(**CHANGES),
    "EmptyQueue": thing(message={"const": "Queue is empty"}),
    "Order": thing(
        scope={"enum": ["all", "task"]},
        scopedTaskId=optional(ID),
        totalTasksInOrder=COUNT,
        orderedTaskIds=many(ID),
        orderedTasks=many(ref("Task")),
    ),
    "ImportResult": thing(
        created=COUNT, failedCount=COUNT, failed=many(thing(line=COUNT, error=TEXT))
    ),
    "Health": thing(status={"const": "healthy"}, timestamp=TIME, uptimeSeconds=NUMBER),
    "Memory": open_thing(
        **MEMORY,
        bounded=thing(**BOUNDED),
        tracing=TRUTH,
        top=many(thing(site=TEXT, bytes=COUNT, blocks=COUNT)),
    )
    | {"required": [*MEMORY, "bounded"]},
    "MemorySizes": thing(**MEMORY, **BOUNDED),
    "WebSockets": thing(clients=COUNT, rooms=COUNT, delivered=COUNT, dropped=COUNT),
    "Pong": thing(message={"const": "pong"}),
    "Sum": thing(result=COUNT, durationMs=NUMBER),
    "Report": thing(**REPORT),
    "Job": thing(**JOB),
    "JobAccepted": thing(jobId=ID, statusPath=TEXT),
    "Workers": thing(
        workers=COUNT,
        running=COUNT,
        queued=COUNT,
        queueLimit=COUNT,
        records=COUNT,
        recordLimit=COUNT,
        restarts=COUNT,
    ),
    "Error": thing(
        error=thing(
            code=TEXT,
            message=TEXT,
            requestId=TEXT,
            timestamp=TIME,
            details={
                "type": "object",
                "description": "The same for programs: `field` and `reason` of VALIDATION_ERROR "
                "and MISSING_REQUIRED_FIELD, `missingTaskId` of MISSING_DEPENDENCY, `cyclePath` "
                "of CYCLE_DETECTED.",
            },
        )
    ),
    "Document": {"type": "object", "required": ["openapi", "info", "paths"]},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What is said of one route."""

    tag: str
    summary: str
    answers: Mapping[int, Schema]
    raises: tuple[type[errors.TaskflowError], ...] = ()
    query: tuple[Schema, ...] = ()
    body: Schema | None = None
    description: str = ""


def answer(
    about: str, content: str | Schema | None = None, media_type: str = JSON, **more: Any
) -> Schema:
    """Return what is said of a good answer: its schema, by name or whole, its headers and links."""
    headers = {name: ref(name, "headers") for name in ("X-Request-Id", *more.pop("headers", ()))}
    response = {"description": about, "headers": headers, **more}
    if content is not None:
        schema = ref(content) if isinstance(content, str) else content
        response["content"] = {media_type: {"schema": schema}}
    return response


def parameter(name: str, schema: Schema, about: str) -> Schema:
    """Return what is said of a parameter of the query. None is required, or may be repeated."""
    return {"name": name, "in": "query", "schema": schema, "description": about}


def body(content: Schema, media_type: str = JSON, required: bool = True) -> Schema:
    """Return what is said of a body."""
    return {"required": required, "content": {media_type: {"schema": content}}}


def operation_id(route: str) -> str:
    """Return a name for programs: `get_tasks_id` for `GET /tasks/{id}`."""
    words = "".join(letter if letter.isalnum() else " " for letter in route)
    return "_".join(words.lower().split())


def leads_to(parameters: Mapping[str, str], *routes: str) -> Schema:
    """Return links from an answer to what can be asked next, with a value of it."""
    return {
        operation_id(route): {"operationId": operation_id(route), "parameters": dict(parameters)}
        for route in routes
    }
