"""What `final` is measured beside: FastAPI on uvicorn with uvloop and httptools, one process.

The models and routes of `fastapi_app.py`, and what its documentation teaches for the rest: a
dependency that wants a token (https://fastapi.tiangolo.com/reference/security/), compared in
constant time. Stores nothing, logs no access, and keeps neither queue nor events.
"""

# mypy: disable-error-code="import-not-found,misc,untyped-decorator"
# The environment that checks types has no FastAPI in it.

import os
import secrets
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict

from benchmarks.peers.fastapi_app import (
    Description,
    NewTask,
    Priority,
    Status,
    Task,
    Title,
    serve,
)

ADMIN = os.environ["TASKFLOW_ADMIN_TOKEN"].encode()
USER = os.environ["TASKFLOW_USER_TOKEN"].encode()


class Fields(BaseModel):
    """What a client may change."""

    model_config = ConfigDict(extra="forbid")

    title: Title | None = None
    description: Description | None = None
    status: Status | None = None
    priority: Priority | None = None
    dependencies: list[str] | None = None


async def authorize(
    request: Request, shown: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]
) -> None:
    """Let admins write and users read."""
    token = shown.credentials.encode()
    is_admin = secrets.compare_digest(token, ADMIN)
    is_user = secrets.compare_digest(token, USER)
    if not is_admin and not is_user:
        raise HTTPException(401, "a valid token is needed", {"WWW-Authenticate": "Bearer"})
    if not is_admin and request.method not in {"GET", "HEAD"}:
        raise HTTPException(403, f"{request.method} needs the admin token")


app = FastAPI()
tasks: dict[str, Task] = {}
guarded = [Depends(authorize)]


@app.get("/health")
async def health() -> dict[str, str]:
    """Say that the server answers."""
    return {"status": "healthy", "timestamp": now()}


@app.get("/tasks", dependencies=guarded)
async def list_tasks(limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000) -> list[Task]:
    """Answer the first tasks."""
    return list(islice(tasks.values(), limit))


@app.post("/tasks", status_code=201, dependencies=guarded)
async def create(fields: NewTask, response: Response) -> Task:
    """Add a task."""
    check_known(fields.dependencies)
    time = now()
    task = Task(id=str(uuid4()), created_at=time, updated_at=time, **fields.model_dump())
    tasks[task.id] = task
    response.headers["Location"] = f"/tasks/{task.id}"
    return task


@app.get("/tasks/{task_id}", dependencies=guarded)
async def read(task_id: str) -> Task:
    """Answer one task."""
    return find(task_id)


@app.put("/tasks/{task_id}", dependencies=guarded)
@app.patch("/tasks/{task_id}", dependencies=guarded)
async def change(task_id: str, fields: Fields) -> Task:
    """Merge the given fields into a task."""
    check_known(fields.dependencies or [])
    given = fields.model_dump(exclude_unset=True)
    tasks[task_id] = find(task_id).model_copy(update={**given, "updated_at": now()})
    return tasks[task_id]


@app.delete("/tasks/{task_id}", status_code=204, dependencies=guarded)
async def delete(task_id: str) -> None:
    """Drop a task."""
    find(task_id)
    del tasks[task_id]


def find(task_id: str) -> Task:
    """Return a task, or answer 404."""
    if task_id not in tasks:
        raise HTTPException(404, f"there is no task {task_id}")
    return tasks[task_id]


def check_known(task_ids: list[str]) -> None:
    """Answer 422 for a prerequisite that is not there."""
    for task_id in task_ids:
        if task_id not in tasks:
            raise HTTPException(422, f"there is no task {task_id}")


def now() -> str:
    """Return the time, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    serve(app)
