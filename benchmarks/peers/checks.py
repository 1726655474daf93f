"""What the peers without a library for it share: tokens, checks of the fields, and the tasks.

By hand, as one does in a small service on aiohttp or Flask.
"""

import hmac
import os
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import uuid4

ADMIN = os.environ.get("TASKFLOW_ADMIN_TOKEN", "").encode()
USER = os.environ.get("TASKFLOW_USER_TOKEN", "").encode()
STATUSES = ("pending", "in-progress", "completed")
MAX_BODY = 1024 * 1024  # bytes

Task = dict[str, Any]


class Refusal(Exception):
    """A status and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def check_token(method: str, authorization: str) -> None:
    """Let admins write and users read. Raises Refusal."""
    scheme, _, rest = authorization.partition(" ")
    token = (rest.strip() if scheme.lower() == "bearer" else authorization).encode()
    is_admin = hmac.compare_digest(token, ADMIN)
    is_user = hmac.compare_digest(token, USER)
    if not is_admin and not is_user:
        raise Refusal(401, "a valid token is needed")
    if not is_admin and method not in {"GET", "HEAD"}:
        raise Refusal(403, f"{method} needs the admin token")


def _text(name: str, value: object, shortest: int, longest: int) -> str:
    if not isinstance(value, str) or "\0" in value or not shortest <= len(value) <= longest:
        raise Refusal(422, f"{name}: must be a string of {shortest} to {longest} characters")
    return value


def _priority(value: object) -> int:
    if type(value) is not int or abs(value) > 1_000_000_000:
        raise Refusal(422, "priority: must be an integer in ±1,000,000,000")
    return value


def _status(value: object) -> str:
    if not isinstance(value, str) or value not in STATUSES:
        raise Refusal(422, f"status: must be one of {', '.join(STATUSES)}")
    return value


def _dependencies(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refusal(422, "dependencies: must be a list of task ids")
    if len(value) > 1_000 or len(set(value)) != len(value):
        raise Refusal(422, "dependencies: at most 1,000, and none twice")
    return value


def check_fields(values: object) -> Task:
    """Return the fields that a client gives. Raises Refusal for the first bad one."""
    if not isinstance(values, dict):
        raise Refusal(400, "this is no JSON object")
    fields: Task = {}
    for name, value in values.items():
        match name:
            case "title":
                stripped = value.strip() if isinstance(value, str) else value
                fields[name] = _text(name, stripped, 1, 200)
            case "description":
                fields[name] = _text(name, value, 0, 10_000)
            case "status":
                fields[name] = _status(value)
            case "priority":
                fields[name] = _priority(value)
            case "dependencies":
                fields[name] = _dependencies(value)
            case _:
                raise Refusal(422, f"{name[:64]}: is not a field that can be set")
    return fields


class Tasks:
    """The tasks in a dict."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}

    def create(self, values: object) -> Task:
        """Add a task. Raises Refusal."""
        fields = check_fields(values)
        if "title" not in fields:
            raise Refusal(422, "title: is required")
        self._check_known(fields)
        now = utc_now()
        own: Task = {"description": "", "status": "pending", "priority": 1, "dependencies": []}
        task = {"id": str(uuid4()), **own, **fields, "createdAt": now, "updatedAt": now}
        self._tasks[task["id"]] = task
        return task

    def get(self, task_id: str) -> Task:
        """Return a task. Raises Refusal."""
        if task_id not in self._tasks:
            raise Refusal(404, f"there is no task {task_id[:64]}")
        return self._tasks[task_id]

    def change(self, task_id: str, values: object) -> Task:
        """Merge the given fields into a task. Raises Refusal."""
        fields = check_fields(values)
        self._check_known(fields)
        task = {**self.get(task_id), **fields, "updatedAt": utc_now()}
        self._tasks[task_id] = task
        return task

    def delete(self, task_id: str) -> None:
        """Drop a task. Raises Refusal."""
        self.get(task_id)
        self._tasks.pop(task_id, None)

    def first(self, limit: str) -> list[Task]:
        """Return the first tasks. Raises Refusal."""
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= 10_000:
            raise Refusal(422, "limit: must be from 1 to 10,000")
        return list(islice(self._tasks.values(), int(limit)))

    def _check_known(self, fields: Task) -> None:
        for task_id in fields.get("dependencies", ()):
            if task_id not in self._tasks:
                raise Refusal(422, f"there is no task {task_id[:64]}")


def utc_now() -> str:
    """Return the time, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
