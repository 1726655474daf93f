"""The endpoints about memory: what the process holds, its histories, and the leak demo."""

import gc
from typing import Any

from taskflow.allocations import AllocationTracer
from taskflow.codec import encode
from taskflow.context import Role
from taskflow.errors import InsufficientPermissions
from taskflow.events import MAX_EVENTS, Events
from taskflow.history import HISTORY_LENGTH, History
from taskflow.http import Handler, Request, Response
from taskflow.leak_demo import CACHE_ENTRIES, MAX_LEAK_BYTES, LeakDemo
from taskflow.logs import AccessEntry
from taskflow.query import Query


class MemoryRoutes:
    """The endpoints under `/tasks/system` and `/tasks/memory`."""

    def __init__(self, history: History, events: Events, tracer: AllocationTracer) -> None:
        self._history = history
        self._events = events
        self._tracer = tracer
        self._demo = LeakDemo()

    def routes(self) -> dict[str, Handler]:
        """Return the handlers by method and path."""
        return {
            "GET /tasks/system/memory": self.report,
            "GET /tasks/system/requests": self.requests,
            "POST /tasks/memory/leak": self.leak,
            "POST /tasks/memory/safe": self.keep,
            "POST /tasks/memory/clear": self.clear,
        }

    async def report(self, request: Request) -> Response:
        """Respond with the memory in use and, for an admin with `top`, the lines that took it."""
        query = Query(request.query)
        report = process_memory() | {"bounded": self._bounded()}
        if query.text("top") is not None:
            if request.context.role is not Role.ADMIN:
                raise InsufficientPermissions("top needs the admin token")
            report["top"] = await self._tracer.top(query.integer("top", 10, 1, 100))
            report["tracing"] = True
        return Response(200, encode(report))

    async def requests(self, request: Request) -> Response:
        """Respond with the last requests, the newest first."""
        limit = Query(request.query).integer("limit", 100, 1, HISTORY_LENGTH)
        return Response(200, encode([_shown(entry) for entry in self._history.latest(limit)]))

    def _bounded(self) -> dict[str, dict[str, int]]:
        return {
            "requests": {"size": len(self._history), "limit": HISTORY_LENGTH},
            "events": {"size": len(self._events.history), "limit": MAX_EVENTS},
            "cache": {"size": len(self._demo.cache), "limit": CACHE_ENTRIES},
            "leakedBytes": {"size": self._demo.leaked_bytes, "limit": MAX_LEAK_BYTES},
        }

    async def leak(self, request: Request) -> Response:
        """Keep memory and never let go of it."""
        self._demo.leak(*_count_and_size(request))
        return self._sizes(201)

    async def keep(self, request: Request) -> Response:
        """Keep memory within a bound."""
        self._demo.keep(*_count_and_size(request))
        return self._sizes(201)

    async def clear(self, request: Request) -> Response:
        """Let go of both."""
        self._demo.clear()
        return self._sizes(200)

    def _sizes(self, status: int) -> Response:
        return Response(status, encode(self._bounded() | process_memory()))


def process_memory() -> dict[str, Any]:
    """Return what the system and the cycle collector report, in bytes and counts."""
    # Imported here, so that only a program that looks at its memory loads the library.
    import psutil  # noqa: PLC0415

    memory = psutil.Process().memory_info()
    return {
        "process": {"residentBytes": memory.rss, "virtualBytes": memory.vms},
        "collector": {"enabled": gc.isenabled(), "counts": gc.get_count(), "stats": gc.get_stats()},
    }


def _shown(entry: AccessEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "method": entry.method,
        "path": entry.path,
        "status": entry.status,
        "durationMs": round(entry.seconds * 1000, 2),
        "timestamp": entry.timestamp,
        "role": entry.role,
    }


def _count_and_size(request: Request) -> tuple[int, int]:
    query = Query(request.query)
    return query.integer("count", 100, 1, 1_000), query.integer("sizeKb", 8, 1, 1_024) * 1024
