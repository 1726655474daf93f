"""The leak demo: a list that only grows, beside a cache that cannot."""

from taskflow.cache import BoundedCache
from taskflow.clock import utc_now
from taskflow.errors import ValidationError

CACHE_ENTRIES = 100

# Even this leak ends.
MAX_LEAK_BYTES = 256 * 1024 * 1024


class LeakDemo:
    """Memory that is kept for no purpose, with a bound and almost without one."""

    def __init__(self) -> None:
        self.leaked: list[bytes] = []
        self.leaked_bytes = 0
        self.cache: BoundedCache[bytes] = BoundedCache(CACHE_ENTRIES)

    def leak(self, count: int, size: int) -> None:
        """Keep `count` values of `size` bytes. Raises ValidationError over MAX_LEAK_BYTES."""
        if self.leaked_bytes + count * size > MAX_LEAK_BYTES:
            raise ValidationError("count", f"would leak more than {MAX_LEAK_BYTES} bytes in all")
        self.leaked += [b"x" * size for _ in range(count)]
        self.leaked_bytes += count * size

    def keep(self, count: int, size: int) -> None:
        """Put as many values into the cache, which evicts what is too much."""
        for number in range(count):
            self.cache.put(f"{utc_now()} {number}", b"x" * size)

    def clear(self) -> None:
        """Let go of everything."""
        self.leaked.clear()
        self.leaked_bytes = 0
        self.cache.clear()
