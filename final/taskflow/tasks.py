"""The task: an immutable value, and the rules for its fields.

A task never changes. A change makes a new task, so code that holds a task always holds a whole
one, and its JSON can be made once and sent any number of times.
"""

from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, field, replace
from enum import StrEnum
from functools import partial
from json.encoder import encode_basestring as encode_text
from typing import Any

from taskflow.clock import new_id, utc_now
from taskflow.codec import in_one_line
from taskflow.errors import MissingRequiredField, ValidationError

# Characters, after trimming.
MAX_TITLE = 200

# Characters.
MAX_DESCRIPTION = 10_000

MAX_PRIORITY = 1_000_000_000
MAX_DEPENDENCIES = 1_000


class Status(StrEnum):
    """The stage of a task's life. Any status may follow any other."""

    PENDING = "pending"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"

    # Every change counts tasks by status, and Enum's own is written in Python.
    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One version of a task."""

    id: str

    # Its place in the order of creation: 1, 2, 3 …
    number: int
    title: str
    description: str = ""
    status: Status = Status.PENDING
    priority: int = 1
    dependencies: tuple[str, ...] = ()
    created_at: str
    updated_at: str

    # The task as it is sent, encoded once.
    json: bytes = field(init=False, repr=False, compare=False)

    # The same, if it is known already.
    encoded: InitVar[bytes] = b""

    def __post_init__(self, encoded: bytes) -> None:
        # The only way to set a field of a frozen dataclass that depends on the others.
        object.__setattr__(self, "json", encoded or _encode(self))


def _encode(task: Task) -> bytes:
    """Return a task as JSON.

    Assembled here, because the encoder takes longer; benchmarks/final_parts.py shows how much.
    """
    dependencies = ",".join(map(encode_text, task.dependencies))
    text = (
        f'{{"id":{encode_text(task.id)},"title":{encode_text(task.title)},'
        f'"description":{encode_text(task.description)},"status":"{task.status}",'
        f'"priority":{task.priority},"dependencies":[{dependencies}],'
        f'"createdAt":"{task.created_at}","updatedAt":"{task.updated_at}"}}'
    )
    return in_one_line(text).encode()


@dataclass(frozen=True, slots=True)
class Change:
    """One task before and after. A creation has no `before`, and a deletion no `after`."""

    before: Task | None
    after: Task | None

    @property
    def type(self) -> str:
        """The kind of change, as events name it."""
        if self.before is None:
            return "task.created"
        return "task.deleted" if self.after is None else "task.updated"

    @property
    def task_id(self) -> str:
        """The id of the task that changes, which is the same before and after."""
        task = self.after or self.before
        assert task is not None
        return task.id


def _text(name: str, value: object, shortest: int = 0, longest: int = MAX_TITLE) -> str:
    if not isinstance(value, str):
        raise ValidationError(name, "must be a string")
    if "\0" in value:
        raise ValidationError(name, "must not contain NUL")
    if not shortest <= len(value) <= longest:
        raise ValidationError(name, f"must have {shortest} to {longest} characters")
    return value


def _title(name: str, value: object) -> str:
    return _text(name, value.strip() if isinstance(value, str) else value, shortest=1)


def _priority(name: str, value: object) -> int:
    # Not isinstance: in Python, True is an int too.
    if type(value) is not int:
        raise ValidationError(name, "must be an integer")
    if abs(value) > MAX_PRIORITY:
        raise ValidationError(name, f"must be from -{MAX_PRIORITY} to {MAX_PRIORITY}")
    return value


def check_status(name: str, value: object) -> Status:
    """Return the status with this name. Raises ValidationError."""
    try:
        return Status(_text(name, value))
    except ValueError:
        raise ValidationError(name, f"must be one of {', '.join(Status)}") from None


def _dependencies(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValidationError(name, "must be a list of task ids")
    if len(value) > MAX_DEPENDENCIES:
        raise ValidationError(name, f"must have at most {MAX_DEPENDENCIES} ids")
    # Ids are compared without regard to case (RFC 9562, 4).
    ids = tuple(item.lower() for item in value)
    if len(set(ids)) != len(ids):
        raise ValidationError(name, "must not repeat an id")
    return ids


CHECKS: dict[str, Callable[[str, object], object]] = {
    "title": _title,
    "description": partial(_text, longest=MAX_DESCRIPTION),
    "status": check_status,
    "priority": _priority,
    "dependencies": _dependencies,
}


def check_fields(values: Mapping[str, object], required: tuple[str, ...] = ()) -> dict[str, object]:
    """Return the fields as a task holds them. Raises ValidationError for the first bad one."""
    fields = {}
    for name, value in values.items():
        if name not in CHECKS:
            raise ValidationError(name[:64], "is not a field that can be set")
        fields[name] = CHECKS[name](name, value)
    for name in required:
        if name not in fields:
            raise MissingRequiredField(name, "is required")
    return fields


def new_task(number: int, fields: Mapping[str, Any]) -> Task:
    """Return a task with these checked fields, and an id and times of its own if they lack them."""
    now = utc_now()
    defaults = {"id": new_id(), "created_at": now, "updated_at": now}
    return Task(number=number, **{**defaults, **fields})


def changed(task: Task, fields: Mapping[str, Any]) -> Task:
    """Return the next version of a task, with these fields and a later `updated_at`."""
    return replace(task, **fields, updated_at=utc_now(after=task.updated_at))
