"""Memory: what the process holds, what may grow and how far, and a leak to watch.

Everything that grows with use has a bound here: histories are deques that drop their oldest entry,
and the cache evicts what was least recently used. The one list without a bound is the leak demo,
and even that stops at MAX_LEAK_BYTES.
"""

import asyncio
import gc
import tracemalloc
from collections import OrderedDict, deque
from typing import Any

import psutil

from taskflow.codec import encode, utc_now
from taskflow.errors import InsufficientPermissions, ValidationError
from taskflow.events import MAX_EVENTS, Events
from taskflow.http import Handler, Request, Response
from taskflow.middleware import Role
from taskflow.query import Query

HISTORY_LENGTH = 1_000  # entries
CACHE_ENTRIES = 100
MAX_LEAK_BYTES = 256 * 1024 * 1024
TRACE_SECONDS = 60.0  # how long tracing goes on after the last question


class History:
    """The last requests. A new entry pushes the oldest out: O(1), in O(1) memory."""

    def __init__(self) -> None:
        self.requests: deque[tuple[str, str, int]] = deque(maxlen=HISTORY_LENGTH)

    def answered(self, request: Request, response: Response) -> None:
        """Note an answer."""
        self.requests.append((request.context["id"], request.path[:200], response.status))


class BoundedCache:
    """Values by key; when it is full, the least recently used gives way. All in O(1)."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._entries: OrderedDict[str, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> bytes | None:
        """Return a value, which thereby becomes the most recently used."""
        if key in self._entries:
            self._entries.move_to_end(key)
        return self._entries.get(key)

    def put(self, key: str, value: bytes) -> None:
        """Add or replace a value, evicting the least recently used if there is no room."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self.capacity:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()


class AllocationTracer:
    """tracemalloc on demand: it costs time and memory, so it runs only while somebody looks."""

    def __init__(self) -> None:
        self._stop: asyncio.TimerHandle | None = None
        self._busy = asyncio.Lock()

    async def top(self, count: int) -> list[dict[str, Any]]:
        """Return where most memory was allocated since tracing began; nothing on the first call."""
        if self._stop is not None:
            self._stop.cancel()
        self._stop = asyncio.get_running_loop().call_later(TRACE_SECONDS, tracemalloc.stop)
        async with self._busy:  # one snapshot at a time, and most of its work not on the loop
            if tracemalloc.is_tracing():
                return await asyncio.to_thread(_top_sites, count)
            tracemalloc.start()
            return []

    def close(self) -> None:
        """Stop tracing."""
        if self._stop is not None:
            self._stop.cancel()
        tracemalloc.stop()


def _top_sites(count: int) -> list[dict[str, Any]]:
    statistics = tracemalloc.take_snapshot().statistics("lineno")[:count]
    return [
        {"site": str(found.traceback), "bytes": found.size, "blocks": found.count}
        for found in statistics
    ]


class LeakDemo:
    """A list that only grows beside a cache that cannot."""

    def __init__(self) -> None:
        self.leaked: list[bytes] = []
        self.leaked_bytes = 0
        self.cache = BoundedCache(CACHE_ENTRIES)

    def leak(self, count: int, size: int) -> None:
        """Keep more for ever. Raises ValidationError over MAX_LEAK_BYTES in all."""
        if self.leaked_bytes + count * size > MAX_LEAK_BYTES:
            raise ValidationError("count", f"would leak more than {MAX_LEAK_BYTES} bytes in all")
        self.leaked += [b"x" * size for _ in range(count)]
        self.leaked_bytes += count * size

    def keep(self, count: int, size: int) -> None:
        """Keep as much in the cache, which drops what is too much."""
        for number in range(count):
            self.cache.put(f"{utc_now()} {number}", b"x" * size)

    def clear(self) -> None:
        """Let go of all of it."""
        self.leaked.clear()
        self.leaked_bytes = 0
        self.cache.clear()


def process_memory() -> dict[str, Any]:
    """Return what the system and the cycle collector say of this process, in bytes and counts."""
    memory = psutil.Process().memory_info()
    return {
        "process": {"residentBytes": memory.rss, "virtualBytes": memory.vms},
        "collector": {"enabled": gc.isenabled(), "counts": gc.get_count(), "stats": gc.get_stats()},
    }


class MemoryRoutes:
    """What the server says of its memory, and the demo of a leak."""

    def __init__(self, history: History, events: Events, tracer: AllocationTracer) -> None:
        self._history = history
        self._events = events
        self._tracer = tracer
        self._demo = LeakDemo()

    def routes(self) -> dict[str, Handler]:
        """Return the handlers by what they answer."""
        return {
            "GET /tasks/system/memory": self.report,
            "POST /tasks/memory/leak": self.leak,
            "POST /tasks/memory/safe": self.keep,
            "POST /tasks/memory/clear": self.clear,
        }

    async def report(self, request: Request) -> Response:
        """Answer how much memory there is in what; with `top`, an admin also learns where from."""
        query = Query(request.query)
        report = process_memory() | {"bounded": self._bounded()}
        if query.text("top") is not None:
            if request.context["role"] is not Role.ADMIN:
                raise InsufficientPermissions("top needs the admin token")
            report["top"] = await self._tracer.top(query.integer("top", 10, 1, 100))
            report["tracing"] = True
        return Response(200, encode(report))

    def _bounded(self) -> dict[str, dict[str, int]]:
        return {
            "requests": {"size": len(self._history.requests), "limit": HISTORY_LENGTH},
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


def _count_and_size(request: Request) -> tuple[int, int]:
    query = Query(request.query)
    return query.integer("count", 100, 1, 1_000), query.integer("sizeKb", 8, 1, 1_024) * 1024
