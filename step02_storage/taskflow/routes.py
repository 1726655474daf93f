"""The endpoints: what each reads from its request, asks of the store, and answers."""

import time
from urllib.parse import urlencode

from taskflow.codec import decode_object, encode, encode_array, utc_now
from taskflow.errors import TaskNotFound, UnsupportedMediaType, ValidationError
from taskflow.http import Handler, Request, Response
from taskflow.query import Query
from taskflow.store import Store
from taskflow.tasks import Task, check_fields, check_status

DEFAULT_PAGE = 1_000  # tasks
MAX_PAGE = 10_000  # tasks

STARTED = time.monotonic()


async def read_object(request: Request) -> dict[str, object]:
    """Return the JSON object in the body. Raises, in this order, 413, 415 and 400."""
    request.check_length()
    media_type = request.headers.get("content-type", "application/json").split(";")[0]
    if media_type.strip().lower() != "application/json":
        raise UnsupportedMediaType("the body must be application/json")
    return decode_object(await request.read())


async def health(request: Request) -> Response:
    """Say that the server answers, and since when."""
    uptime = round(time.monotonic() - STARTED, 3)
    report = {"status": "healthy", "timestamp": utc_now(), "uptimeSeconds": uptime}
    return Response(200, encode(report))


class TaskRoutes:
    """The endpoints under `/tasks`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> dict[str, Handler]:
        """Return the handlers by what they answer."""
        return {
            "GET /tasks": self.list_tasks,
            "POST /tasks": self.create,
            "GET /tasks/{id}": self.read,
            "PUT /tasks/{id}": self.update,
            "PATCH /tasks/{id}": self.update,
            "DELETE /tasks/{id}": self.delete,
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
        task = self._store.create(check_fields(await read_object(request), required=("title",)))
        return Response(201, task.json, {"Location": f"/tasks/{task.id}"})

    async def read(self, request: Request) -> Response:
        """Answer one task."""
        return Response(200, self._store.get(request.params["id"]).json)

    async def update(self, request: Request) -> Response:
        """Merge the given fields into a task."""
        fields = check_fields(await read_object(request))
        return Response(200, self._store.update(request.params["id"], fields).json)

    async def delete(self, request: Request) -> Response:
        """Drop a task."""
        self._store.delete(request.params["id"])
        return Response(204)
