"""Look-ups by id in a list (step 1) and in a dict (step 2), as tasks are added.

    python3 -m course demo lists [how many tasks …]

Both steps call their package `taskflow`, so each is measured in a process of its own: this script
again, with `measure`, and with that step first on its path.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from stage import perform, told
from storage_lookups import SIZES, compared, created, handlers

from taskflow.http import Handler, Request

ROUNDS = 100  # the fastest counts: the machine may have more to do than this
WIDTH = 40  # characters of the longest bar
EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True, slots=True)
class LookUp:
    """What it took to find the task that was created last."""

    comparisons: int
    seconds: float


async def measure(sizes: list[int]) -> list[tuple[int, float]]:
    """Look the last of so many tasks up, in the step that is on the path."""
    found = []
    for size in sizes:
        routes = handlers()
        last = (await created(routes["POST /tasks"], size))[-1]
        read = routes["GET /tasks/{id}"]
        found.append((await compared(read, last), await fastest(read, last)))
    return found


async def fastest(read: Handler, task_id: str) -> float:
    """Return the seconds of the fastest of many look-ups."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        await read(Request("GET", params={"id": task_id}))
        best = min(best, time.perf_counter() - started)
    return best


def measured(step: Path, sizes: list[int]) -> list[LookUp]:
    """Measure a step, in another process."""
    path = os.pathsep.join([str(step), os.environ["PYTHONPATH"]])
    command = [sys.executable, __file__, "measure", *map(str, sizes)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, check=False, env={**os.environ, "PYTHONPATH": path}
    )
    told(done.returncode == 0, f"{step.name} can be measured")
    return [LookUp(*one) for one in json.loads(done.stdout)]


def bar(value: int, largest: int) -> str:
    """Draw a number; an eighth of a character is the least, so that something can be seen."""
    eighths = max(1, round(8 * WIDTH * value / largest))
    return ("█" * (eighths // 8) + EIGHTHS[eighths % 8]).rstrip()


def show(step1: Path, step2: Path, sizes: list[int]) -> None:
    """Measure both, and print a table and bars."""
    print("One look-up by id, of the task created last: ids compared, and time\n", flush=True)
    in_list, in_dict = measured(step1, sizes), measured(step2, sizes)
    rows = list(zip(sizes, in_list, in_dict, strict=True))
    print("   tasks      a list (step 1)       a dict (step 2)")
    for size, *both in rows:
        cells = [f"{one.comparisons:10,} {one.seconds * 1e6:8.1f} µs" for one in both]
        print(f"{size:8,}{''.join(cells)}")

    print("\nIds compared, all bars to one scale\n")
    for size, one, other in rows:
        print(f"{size:8,}  list  {bar(one.comparisons, sizes[-1])}")
        print(f"          dict  {bar(other.comparisons, sizes[-1])}")

    told([one.comparisons for one in in_list] == sizes, "the list compares every id, O(n)")
    told(all(one.comparisons == 1 for one in in_dict), "the dict compares one id, O(1)")
    ratio = in_list[-1].seconds / in_dict[-1].seconds
    told(ratio > 1 or sizes[-1] < 100, "among many tasks the dict is faster")
    print(f"\nAmong {sizes[-1]:,} tasks the list took {ratio:,.0f} times as long as the dict.")
    print("As told: the list compares as many ids as there are tasks, the dict one.")


if __name__ == "__main__":
    if sys.argv[1] == "measure":
        print(json.dumps(asyncio.run(measure([int(word) for word in sys.argv[2:]]))))
    else:
        wanted = sorted({int(word) for word in sys.argv[3:]}) or list(SIZES)
        perform(show, Path(sys.argv[1]), Path(sys.argv[2]), wanted)
