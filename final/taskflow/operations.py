"""Operations: what each endpoint takes and answers, in words and schemas.

One entry for each route, under its name in the router. Refusals are named by the errors that a
handler may raise; status, code and headers are read from those. What every request may meet, such
as a missing token, stands in `openapi.py` and not here.
"""

from taskflow import errors
from taskflow.board import CONTENT_TYPES, NAMES
from taskflow.metrics import TEXT as PROMETHEUS
from taskflow.routes import DEFAULT_PAGE
from taskflow.schemas import (
    HEAVY_ITERATIONS,
    ID,
    ITERATIONS,
    PAGE,
    STATUS,
    TEXT,
    Operation,
    Schema,
    answer,
    body,
    leads_to,
    many,
    parameter,
    ref,
    whole,
)
from taskflow.streaming import CSV, NDJSON
from taskflow.tasks import MAX_TITLE
from taskflow.websocket import MAX_MESSAGE

READS_JSON = (
    errors.InvalidJson,
    errors.PayloadTooLarge,
    errors.UnsupportedMediaType,
    errors.ValidationError,
)
CREATES = (*READS_JSON, errors.MissingRequiredField, errors.MissingDependency, errors.StoreFull)
CHANGES = (*READS_JSON, errors.MissingDependency, errors.TaskNotFound, errors.CycleDetected)
READS_LINES = (errors.PayloadTooLarge, errors.UnsupportedMediaType)
WAITS = (errors.ValidationError, errors.QueueFull)
PAGES = (errors.ValidationError,)

TASK_LINKS = leads_to(
    {"id": "$response.body#/id"},
    "GET /tasks/{id}",
    "PATCH /tasks/{id}",
    "PUT /tasks/{id}",
    "DELETE /tasks/{id}",
    "GET /tasks/{id}/resolve",
) | leads_to({"after": "$response.body#/id"}, "GET /tasks")
TASK = answer("The task.", "Task")
NEXT = answer("The task, or that there is none.", {"anyOf": [ref("Task"), ref("EmptyQueue")]})
CALLED_NEXT = Operation("queue", "The most urgent ready task, which stays where it is", {200: NEXT})
CHANGED = Operation(
    "tasks",
    "Merge the given fields into a task",
    {200: answer("The task as it is then.", "Task")},
    CHANGES,
    body=body(ref("TaskChanges")),
    description="PUT merges as PATCH does. A change that changes nothing is none: "
    "`updatedAt` stays, and nobody is told.",
)
HANDSHAKE = ("Upgrade", "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol")
IN_WORKER = (parameter("iterations", ITERATIONS, "How much to compute."),)
REPORT = answer("The report.", "Report")
JOB = answer("The job as it is now.", "Job")
STATISTICS = Operation("jobs", "How busy the workers are", {200: answer("Counts.", "Workers")})
FOLLOWED = Operation("jobs", "What became of a job", {200: JOB}, (errors.JobNotFound,))
ROWS = answer("The file, streamed.", TEXT, CSV, headers=["Content-Disposition"])
LINES = answer("One JSON object a line, streamed.", TEXT, NDJSON)


def accepted(follow: str) -> Schema:
    """Return what is said of the answer to a start of a job."""
    links = leads_to({"id": "$response.body#/jobId"}, follow)
    return answer("Where it will be.", "JobAccepted", headers=["Location"], links=links)


SPEAKS = f"""
The handshake of RFC 6455, with a token in `Authorization` or, for browsers, among the subprotocols
`taskflow` and `bearer.TOKEN`, of which the server takes `taskflow`. 101 is the answer to a good
one, 400 to a bad one, 426 to a request without one or with a version other than 13. A page of
another origin gets 403.

Behind it, both sides send text frames with JSON objects. The server begins with
`connection.ready`, which has `clientId`, `subscribedRooms`, `epoch` and `seq`. Then it sends
`task.created`, `task.updated` and `task.deleted` to the rooms `tasks` and `task:ID`, and
`report.completed` and `report.failed` to the room `reports`, each with a `seq` that rises by one.
The client sends `{{"type":"subscribe","rooms":[...]}}`, with `since` and `epoch` if it wants what
it missed (`history.gap` says that this is not known any more), or `{{"type":"ping"}}`. Answers
are `subscription.confirmed`, `pong` and `error`.

A close says why: 1001 the server stops, 1007 bad UTF-8, 1009 a message over {MAX_MESSAGE} bytes,
1011 no pong, 1013 too slow.
""".strip()

OPERATIONS: dict[str, Operation] = {
    "GET /health": Operation(
        "system", "That the server answers", {200: answer("It does.", "Health")}
    ),
    "GET /openapi.json": Operation(
        "system", "This document", {200: answer("OpenAPI 3.1.", "Document")}
    ),
    "GET /metrics": Operation(
        "system", "Metrics for Prometheus", {200: answer("Its text format.", TEXT, PROMETHEUS)}
    ),
    "GET /tasks": Operation(
        "tasks",
        "A page of tasks in order of creation",
        {200: answer("The page.", many(ref("Task")), headers=["Link"])},
        PAGES,
        query=(
            parameter("limit", PAGE, f"How many tasks; {DEFAULT_PAGE} if it is not said."),
            parameter("after", ID, "The task before the first one; `Link` has it right."),
            parameter("status", STATUS, "Only tasks of this status."),
        ),
    ),
    "POST /tasks": Operation(
        "tasks",
        "Add a task",
        {201: answer("The task.", "Task", headers=["Location"], links=TASK_LINKS)},
        CREATES,
        body=body(ref("NewTask")),
        description=f"A title is trimmed, and has 1 to {MAX_TITLE} characters then.",
    ),
    "GET /tasks/{id}": Operation("tasks", "One task", {200: TASK}, (errors.TaskNotFound,)),
    "PATCH /tasks/{id}": CHANGED,
    "PUT /tasks/{id}": CHANGED,
    "DELETE /tasks/{id}": Operation(
        "tasks",
        "Drop a task",
        {204: answer("It is gone, and no task waits for it any more.")},
        (errors.TaskNotFound,),
    ),
    "GET /tasks/next": CALLED_NEXT,
    "GET /tasks/peek": CALLED_NEXT,
    "GET /tasks/queue": Operation(
        "queue",
        "The ready tasks as they lie in the heap's array, root first",
        {200: answer("The array.", many(ref("Task")))},
    ),
    "POST /tasks/claim": Operation(
        "queue",
        "Take the most urgent ready task",
        {
            200: answer("The task, now in progress, and yours alone.", "Task"),
            204: answer("No task is ready."),
        },
    ),
    "GET /tasks/resolve": Operation(
        "graph",
        "All tasks, each after all that it depends on",
        {200: answer("The order.", "Order")},
        (errors.ResultTooLarge,),
    ),
    "GET /tasks/{id}/resolve": Operation(
        "graph",
        "A task and all that it depends on, each after all that it depends on itself",
        {200: answer("The order.", "Order")},
        (errors.TaskNotFound, errors.ResultTooLarge),
    ),
    "GET /tasks/export.csv": Operation("streams", "All tasks for a spreadsheet", {200: ROWS}),
    "GET /tasks/stream.ndjson": Operation("streams", "All tasks, one a line", {200: LINES}),
    "POST /tasks/import": Operation(
        "streams",
        "Add the tasks in the lines of the body",
        {200: answer("What became of the lines.", "ImportResult")},
        READS_LINES,
        body=body({}, NDJSON, required=False),
        description="Each line is a Task, with at least a title. A line that fails is left out, "
        "and so is one that depends on it; the others are added.",
    ),
    "GET /ws/tasks": Operation(
        "events",
        "What happens to tasks and reports, as it happens (WebSocket)",
        {101: answer("The connection is a WebSocket from here on.", headers=HANDSHAKE)},
        (errors.UpgradeRequired,),
        description=SPEAKS,
    ),
    "GET /tasks/system/ws": Operation(
        "system", "Who listens to events", {200: answer("Counts.", "WebSockets")}
    ),
    "GET /tasks/system/memory": Operation(
        "system",
        "What the process holds, and the bounds of what may grow",
        {200: answer("Bytes and counts.", "Memory")},
        (errors.ValidationError, errors.InsufficientPermissions),
        query=(parameter("top", whole(1, 100), "So many allocation sites, for admins."),),
    ),
    "POST /tasks/reports/start": Operation(
        "jobs",
        "Make a report over all tasks in a worker",
        {202: accepted("GET /tasks/reports/{id}")},
        WAITS,
        query=(parameter("heavyIterations", HEAVY_ITERATIONS, "How much to compute besides."),),
    ),
    "GET /tasks/reports/{id}": FOLLOWED,
    "GET /tasks/reports/stats": STATISTICS,
    "GET /tasks/reports/worker-run": Operation(
        "jobs", "Make a report in a worker, and wait for it", {200: REPORT}, WAITS, IN_WORKER
    ),
}


def board_operation(name: str) -> Operation:
    """Return what is said of a file of the board."""
    media_type = CONTENT_TYPES[name[name.rindex(".") :]]
    answers = {
        200: answer("The file.", TEXT, media_type, headers=["ETag"]),
        304: answer("You have it already.", headers=["ETag"]),
    }
    return Operation("board", f"The board in the browser: {name}", answers)


BOARD = {f"GET {path}": board_operation(name) for path, name in NAMES.items()}
