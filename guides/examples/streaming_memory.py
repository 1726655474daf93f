"""The memory that an export needs: built whole, and in pieces. Counted by tracemalloc."""

import asyncio
import tracemalloc
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing

from taskflow.streaming import csv_table

MIB = 1024 * 1024


def rows(count: int) -> Iterator[tuple[int, str, int]]:
    """Yield made-up rows, made as they are taken."""
    return ((number, f"Task {number}", number % 10) for number in range(count))


async def whole(count: int) -> int:
    """Build the export, then send it; return its length."""
    async with aclosing(csv_table("id,title,priority", rows(count))) as pieces:
        body = b"".join([piece async for piece in pieces])
    return len(body)


async def in_pieces(count: int) -> int:
    """Send each piece when it is made, and forget it; return the length of all."""
    length = 0
    async with aclosing(csv_table("id,title,priority", rows(count))) as pieces:
        async for piece in pieces:
            length += len(piece)
    return length


def peak(way: Callable[[int], Coroutine[None, None, int]], count: int) -> tuple[float, float]:
    """Return the most that was allocated at once, and the length of the export, in MiB."""

    async def measure() -> tuple[int, int]:
        tracemalloc.start()
        length = await way(count)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most, length

    most, length = asyncio.run(measure())
    return most / MIB, length / MIB


def table() -> None:
    """Print the peaks for exports of three sizes."""
    print("| rows | the export has | peak, built whole | peak, in pieces |")
    print("| ---: | ---: | ---: | ---: |")
    for count in (100_000, 200_000, 300_000):
        at_once, length = peak(whole, count)
        small = peak(in_pieces, count)[0]
        assert small < 1, f"the pieces need {small:.1f} MiB"
        print(f"| {count:,} | {length:.0f} MiB | {at_once:.0f} MiB | less than 1 MiB |")
