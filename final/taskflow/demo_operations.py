"""Operations of the demos: what is there with --demos only (see operations.py)."""

from taskflow import errors
from taskflow.operations import (
    FOLLOWED,
    IN_WORKER,
    LINES,
    PAGES,
    REPORT,
    STATISTICS,
    WAITS,
    accepted,
)
from taskflow.schemas import ITERATIONS_ON_LOOP, TEXT, Operation, answer, parameter, whole
from taskflow.streaming import CSV

COUNT_OF_ROWS = parameter("count", whole(1, 300_000, default=50_000), "Rows.")
KEPT = (
    parameter("count", whole(1, 1_000, default=100), "How many pieces."),
    parameter("sizeKb", whole(1, 1_024, default=8), "KiB in each."),
)
SIZES = "What is held now."
ON_LOOP = (parameter("iterations", ITERATIONS_ON_LOOP, "How much to compute."),)
SUM = answer("What was computed.", "Sum")


def example(error: type[errors.TaskflowError]) -> Operation:
    """Return what is said of an example of an error, which answers nothing else."""
    return Operation("demos", f"An example of {error.code}", {}, (error,))


DEMOS: dict[str, Operation] = {
    "GET /tasks/reports/blocking": Operation(
        "demos",
        "Make a report on the event loop, which all wait for",
        {200: REPORT},
        PAGES,
        ON_LOOP,
    ),
    "GET /demo/cpu/ping": Operation(
        "demos", "That the loop is free", {200: answer("Yes.", "Pong")}
    ),
    "GET /demo/cpu/blocking": Operation(
        "demos", "Compute on the event loop, which all wait for", {200: SUM}, PAGES, ON_LOOP
    ),
    "GET /demo/cpu/worker/run": Operation(
        "demos", "Compute in a worker, and wait for it", {200: SUM}, WAITS, IN_WORKER
    ),
    "GET /demo/cpu/worker/start": Operation(
        "demos",
        "Compute in a worker",
        {202: accepted("GET /demo/cpu/worker/jobs/{id}")},
        WAITS,
        IN_WORKER,
    ),
    "GET /demo/cpu/worker/jobs/{id}": FOLLOWED,
    "GET /demo/cpu/worker/stats": STATISTICS,
    "GET /demo/stream/csv": Operation(
        "demos", "Made-up rows", {200: answer("Rows.", TEXT, CSV)}, PAGES, (COUNT_OF_ROWS,)
    ),
    "GET /demo/stream/ndjson": Operation(
        "demos", "Made-up rows", {200: LINES}, PAGES, (COUNT_OF_ROWS,)
    ),
    "GET /demo/error/internal": example(errors.TaskflowError),
    "GET /demo/error/unauthorized": example(errors.InvalidToken),
    "GET /demo/error/forbidden": example(errors.InsufficientPermissions),
    "GET /demo/error/notfound": example(errors.NotFound),
    "POST /demo/error/validation": example(errors.ValidationError),
    "POST /demo/error/missingfield": example(errors.MissingRequiredField),
    "POST /tasks/memory/leak": Operation(
        "demos",
        "Keep memory, and never let go of it",
        {201: answer(SIZES, "MemorySizes")},
        PAGES,
        KEPT,
        description="At most 256 MiB in all: beyond, 422.",
    ),
    "POST /tasks/memory/safe": Operation(
        "demos", "Keep memory within a bound", {201: answer(SIZES, "MemorySizes")}, PAGES, KEPT
    ),
    "POST /tasks/memory/clear": Operation(
        "demos", "Let go of both", {200: answer(SIZES, "MemorySizes")}
    ),
}
