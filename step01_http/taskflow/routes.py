"""The endpoints: what each reads from its request, does, and returns."""

import time

from taskflow.clock import utc_now
from taskflow.codec import decode_object, encode, encode_array
from taskflow.errors import StoreFull, TaskNotFound
from taskflow.http import Handler, Request, Response
from taskflow.tasks import Task, check_fields, new_task

# A look-up is a loop over all tasks.
MAX_TASKS = 10_000

STARTED = time.monotonic()


async def read_object(request: Request) -> dict[str, object]:
    """Return the JSON object in the body. Raises, in this order, 413, 415 and 400."""
    request.check_length()
    request.check_media_type("application/json")
    return decode_object(await request.read())


async def health(request: Request) -> Response:
    """Report that the server is running, and for how long it has been."""
    uptime = round(time.monotonic() - STARTED, 3)
    report = {"status": "healthy", "timestamp": utc_now(), "uptimeSeconds": uptime}
    return Response(200, encode(report))


class TaskRoutes:
    """The endpoints under `/tasks`, and the tasks in a list."""

    def __init__(self) -> None:
        self._tasks: list[Task] = []

    def routes(self) -> dict[str, Handler]:
        """Return the handlers by method and path."""
        return {
            "GET /tasks": self.list_tasks,
            "POST /tasks": self.create,
            "GET /tasks/{id}": self.read,
        }

    async def list_tasks(self, request: Request) -> Response:
        """Respond with all tasks in order of creation. O(n)."""
        return Response(200, encode_array(task.json for task in self._tasks))

    async def create(self, request: Request) -> Response:
        """Add a task. O(1)."""
        fields = check_fields(await read_object(request), required=("title",))
        if len(self._tasks) >= MAX_TASKS:
            raise StoreFull(f"there are {MAX_TASKS} tasks, and no room for another")
        task = new_task(fields)
        self._tasks.append(task)
        return Response(201, task.json, {"Location": f"/tasks/{task.id}"})

    async def read(self, request: Request) -> Response:
        """Respond with one task, after a search from the first task to the last. O(n)."""
        for task in self._tasks:
            if task.id == request.params["id"]:
                return Response(200, task.json)
        raise TaskNotFound(f"there is no task {request.params['id'][:64]}")
