"""The operations: what each endpoint takes and returns, in words and schemas.

There is one entry for each route, under its name in the router. An entry names the errors that its
handler may raise, and their status, code and headers are read from the error classes. Errors that
any request may meet, such as a missing token, are in `document.py`.
"""

from dataclasses import replace
from pathlib import PurePath

from taskflow import errors
from taskflow.board.routes import CONTENT_TYPES, NAMES
from taskflow.metrics import TEXT as PROMETHEUS
from taskflow.openapi.schemas import (
    CURSOR,
    HEAVY_ITERATIONS,
    ID,
    ITERATIONS,
    JSON,
    MERGE_PATCH,
    PAGE,
    STATUS,
    TEXT,
    Operation,
    Schema,
    array_of,
    integer,
    links_to,
    parameter,
    ref,
    request_body,
    response,
)
from taskflow.routes import DEFAULT_PAGE
from taskflow.streaming import CSV, NDJSON
from taskflow.tasks import MAX_TITLE
from taskflow.websocket import MAX_MESSAGE

JSON_ERRORS = (
    errors.InvalidJson,
    errors.PayloadTooLarge,
    errors.UnsupportedMediaType,
    errors.UnsupportedCoding,
    errors.ValidationError,
)
CREATE_ERRORS = (
    *JSON_ERRORS,
    errors.MissingRequiredField,
    errors.MissingDependency,
    errors.StoreFull,
)
CHANGE_ERRORS = (
    *JSON_ERRORS,
    errors.MissingDependency,
    errors.TaskNotFound,
    errors.CycleDetected,
)
IMPORT_ERRORS = (errors.PayloadTooLarge, errors.UnsupportedMediaType, errors.UnsupportedCoding)
JOB_ERRORS = (errors.ValidationError, errors.QueueFull)
QUERY_ERRORS = (errors.ValidationError,)

TASK_LINKS = links_to(
    {"id": "$response.body#/id"},
    "GET /tasks/{id}",
    "PATCH /tasks/{id}",
    "PUT /tasks/{id}",
    "DELETE /tasks/{id}",
    "GET /tasks/{id}/resolve",
) | links_to({"after": "$response.body#/id"}, "GET /tasks")

# Parts that several operations share.
TASK = response("The task.", "Task")
FILE = response("The file, streamed.", TEXT, CSV, headers=["Content-Disposition"])
LINES = response("One JSON object per line, streamed.", TEXT, NDJSON)
REPORT = response("The report.", "Report")
JOB = response("The current state of the job.", "Job")
HANDSHAKE = ("Upgrade", "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol")
IN_WORKER = (parameter("iterations", ITERATIONS, "The number of iterations to compute."),)

PEEK = Operation(
    "queue",
    "Show the most urgent ready task without claiming it",
    {
        200: response(
            "The task, or a message that no task is ready.",
            {"anyOf": [ref("Task"), ref("EmptyQueue")]},
        )
    },
)
PUT_TASK = Operation(
    "tasks",
    "Merge the given fields into a task",
    {200: response("The task after the change.", "Task")},
    CHANGE_ERRORS,
    body=request_body(ref("TaskChanges")),
    description="PUT merges, as PATCH does. If no value changes, `updatedAt` stays the same and "
    "no event is sent.",
)
PATCH_TASK = replace(PUT_TASK, body=request_body(ref("TaskChanges"), JSON, MERGE_PATCH))
GET_JOB = Operation("jobs", "Show a job and its result", {200: JOB}, (errors.JobNotFound,))
JOB_STATISTICS = Operation(
    "jobs", "Show how busy the workers are", {200: response("The counts.", "Workers")}
)


def accepted(result_route: str) -> Schema:
    """Return the response to a started job, with a link to the route that shows its result."""
    links = links_to({"id": "$response.body#/jobId"}, result_route)
    return response(
        "The path of the job and its result.", "JobAccepted", headers=["Location"], links=links
    )


EVENTS = f"""
The WebSocket handshake (RFC 6455). The token is in `Authorization`, or, since browsers cannot set
that header, in a subprotocol: offer `taskflow` and `bearer.TOKEN`, and the server selects
`taskflow`. A valid handshake gets 101 and an invalid one 400, and so does `bearer.TOKEN` without
`taskflow`, because a browser would drop the connection. A request without a handshake, or
with a version other than 13, gets 426, and a page of another origin gets 403.

After the handshake, both sides send text frames with JSON objects. The server begins with
`connection.ready`, which has `clientId`, `subscribedRooms`, `epoch` and `seq`. It sends
`task.created`, `task.updated` and `task.deleted` to the rooms `tasks` and `task:ID`, and
`report.completed` and `report.failed` to the room `reports`. Each event has a `seq`, which is one
higher than that of the event before it.

The client sends `{{"type":"subscribe","rooms":[...]}}` or `{{"type":"ping"}}`. With `since` and
`epoch` in a subscription it also gets the events that it missed, or `history.gap` if the server no
longer has them. It sends `history.gap` to all clients when changes that they may have read were
taken back, because the disk did not take them. After `history.gap`, fetch the tasks again, and
continue with its `seq`. The replies are `subscription.confirmed`, `pong` and `error`.

The close code gives the reason: 1001 the server is stopping, 1007 invalid UTF-8, 1009 a message
over {MAX_MESSAGE} bytes, 1011 no pong arrived, 1013 the client reads too slowly.
""".strip()

OPERATIONS: dict[str, Operation] = {
    "GET /health": Operation(
        "system", "Show that the server responds", {200: response("It responds.", "Health")}
    ),
    "GET /ready": Operation(
        "system",
        "Show whether changes are taken",
        {200: response("They are.", "Ready")},
        description="The status is 503, with the reason, while the disk takes no changes or the "
        "server stops.",
    ),
    "GET /openapi.json": Operation(
        "system", "Show this document", {200: response("An OpenAPI 3.1 document.", "Document")}
    ),
    "GET /metrics": Operation(
        "system",
        "Show metrics for Prometheus",
        {200: response("The metrics in the Prometheus text format.", TEXT, PROMETHEUS)},
    ),
    "GET /tasks": Operation(
        "tasks",
        "List a page of tasks in order of creation",
        {200: response("The page.", array_of(ref("Task")), headers=["Link", "X-Role"])},
        QUERY_ERRORS,
        query=(
            parameter("limit", PAGE, f"The number of tasks, by default {DEFAULT_PAGE}."),
            parameter("after", ID, "The task before the first one of the page."),
            parameter(
                "cursor",
                CURSOR,
                "The place in the order of creation before the page, as `Link` has it. "
                "Not together with `after`.",
            ),
            parameter("status", STATUS, "The status of all listed tasks."),
        ),
    ),
    "POST /tasks": Operation(
        "tasks",
        "Add a task",
        {201: response("The task.", "Task", headers=["Location"], links=TASK_LINKS)},
        CREATE_ERRORS,
        body=request_body(ref("NewTask")),
        description=f"A title is trimmed, and must then have 1 to {MAX_TITLE} characters.",
    ),
    "GET /tasks/{id}": Operation("tasks", "Show a task", {200: TASK}, (errors.TaskNotFound,)),
    "PATCH /tasks/{id}": PATCH_TASK,
    "PUT /tasks/{id}": PUT_TASK,
    "DELETE /tasks/{id}": Operation(
        "tasks",
        "Delete a task",
        {204: response("The task is deleted, and no other task depends on it.")},
        (errors.TaskNotFound,),
    ),
    "GET /tasks/next": PEEK,
    "GET /tasks/peek": PEEK,
    "GET /tasks/queue": Operation(
        "queue",
        "Show the beginning of the heap's array of ready tasks",
        {200: response("The tasks, root first.", array_of(ref("Task")), headers=["X-Total-Count"])},
        QUERY_ERRORS,
        query=(parameter("limit", PAGE, f"The number of tasks, by default {DEFAULT_PAGE}."),),
    ),
    "POST /tasks/claim": Operation(
        "queue",
        "Claim the most urgent ready task",
        {
            200: response("The task, now in progress and claimed by this client.", "Task"),
            204: response("No task is ready."),
        },
    ),
    "GET /tasks/resolve": Operation(
        "graph",
        "List all tasks, each after its dependencies",
        {200: response("The order.", "Order")},
        (errors.ResultTooLarge,),
    ),
    "GET /tasks/{id}/resolve": Operation(
        "graph",
        "List a task with its direct and indirect dependencies, each after its own",
        {200: response("The order.", "Order")},
        (errors.TaskNotFound, errors.ResultTooLarge),
    ),
    "GET /tasks/export.csv": Operation("streams", "Export all tasks as CSV", {200: FILE}),
    "GET /tasks/stream.ndjson": Operation("streams", "Export all tasks as NDJSON", {200: LINES}),
    "POST /tasks/import": Operation(
        "streams",
        "Import the tasks in the lines of the body",
        {200: response("The number of imported tasks, and the lines that failed.", "ImportResult")},
        IMPORT_ERRORS,
        body=request_body({}, NDJSON, required=False),
        description="Each line is a Task with at least a title. A line that fails is skipped, "
        "together with the lines that depend on it, and all other lines are imported.",
    ),
    "GET /ws/tasks": Operation(
        "events",
        "Follow events of tasks and reports (WebSocket)",
        {101: response("The connection is now a WebSocket.", headers=HANDSHAKE)},
        (errors.UpgradeRequired,),
        description=EVENTS,
    ),
    "GET /tasks/system/ws": Operation(
        "system",
        "Show how many clients follow events",
        {200: response("The counts.", "WebSockets")},
    ),
    "GET /tasks/system/memory": Operation(
        "system",
        "Show the memory of the process, and the bounds of all that may grow",
        {200: response("The sizes in bytes, and the counts.", "Memory")},
        (errors.ValidationError, errors.InsufficientPermissions),
        query=(
            parameter(
                "top", integer(1, 100), "The number of allocation sites to show, to admins only."
            ),
        ),
    ),
    "GET /tasks/system/requests": Operation(
        "system",
        "List the last requests, the newest first",
        {200: response("The requests.", array_of(ref("RequestEntry")))},
        QUERY_ERRORS,
        query=(parameter("limit", integer(1, 1_000), "The number of requests, by default 100."),),
    ),
    "POST /tasks/reports/start": Operation(
        "jobs",
        "Start a report on all tasks in a worker",
        {202: accepted("GET /tasks/reports/{id}")},
        JOB_ERRORS,
        query=(
            parameter("heavyIterations", HEAVY_ITERATIONS, "The number of additional iterations."),
        ),
    ),
    "GET /tasks/reports/{id}": GET_JOB,
    "GET /tasks/reports/stats": JOB_STATISTICS,
    "GET /tasks/reports/worker-run": Operation(
        "jobs", "Make a report in a worker, and return it", {200: REPORT}, JOB_ERRORS, IN_WORKER
    ),
}


def board_operation(name: str) -> Operation:
    """Return the description of a file of the board."""
    media_type = CONTENT_TYPES[PurePath(name).suffix]
    responses = {
        200: response("The file.", TEXT, media_type, headers=["ETag"]),
        304: response("The client already has the current file.", headers=["ETag"]),
    }
    return Operation("board", f"Get a file of the board: {name}", responses)


BOARD = {f"GET {path}": board_operation(name) for path, name in NAMES.items()}
