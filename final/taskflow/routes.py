"""The endpoints: what each reads from its request, asks of the store, and answers."""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import urlencode

from taskflow.codec import encode, encode_array, utc_now
from taskflow.errors import TaskNotFound, ValidationError
from taskflow.http import Handler, Request, Response
from taskflow.importing import Import, lines_of
from taskflow.middleware import Validation, check_media_type
from taskflow.query import Query
from taskflow.store import Store
from taskflow.streaming import CSV, NDJSON, TASK_COLUMNS, csv_table, ndjson, task_row
from taskflow.tasks import Task, check_fields, check_status

DEFAULT_PAGE = 1_000  # tasks
MAX_PAGE = 10_000  # tasks

STARTED = time.monotonic()
QUEUE_IS_EMPTY = encode({"message": "Queue is empty"})


async def health(request: Request) -> Response:
    """Say that the server answers, and since when."""
    uptime = round(time.monotonic() - STARTED, 3)
    report = {"status": "healthy", "timestamp": utc_now(), "uptimeSeconds": uptime}
    return Response(200, encode(report))


class TaskRoutes:
    """The endpoints under `/tasks`."""

    def __init__(self, store: Store, give_way: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._give_way = give_way

    def routes(self) -> dict[str, Handler]:
        """Return the handlers by what they answer."""
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
        """Answer a page of tasks in order of creation, and link to the next page."""
        query = Query(request.query)
        limit = query.integer("limit", DEFAULT_PAGE, 1, MAX_PAGE)
        status = query.text("status")
        tasks = self._store.page(
            limit + 1,  # one more than is shown tells whether there is a next page
            after=self._cursor(query.text("after")),
            status=None if status is None else check_status("status", status),
        )
        response = Response(200, encode_array(task.json for task in tasks[:limit]))
        if len(tasks) > limit:
            following = {"limit": limit, "after": tasks[limit - 1].id}
            if status is not None:
                following["status"] = status
            response.headers["Link"] = f'</tasks?{urlencode(following)}>; rel="next"'
        return response

    def _cursor(self, task_id: str | None) -> Task | None:
        try:
            return None if task_id is None else self._store.get(task_id)
        except TaskNotFound as error:
            raise ValidationError("after", str(error)) from None

    async def create(self, request: Request) -> Response:
        """Add a task."""
        task = self._store.create(request.context["fields"])
        return Response(201, task.json, {"Location": f"/tasks/{task.id}"})

    async def read(self, request: Request) -> Response:
        """Answer one task."""
        return Response(200, self._store.get(request.params["id"]).json)

    async def update(self, request: Request) -> Response:
        """Merge the given fields into a task."""
        task = self._store.update(request.params["id"], request.context["fields"])
        return Response(200, task.json)

    async def delete(self, request: Request) -> Response:
        """Drop a task."""
        self._store.delete(request.params["id"])
        return Response(204)

    async def next_task(self, request: Request) -> Response:
        """Answer the most urgent ready task, and leave it where it is."""
        task = self._store.next_ready()
        return Response(200, QUEUE_IS_EMPTY if task is None else task.json)

    async def queue(self, request: Request) -> Response:
        """Answer the heap as it lies in its array."""
        return Response(200, encode_array(task.json for task in self._store.queued()))

    async def claim(self, request: Request) -> Response:
        """Hand out the most urgent ready task, to this client alone."""
        task = self._store.claim()
        return Response(204) if task is None else Response(200, task.json)

    async def resolve(self, request: Request) -> Response:
        """Answer a task and all below it, or all tasks, each after what it depends on."""
        task_id = request.params.get("id")
        tasks = self._store.resolve(task_id)
        scope = "all" if task_id is None else "task"
        ids = [task.id for task in tasks]
        head = {"scope": scope, "scopedTaskId": task_id, "totalTasksInOrder": len(ids)}
        whole = b',"orderedTasks":' + encode_array(task.json for task in tasks) + b"}"
        return Response(200, encode(head | {"orderedTaskIds": ids})[:-1] + whole)

    async def export(self, request: Request) -> Response:
        """Answer all tasks, as they are now, as a file for a spreadsheet."""
        rows = map(task_row, self._store.snapshot())
        headers = {"Content-Disposition": 'attachment; filename="tasks.csv"'}
        return Response(200, csv_table(TASK_COLUMNS, rows), headers, CSV)

    async def stream(self, request: Request) -> Response:
        """Answer all tasks, as they are now, one a line."""
        lines = (task.json for task in self._store.snapshot())
        return Response(200, ndjson(lines), content_type=NDJSON)

    async def import_tasks(self, request: Request) -> Response:
        """Add the tasks in the lines of the body, each as it comes."""
        check_media_type(request, NDJSON)
        return Response(
            200, encode(await Import(self._store, self._give_way).run(lines_of(request)))
        )
