"""The endpoints of the worker pool: the CPU demo, and reports over all tasks."""

from taskflow.codec import encode
from taskflow.errors import ServiceUnavailable
from taskflow.http import Handler, Request, Response
from taskflow.jobs import Job, completed_first
from taskflow.query import Query
from taskflow.store import Store
from taskflow.worker_process import cpu_sum, report
from taskflow.workers import WorkerPool

DEFAULT_ITERATIONS = 1_000_000
MAX_ITERATIONS = 100_000_000

# Enough to see that all other requests wait.
MAX_ON_LOOP = 5_000_000


def iterations(request: Request, highest: int = MAX_ITERATIONS) -> int:
    """Return the parameter `iterations` of a request. Raises ValidationError."""
    return Query(request.query).integer("iterations", DEFAULT_ITERATIONS, 1, highest)


class JobRoutes:
    """The same work on the event loop, where it holds up every request, and in a worker."""

    def __init__(self, store: Store, pool: WorkerPool) -> None:
        self._store = store
        self._pool = pool

    def routes(self) -> dict[str, Handler]:
        """Return the handlers by method and path."""
        return {
            "GET /demo/cpu/ping": self.ping,
            "GET /demo/cpu/blocking": self.block,
            "GET /demo/cpu/worker/run": self.run,
            "GET /demo/cpu/worker/start": self.start,
            "GET /demo/cpu/worker/stats": self.stats,
            "GET /demo/cpu/worker/jobs/{id}": self.job,
            "POST /tasks/reports/start": self.start_report,
            "GET /tasks/reports/stats": self.stats,
            "GET /tasks/reports/blocking": self.block_with_report,
            "GET /tasks/reports/worker-run": self.run_report,
            "GET /tasks/reports/{id}": self.job,
        }

    async def ping(self, request: Request) -> Response:
        """Respond at once, if the event loop is free."""
        return Response(200, encode({"message": "pong"}))

    async def block(self, request: Request) -> Response:
        """Compute on the event loop: the wrong turn, to be measured."""
        return Response(200, encode(cpu_sum(iterations(request, MAX_ON_LOOP))))

    async def run(self, request: Request) -> Response:
        """Compute in a worker, and respond with the result."""
        return await self._result(Job("cpu", iterations(request)))

    async def start(self, request: Request) -> Response:
        """Compute in a worker, and respond at once with the path of the result."""
        return self._accepted(Job("cpu", iterations(request)), "/demo/cpu/worker/jobs")

    async def block_with_report(self, request: Request) -> Response:
        """Make the report on the event loop: the wrong turn, to be measured."""
        lines = [task.json for part in completed_first(self._store.snapshot()) for task in part]
        return Response(200, encode(report(lines, iterations(request, MAX_ON_LOOP))))

    async def run_report(self, request: Request) -> Response:
        """Make the report in a worker, and respond with it."""
        return await self._result(self._report(iterations(request)))

    async def start_report(self, request: Request) -> Response:
        """Make the report in a worker, and respond at once with its path."""
        heavy = Query(request.query).integer("heavyIterations", 0, 0, MAX_ITERATIONS)
        return self._accepted(self._report(heavy), "/tasks/reports")

    async def job(self, request: Request) -> Response:
        """Respond with the record of a job."""
        return Response(200, self._pool.get(request.params["id"]).json)

    async def stats(self, request: Request) -> Response:
        """Respond with how busy the workers are."""
        return Response(200, encode(self._pool.stats()))

    def _report(self, count: int) -> Job:
        return Job("report", count, self._store.snapshot)

    def _accepted(self, job: Job, path: str) -> Response:
        self._pool.submit(job)
        value = {"jobId": job.id, "statusPath": f"{path}/{job.id}"}
        return Response(202, encode(value), {"Location": f"{path}/{job.id}"})

    async def _result(self, job: Job) -> Response:
        try:
            await self._pool.submit(job).done.wait()
        finally:
            # If the client has left, no other client knows the job's id.
            self._pool.withdraw(job)
        if job.error is not None:
            raise ServiceUnavailable(job.error)
        return Response(200, encode(job.output))
