"""Metrics: what the server has done and how it is, for Prometheus to fetch (`GET /metrics`).

    response ─► answered ─► plain counters ─┐
    change ───► changed ──► plain counters ─┤
    commit ───► committed ─► histograms ────┴─► collect, at a scrape ─► text

Frequent events only add to a list or a dict. The library turns the numbers into text at a scrape,
which takes a few milliseconds, however many tasks there are. Its own counters have a lock and a
look-up of labels for each step, and would cost a request ten times as much, so there is a collector
of our own instead (https://prometheus.github.io/client_python/collector/custom/).

Labels have few values, because each combination is kept for ever. A route is its template, and
requests without a route share one value.
"""

import platform
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import accumulate

from prometheus_client import Metric, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from taskflow.config import VERSION
from taskflow.http import Handler, Request, Response
from taskflow.hub import Hub
from taskflow.journal import Journal
from taskflow.logs import AccessEntry, LogWriter
from taskflow.store import Store
from taskflow.tasks import Change, Status, Task
from taskflow.workers import WorkerPool

# Few, because each route has all of them.
REQUEST_SECONDS = (0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0)
COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
COMMIT_CHANGES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 1_000.0, 10_000.0)

# The label of a request without a route or without a method.
NONE = "none"
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Histogram:
    """The number of values between each two bounds, and their sum. A new value is O(log bounds)."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        # The last is for values over all bounds.
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value. A value that equals a bound counts as below it, as in Prometheus."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def add(self, other: "Histogram") -> None:
        """Count the values of another with the same bounds."""
        self.counts = [sum(pair) for pair in zip(self.counts, other.counts, strict=True)]
        self.sum += other.sum

    @property
    def count(self) -> int:
        """The number of values."""
        return sum(self.counts)

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """Each bound, with the number of values that are not over it."""
        bounds = [*map(str, self.bounds), "+Inf"]
        return list(zip(bounds, accumulate(map(float, self.counts)), strict=True))


class Metrics(Collector):
    """Everything that is counted and measured."""

    def __init__(self, log: LogWriter, store: Store, pool: WorkerPool, hub: Hub) -> None:
        self._log = log
        self._store = store
        self._pool = pool
        self._hub = hub

        # Stored tasks, by status.
        self.tasks: Counter[Status] = Counter()

        # The connections of the server.
        self.connections: Sized = ()

        # None if the tasks are kept in memory only.
        self.journal: Journal | None = None

        # Durations by method, route and status, and bytes of bodies by route.
        self._responses: dict[tuple[str, str, int], Histogram] = {}
        self._sent: dict[str, int] = defaultdict(int)
        self._commit_seconds = Histogram(COMMIT_SECONDS)
        self._commit_changes = Histogram(COMMIT_CHANGES)

    def routes(self) -> dict[str, Handler]:
        """Return the handlers by method and path."""
        return {"GET /metrics": self.show}

    async def show(self, request: Request) -> Response:
        """Respond with all metrics as text."""
        return Response(200, generate_latest(self), content_type=TEXT)

    # Called when something happens.

    def answered(self, entry: AccessEntry) -> None:
        """Count a response. RequestLog calls this. O(1)."""
        route = entry.route or NONE
        key = (entry.method, route, entry.status)
        histogram = self._responses.get(key)
        if histogram is None:
            histogram = self._responses[key] = Histogram(REQUEST_SECONDS)
        histogram.observe(entry.seconds)
        self._sent[route] += entry.sent

    def count_stored(self, tasks: Iterable[Task]) -> None:
        """Count the tasks that are stored at the start. O(n)."""
        self.tasks.update(task.status for task in tasks)

    def changed(self, changes: Sequence[Change]) -> None:
        """Count changed tasks. Without a journal, the store calls this. O(changes)."""
        for change in changes:
            if change.before is not None:
                self.tasks[change.before.status] -= 1
            if change.after is not None:
                self.tasks[change.after.status] += 1

    def committed(self, seconds: float, changes: Sequence[Change]) -> None:
        """Count a commit and its changes. The journal calls this. O(changes)."""
        self._commit_seconds.observe(seconds)
        self._commit_changes.observe(len(changes))
        self.changed(changes)

    # Called at a scrape.

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics. O(routes + clients of WebSockets)."""
        yield from self._requests()
        yield from self._queue()
        yield from self._websockets()
        yield from self._commits()
        yield from self._process_itself()

    def _requests(self) -> Iterator[Metric]:
        name = "taskflow_http_requests"
        about = "Requests, including those whose client left before the response."
        requests = CounterMetricFamily(name, about, labels=["method", "route", "status"])
        by_route: dict[str, Histogram] = {}
        for (method, route, status), histogram in self._responses.items():
            requests.add_metric([method or NONE, route, str(status)], histogram.count)
            by_route.setdefault(route, Histogram(REQUEST_SECONDS)).add(histogram)
        yield requests
        name = "taskflow_http_request_duration_seconds"
        about = "From the head of a request to the end of its response."
        durations = HistogramMetricFamily(name, about, labels=["route"])
        for route, histogram in by_route.items():
            durations.add_metric([route], histogram.buckets, histogram.sum)
        yield durations
        name = "taskflow_http_response_body_bytes"
        about = "Bytes of responses without their heads."
        sent = CounterMetricFamily(name, about, labels=["route"])
        for route, count in self._sent.items():
            sent.add_metric([route], count)
        yield sent
        yield gauge("http_connections", "Connections, WebSockets included.", len(self.connections))
        yield counter(
            "access_log_dropped_lines", "Access lines not written.", self._log.dropped_in_all
        )

    def _queue(self) -> Iterator[Metric]:
        tasks = GaugeMetricFamily("taskflow_tasks", "Tasks by status.", labels=["status"])
        for status in Status:
            tasks.add_metric([status], self.tasks[status])
        yield tasks
        yield gauge("ready_tasks", "Tasks that can be claimed.", self._store.ready_count)
        pool = self._pool.stats()
        yield gauge("workers", "Worker processes that there may be.", pool["workers"])
        yield gauge("workers_busy", "Workers that have a job.", pool["running"])
        yield gauge("jobs_queued", "Jobs that wait for a worker.", pool["queued"])
        yield counter("worker_restarts", "Workers ended for their job's sake.", pool["restarts"])

    def _websockets(self) -> Iterator[Metric]:
        hub = self._hub.stats()
        yield gauge("websocket_clients", "Clients that listen.", hub["clients"])
        about = "Messages that clients were sent."
        yield counter("websocket_delivered_messages", about, hub["delivered"])
        about = "Messages for clients that did not take them."
        yield counter("websocket_dropped_messages", about, hub["dropped"])

    def _commits(self) -> Iterator[Metric]:
        for name, about, values in (
            ("commit_duration_seconds", "Time of a commit.", self._commit_seconds),
            ("commit_changes", "Changes that shared a commit.", self._commit_changes),
        ):
            family = HistogramMetricFamily(f"taskflow_journal_{name}", about)
            family.add_metric([], values.buckets, values.sum)
            yield family
        failures = 0 if self.journal is None else self.journal.failures
        yield counter("journal_failures", "Commits that were not made.", failures)

    def _process_itself(self) -> Iterator[Metric]:
        """Yield the metrics of any process, under their usual names."""
        # Imported here, so that only a scrape loads the library.
        import psutil  # noqa: PLC0415

        process = psutil.Process()
        with process.oneshot():
            memory = process.memory_info()
            cpu = process.cpu_times()
            started = process.create_time()
        for name, about, value in (
            ("process_resident_memory_bytes", "Memory that is held.", memory.rss),
            ("process_virtual_memory_bytes", "Memory that is mapped.", memory.vms),
            ("process_start_time_seconds", "When the process began (Unix time).", started),
        ):
            yield GaugeMetricFamily(name, about, value)
        about = "Processor time, without that of the workers."
        yield CounterMetricFamily("process_cpu_seconds", about, cpu.user + cpu.system)
        build = {"version": VERSION, "python": platform.python_version()}
        yield InfoMetricFamily("taskflow_build", "Which program this is.", build)


def gauge(name: str, about: str, value: float) -> Metric:
    """Return a value that goes up and down."""
    return GaugeMetricFamily(f"taskflow_{name}", about, value)


def counter(name: str, about: str, value: float) -> Metric:
    """Return a value that only rises. In the text its name ends in `_total`."""
    return CounterMetricFamily(f"taskflow_{name}", about, value)
