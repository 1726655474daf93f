"""Allocation sites: which lines of the program allocated the memory that is in use."""

import asyncio
import tracemalloc
from typing import Any

# Tracing stops this long after the last request for it.
TRACE_SECONDS = 60.0


class AllocationTracer:
    """tracemalloc on demand: it costs time and memory, so it runs only while it is asked for."""

    def __init__(self) -> None:
        self._stop: asyncio.TimerHandle | None = None
        self._busy = asyncio.Lock()

    async def top(self, count: int) -> list[dict[str, Any]]:
        """Return the lines that have allocated most since tracing began.

        The first call starts tracing and returns an empty list.
        """
        if self._stop is not None:
            self._stop.cancel()
        self._stop = asyncio.get_running_loop().call_later(TRACE_SECONDS, tracemalloc.stop)
        # A snapshot can take seconds, so one at a time is made, and in a thread.
        async with self._busy:
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
        {"site": str(line.traceback), "bytes": line.size, "blocks": line.count}
        for line in statistics
    ]
