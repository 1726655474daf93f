"""The operations of the demo endpoints, which exist only with --demos (see operations.py)."""

from taskflow import errors
from taskflow.openapi.operations import (
    GET_JOB,
    IN_WORKER,
    JOB_ERRORS,
    JOB_STATISTICS,
    LINES,
    QUERY_ERRORS,
    REPORT,
    accepted,
)
from taskflow.openapi.schemas import (
    ITERATIONS_ON_LOOP,
    TEXT,
    Operation,
    integer,
    parameter,
    response,
)
from taskflow.streaming import CSV

ROWS = (parameter("count", integer(1, 300_000, default=50_000), "The number of rows."),)
BLOCKS = (
    parameter("count", integer(1, 1_000, default=100), "The number of blocks."),
    parameter("sizeKb", integer(1, 1_024, default=8), "The size of each block in KiB."),
)
ON_LOOP = (parameter("iterations", ITERATIONS_ON_LOOP, "The number of iterations to compute."),)
SUM = response("The computed sum.", "Sum")
SIZES = response("The sizes that are held now.", "MemorySizes")


def example(error: type[errors.TaskflowError]) -> Operation:
    """Return the description of an endpoint that always responds with this error."""
    return Operation("demos", f"Respond with an example of {error.code}", {}, (error,))


DEMOS: dict[str, Operation] = {
    "GET /tasks/reports/blocking": Operation(
        "demos",
        "Make a report on the event loop, where it delays every client",
        {200: REPORT},
        QUERY_ERRORS,
        ON_LOOP,
    ),
    "GET /demo/cpu/ping": Operation(
        "demos", "Show that the event loop is free", {200: response("It is free.", "Pong")}
    ),
    "GET /demo/cpu/blocking": Operation(
        "demos",
        "Compute on the event loop, where it delays every client",
        {200: SUM},
        QUERY_ERRORS,
        ON_LOOP,
    ),
    "GET /demo/cpu/worker/run": Operation(
        "demos", "Compute in a worker, and return the result", {200: SUM}, JOB_ERRORS, IN_WORKER
    ),
    "GET /demo/cpu/worker/start": Operation(
        "demos",
        "Start to compute in a worker",
        {202: accepted("GET /demo/cpu/worker/jobs/{id}")},
        JOB_ERRORS,
        IN_WORKER,
    ),
    "GET /demo/cpu/worker/jobs/{id}": GET_JOB,
    "GET /demo/cpu/worker/stats": JOB_STATISTICS,
    "GET /demo/stream/csv": Operation(
        "demos",
        "Stream made-up rows as CSV",
        {200: response("The rows.", TEXT, CSV)},
        QUERY_ERRORS,
        ROWS,
    ),
    "GET /demo/stream/ndjson": Operation(
        "demos", "Stream made-up rows as NDJSON", {200: LINES}, QUERY_ERRORS, ROWS
    ),
    "GET /demo/error/internal": example(errors.TaskflowError),
    "GET /demo/error/unauthorized": example(errors.InvalidToken),
    "GET /demo/error/forbidden": example(errors.InsufficientPermissions),
    "GET /demo/error/notfound": example(errors.NotFound),
    "POST /demo/error/validation": example(errors.ValidationError),
    "POST /demo/error/missingfield": example(errors.MissingRequiredField),
    "POST /tasks/memory/leak": Operation(
        "demos",
        "Keep blocks of memory without a bound",
        {201: SIZES},
        QUERY_ERRORS,
        BLOCKS,
        description="At most 256 MiB in all; a request for more gets 422.",
    ),
    "POST /tasks/memory/safe": Operation(
        "demos", "Keep blocks of memory within a bound", {201: SIZES}, QUERY_ERRORS, BLOCKS
    ),
    "POST /tasks/memory/clear": Operation("demos", "Release all blocks of memory", {200: SIZES}),
}
