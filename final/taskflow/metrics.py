"""Metrics: what the server has done and how it is, for Prometheus to fetch (`GET /metrics`).

    response ─► answered ─► plain counters ─┐
    store, journal, pool, hub: their own ───┴─► collect, at a scrape ─► text

Every part counts what it does. Only requests are counted here, in a list or a dict. The library
turns the numbers into text at a scrape, which takes a few milliseconds, however many tasks there
are. Its own counters have a lock and a look-up of labels for each step, and would cost a request
ten times as much, so there is a custom collector instead
(https://prometheus.github.io/client_python/collector/custom/).

Labels have few values, because each combination is kept until the server stops. A route is its
template, and requests without a route share one value.
"""

import platform
from collections import defaultdict
from collections.abc import Iterator, Sized

from prometheus_client import Metric, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from taskflow.config import VERSION
from taskflow.histogram import Histogram
from taskflow.http import Handler, Request, Response
from taskflow.hub import Hub
from taskflow.journal import COMMIT_CHANGES, COMMIT_SECONDS, Journal
from taskflow.logs import AccessEntry, LogWriter
from taskflow.store import Store
from taskflow.tasks import Status
from taskflow.workers import WorkerPool

# Few, because each route has all of them.
REQUEST_SECONDS = (0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0)

# The label of a request without a route or without a method.
NONE = "none"
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Metrics(Collector):
    """Everything that is counted and measured."""

    def __init__(self, log: LogWriter, store: Store, pool: WorkerPool, hub: Hub) -> None:
        self._log = log
        self._store = store
        self._pool = pool
        self._hub = hub

        # The connections of the server.
        self.connections: Sized = ()

        # None if the tasks are kept in memory only.
        self.journal: Journal | None = None

        # Durations by method, route and status, and bytes of bodies by route.
        self._responses: dict[tuple[str, str, int], Histogram] = {}
        self._sent: dict[str, int] = defaultdict(int)

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
            tasks.add_metric([status], self._store.counts[status])
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
        seconds = Histogram(COMMIT_SECONDS)
        sizes = Histogram(COMMIT_CHANGES)
        failures = 0
        if self.journal is not None:
            seconds = self.journal.commit_seconds
            sizes = self.journal.commit_changes
            failures = self.journal.failures
        yield histogram("journal_commit_duration_seconds", "Time of a commit.", seconds)
        yield histogram("journal_commit_changes", "Changes that shared a commit.", sizes)
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


def histogram(name: str, about: str, values: Histogram) -> Metric:
    """Return the number of values up to each bound."""
    family = HistogramMetricFamily(f"taskflow_{name}", about)
    family.add_metric([], values.buckets, values.sum)
    return family


def counter(name: str, about: str, value: float) -> Metric:
    """Return a value that only rises. In the text its name ends in `_total`."""
    return CounterMetricFamily(f"taskflow_{name}", about, value)
