"""Counts for guide 7: a dict as a cache beside the bounded one."""

from random import Random

from deps_release import row, table

from taskflow.cache import BoundedCache
from taskflow.leak_demo import CACHE_ENTRIES

LOOKUPS = (1_000, 10_000, 100_000)
POPULAR = 50


def keys(count: int) -> list[str]:
    """Return what is asked for: four of five times one of the popular, else something new."""
    random = Random(7)
    return [
        f"popular {random.randrange(POPULAR)}" if random.random() < 0.8 else f"rare {number}"
        for number in range(count)
    ]


def compare() -> None:
    """Print how often each has the answer, and how many answers it keeps for that."""
    table("look-ups", "found in a dict", "it holds", "found in ours", "it holds")
    for count in LOOKUPS:
        everything: dict[str, bytes] = {}
        cache: BoundedCache[bytes] = BoundedCache(CACHE_ENTRIES)
        hits = bounded_hits = 0
        for key in keys(count):
            hits += key in everything
            everything[key] = b"x"
            bounded_hits += cache.get(key) is not None
            cache.put(key, b"x")
        row(
            f"{count:,}",
            f"{hits / count:.1%}",
            f"{len(everything):,}",
            f"{bounded_hits / count:.1%}",
            f"{len(cache):,}",
        )
