"""Metrics: what the server did and how it is, for Prometheus to fetch (`GET /metrics`).

    answer ─► CountingLog.add ─► plain counters ─┐
    change ─► Metrics.changed ─► plain counters ─┤
    commit ─► Metrics._committed ─► histograms ──┴─► collect, at a scrape ─► text

What happens often adds to a list or a dict and nothing else; the library makes text of it when
somebody asks, which takes a few milliseconds and does not depend on how many tasks there are. Its
own counters have a lock and a look-up of labels for each step, and would cost a request ten times
as much. So they are not used, but a collector of our own
(https://prometheus.github.io/client_python/collector/custom/).

Labels have few values, since each combination is kept for ever: a route is its template, and
what no route took shares one.
"""

import platform
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence, Sized
from itertools import accumulate
from typing import IO

import psutil
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
from taskflow.logs import AccessLog
from taskflow.store import Store
from taskflow.tasks import Change, Status
from taskflow.workers import WorkerPool

REQUEST_SECONDS = (0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0)  # few, for each route has them
COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
COMMIT_CHANGES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 1_000.0, 10_000.0)

NONE = "none"  # the label of a request that no route took, or that has no method
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Histogram:
    """How many values fell between which bounds, and their sum. To observe one is O(log bounds)."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)  # the last is for what is over all bounds
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value. A bound belongs to what is below it, as Prometheus has it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def add(self, other: "Histogram") -> None:
        """Count the values of another with the same bounds."""
        self.counts = [one + two for one, two in zip(self.counts, other.counts, strict=True)]
        self.sum += other.sum

    @property
    def count(self) -> int:
        """How many values were observed."""
        return sum(self.counts)

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """Each bound with how many values were not over it."""
        bounds = [*map(str, self.bounds), "+Inf"]
        return list(zip(bounds, accumulate(map(float, self.counts)), strict=True))


class CountingLog(AccessLog):
    """The access log, which hears of every answer, and counts them on the way."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(stream)
        self.answers: dict[tuple[str, str, int], Histogram] = {}  # by method, route and status
        self.sent: dict[str, int] = defaultdict(int)  # bytes of bodies, by route
        self.lost = 0  # lines that were dropped, but for those that take() has not told of

    def add(self, request: Request, response: Response, sent: int, seconds: float) -> None:
        """Count an answer, and keep its line. O(1), and never waits."""
        route = request.context.get("route", NONE)
        key = request.method, route, response.status
        if (histogram := self.answers.get(key)) is None:
            histogram = self.answers[key] = Histogram(REQUEST_SECONDS)
        histogram.observe(seconds)
        self.sent[route] += sent
        super().add(request, response, sent, seconds)

    def take(self) -> str:
        """Take out what is ready, and count what was dropped."""
        self.lost += self._dropped
        return super().take()

    @property
    def dropped(self) -> int:
        """How many lines were dropped since the start."""
        return self.lost + self._dropped


class Metrics(Collector):
    """Everything that is measured, and how it is told."""

    def __init__(self, log: CountingLog, store: Store, pool: WorkerPool, hub: Hub) -> None:
        self._log = log
        self._store = store
        self._pool = pool
        self._hub = hub
        self._process = psutil.Process()
        self.tasks: Counter[Status] = Counter()  # those that are stored, by status
        self.connections: Sized = ()  # of the server
        self._journal: Journal | None = None  # none if the tasks are kept in memory only
        self._commit_seconds = Histogram(COMMIT_SECONDS)
        self._commit_changes = Histogram(COMMIT_CHANGES)

    def routes(self) -> dict[str, Handler]:
        """Return the handlers by what they answer."""
        return {"GET /metrics": self.show}

    async def show(self, request: Request) -> Response:
        """Answer all metrics as text."""
        return Response(200, generate_latest(self), content_type=TEXT)

    # What is told to us, as it happens.

    def changed(self, changes: Sequence[Change]) -> None:
        """Count tasks that have changed. O(changes)."""
        for change in changes:
            if change.before is not None:
                self.tasks[change.before.status] -= 1
            if change.after is not None:
                self.tasks[change.after.status] += 1

    def follow(self, journal: Journal) -> None:
        """Count what is stored, and from now on what the journal stores. O(n)."""
        self.tasks.update(task.status for task in self._store.snapshot())
        journal.listeners.append(self.changed)
        journal.observers.append(self._committed)
        self._journal = journal

    def _committed(self, seconds: float, changes: int) -> None:
        self._commit_seconds.observe(seconds)
        self._commit_changes.observe(changes)

    # What is asked of us.

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics. O(routes + clients of WebSockets)."""
        yield from self._requests()
        yield from self._queue()
        yield from self._websockets()
        yield from self._commits()
        yield from self._process_itself()

    def _requests(self) -> Iterator[Metric]:
        name, about = "taskflow_http_requests", "Requests that were answered."
        requests = CounterMetricFamily(name, about, labels=["method", "route", "status"])
        by_route: dict[str, Histogram] = {}
        for (method, route, status), histogram in self._log.answers.items():
            requests.add_metric([method or NONE, route, str(status)], histogram.count)
            by_route.setdefault(route, Histogram(REQUEST_SECONDS)).add(histogram)
        yield requests
        name, about = "taskflow_http_request_duration_seconds", "From its head to its whole answer."
        durations = HistogramMetricFamily(name, about, labels=["route"])
        for route, histogram in by_route.items():
            durations.add_metric([route], histogram.buckets, histogram.sum)
        yield durations
        name, about = "taskflow_http_response_body_bytes", "Bytes of answers without their heads."
        sent = CounterMetricFamily(name, about, labels=["route"])
        for route, count in self._log.sent.items():
            sent.add_metric([route], count)
        yield sent
        yield gauge("http_connections", "Connections, WebSockets included.", len(self.connections))
        yield counter("access_log_dropped_lines", "Access lines not written.", self._log.dropped)

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
        failures = 0 if self._journal is None else self._journal.failures
        yield counter("journal_failures", "Commits that were not made.", failures)

    def _process_itself(self) -> Iterator[Metric]:
        """Yield what all programs tell, under the names that all of them use."""
        with self._process.oneshot():
            memory, cpu = self._process.memory_info(), self._process.cpu_times()
            started = self._process.create_time()
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
    """Return a value that only rises; in the text its name ends in `_total`."""
    return CounterMetricFamily(f"taskflow_{name}", about, value)
