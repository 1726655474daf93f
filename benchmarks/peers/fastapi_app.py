"""The same two routes in FastAPI, on uvicorn with uvloop and httptools, one process.

Written as its documentation teaches it: a model with the checks for the input, another for the
output, a dict of tasks. The access log is off, as ours has none yet.
"""

# mypy: disable-error-code="import-not-found,misc,untyped-decorator"
# The environment that checks types has no FastAPI in it.

import socket
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

WITHOUT_NUL = r"^[^\x00]*$"
Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=WITHOUT_NUL),
]
Description = Annotated[str, StringConstraints(max_length=10_000, pattern=WITHOUT_NUL)]
Priority = Annotated[int, Field(strict=True, ge=-1_000_000_000, le=1_000_000_000)]


class Status(StrEnum):
    """Where a task is in its life."""

    PENDING = "pending"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"


class NewTask(BaseModel):
    """What a client may send."""

    model_config = ConfigDict(extra="forbid")

    title: Title
    description: Description = ""
    status: Status = Status.PENDING
    priority: Priority = 1
    dependencies: Annotated[list[str], Field(max_length=1_000)] = []


class Task(BaseModel):
    """A task as it is sent."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: str
    title: str
    description: str
    status: Status
    priority: int
    dependencies: list[str]
    created_at: str
    updated_at: str


app = FastAPI()
tasks: dict[str, Task] = {}


@app.post("/tasks", status_code=201)
async def create(fields: NewTask, response: Response) -> Task:
    """Add a task."""
    for task_id in fields.dependencies:
        if task_id not in tasks:
            raise HTTPException(422, f"there is no task {task_id}")
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    task = Task(id=str(uuid4()), created_at=now, updated_at=now, **fields.model_dump())
    tasks[task.id] = task
    response.headers["Location"] = f"/tasks/{task.id}"
    return task


@app.get("/tasks/{task_id}")
async def read(task_id: str) -> Task:
    """Answer one task."""
    if task_id not in tasks:
        raise HTTPException(404, f"there is no task {task_id}")
    return tasks[task_id]


def serve(served: FastAPI) -> None:
    """Serve until killed, on a port that the system chooses."""
    config = uvicorn.Config(
        served, loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    serve(app)
