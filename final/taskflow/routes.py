"""The endpoints: what each reads from its request, asks of the store, and returns."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from urllib.parse import urlencode

from taskflow.cache import BoundedCache
from taskflow.clock import utc_now
from taskflow.codec import encode, encode_array
from taskflow.errors import TaskNotFound, ValidationError
from taskflow.http import Handler, Request, Response
from taskflow.importing import Import, lines_of
from taskflow.middleware import Validation
from taskflow.query import Query
from taskflow.store import Store
from taskflow.streaming import CSV, NDJSON, TASK_COLUMNS, csv_table, ndjson, task_row
from taskflow.tasks import Task, check_fields, check_status

# Tasks in one page, if the client does not say how many it wants, and at most.
DEFAULT_PAGE = 1_000
MAX_PAGE = 10_000

# The highest place in the order of creation that clients may name: all of them can represent it.
MAX_CURSOR = 2**53 - 1

# Orders of tasks that are kept. Each is a list of up to 100,000 ids.
MAX_ORDERS = 8

STARTED = time.monotonic()
QUEUE_IS_EMPTY = encode({"message": "Queue is empty"})


async def health(request: Request) -> Response:
    """Report that the server is running, and for how long it has been."""
    uptime = round(time.monotonic() - STARTED, 3)
    report = {"status": "healthy", "timestamp": utc_now(), "uptimeSeconds": uptime}
    return Response(200, encode(report))


class TaskRoutes:
    """The endpoints under `/tasks`."""

    def __init__(self, store: Store, give_way: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._orders: BoundedCache[list[str]] = BoundedCache(MAX_ORDERS)
        self._give_way = give_way

    def routes(self) -> dict[str, Handler]:
        """Return the handlers by method and path."""
        return {
            "GET /tasks": self.list_tasks,
            "POST /tasks": Validation(partial(check_fields, required=("title",)), self.create),
            "GET /tasks/next": self.next_task,
            "GET /tasks/peek": self.next_task,
            "GET /tasks/queue": self.queue,
            "POST /tasks/claim": self.claim,
            "GET /tasks/resolve": self.resolve,
            "GET /tasks/export.csv": self.export,
            "GET /tasks/stream.ndjson": self.stream,
            "POST /tasks/import": self.import_tasks,
            "GET /tasks/{id}": self.read,
            "PUT /tasks/{id}": Validation(check_fields, self.update),
            "PATCH /tasks/{id}": Validation(check_fields, self.update),
            "DELETE /tasks/{id}": self.delete,
            "GET /tasks/{id}/resolve": self.resolve,
        }

    async def list_tasks(self, request: Request) -> Response:
        """Respond with a page of tasks in order of creation, and a link to the next page."""
        query = Query(request.query)
        limit = query.integer("limit", DEFAULT_PAGE, 1, MAX_PAGE)
        status = query.text("status")
        # One task more than the page holds shows whether there is a next page.
        tasks = self._store.page(
            limit + 1,
            after=self._cursor(query),
            status=None if status is None else check_status("status", status),
        )
        page = tasks[:limit]
        response = Response(200, encode_array(task.json for task in page))
        if request.context.role is not None:
            # The board shows what the token allows.
            response.headers["X-Role"] = request.context.role
        if len(tasks) > limit:
            parameters: dict[str, int | str] = {"limit": limit, "cursor": page[-1].number}
            if status is not None:
                parameters["status"] = status
            response.headers["Link"] = f'</tasks?{urlencode(parameters)}>; rel="next"'
        return response

    def _cursor(self, query: Query) -> int:
        """Return the place in the order of creation after which the page begins.

        A link has it as `cursor`, which stays good when the task at this place is deleted.
        """
        cursor = query.integer("cursor", 0, 0, MAX_CURSOR)
        task_id = query.text("after")
        if task_id is None:
            return cursor
        if query.text("cursor") is not None:
            raise ValidationError("after", "must not be combined with cursor")
        try:
            return self._store.get(task_id.lower()).number
        except TaskNotFound as error:
            raise ValidationError("after", str(error)) from None

    async def create(self, request: Request) -> Response:
        """Add a task."""
        task = self._store.create(request.context.fields)
        return Response(201, task.json, {"Location": f"/tasks/{task.id}"})

    async def read(self, request: Request) -> Response:
        """Respond with one task."""
        return Response(200, self._store.get(request.params["id"]).json)

    async def update(self, request: Request) -> Response:
        """Merge the given fields into a task."""
        task = self._store.update(request.params["id"], request.context.fields)
        return Response(200, task.json)

    async def delete(self, request: Request) -> Response:
        """Delete a task."""
        self._store.delete(request.params["id"])
        return Response(204)

    async def next_task(self, request: Request) -> Response:
        """Respond with the most urgent ready task, without claiming it."""
        task = self._store.next_ready()
        return Response(200, QUEUE_IS_EMPTY if task is None else task.json)

    async def queue(self, request: Request) -> Response:
        """Respond with the beginning of the heap's array, and the number of all ready tasks."""
        limit = Query(request.query).integer("limit", DEFAULT_PAGE, 1, MAX_PAGE)
        body = encode_array(task.json for task in self._store.queued(limit))
        return Response(200, body, {"X-Total-Count": str(self._store.ready_count)})

    async def claim(self, request: Request) -> Response:
        """Hand out the most urgent ready task to this client alone."""
        task = self._store.claim()
        return Response(204) if task is None else Response(200, task.json)

    async def resolve(self, request: Request) -> Response:
        """Respond with a task and all tasks below it, or all, each after its prerequisites."""
        task_id = request.params.get("id")
        # The version makes an order useless once any task has changed. The cache evicts it then.
        key = f"{self._store.version} {task_id or ''}"
        ids = self._orders.get(key)
        if ids is None:
            tasks = await self._resolved(task_id)
            ids = [task.id for task in tasks]
            self._orders.put(key, ids)
        else:
            tasks = [self._store.get(prerequisite) for prerequisite in ids]
        # An order of 100,000 tasks is work for several turns of the event loop.
        await asyncio.sleep(0)
        summary = {
            "scope": "all" if task_id is None else "task",
            "scopedTaskId": task_id,
            "totalTasksInOrder": len(tasks),
            "orderedTaskIds": ids,
        }
        head = encode(summary).removesuffix(b"}") + b',"orderedTasks":'
        await asyncio.sleep(0)
        return Response(200, [head, *encode_array(task.json for task in tasks), b"}"])

    async def _resolved(self, task_id: str | None) -> list[Task]:
        """Return the tasks in their order, after other requests have had turns."""
        tasks: list[Task] = []
        with closing(self._store.resolve_in_portions(task_id)) as portions:
            for portion in portions:
                tasks += portion
                await asyncio.sleep(0)
        return tasks

    async def export(self, request: Request) -> Response:
        """Respond with all tasks, as they are now, as a file for a spreadsheet."""
        rows = map(task_row, self._store.in_order())
        headers = {"Content-Disposition": 'attachment; filename="tasks.csv"'}
        return Response(200, csv_table(TASK_COLUMNS, rows), headers, CSV)

    async def stream(self, request: Request) -> Response:
        """Respond with all tasks, as they are now, one per line."""
        lines = (task.json for task in self._store.in_order())
        return Response(200, ndjson(lines), content_type=NDJSON)

    async def import_tasks(self, request: Request) -> Response:
        """Add the tasks in the lines of the body, each as it arrives."""
        request.check_media_type(NDJSON)
        report = await Import(self._store, self._give_way).run(lines_of(request))
        return Response(200, encode(report))
