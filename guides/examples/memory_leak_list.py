"""Leak 1: a list without a bound, found by comparing two snapshots of tracemalloc.

python3 guides/examples/memory_leak_list.py
"""

import linecache
import tracemalloc
from pathlib import Path

seen: list[str] = []  # "only for debugging"


def handle(number: int) -> int:
    """Answer a request."""
    line = f"GET /tasks/{number} " + "x" * 1000
    seen.append(line)
    return len(line)


def main() -> None:
    """Take a snapshot, serve for a while, take another; then see what has grown most."""
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    for number in range(10_000):
        handle(number)
    after = tracemalloc.take_snapshot()
    most = after.compare_to(before, "lineno")[0]
    place = most.traceback[0]
    print(f"{Path(place.filename).name}, line {place.lineno}:")
    print(f"    {linecache.getline(place.filename, place.lineno).strip()}")
    print(f"{most.count_diff:,} blocks more, {most.size_diff / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
