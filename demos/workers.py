"""How long `/health` takes while the server computes: on its event loop, then in a worker.

    python3 -m course demo workers

A second thread asks for /health all the time. Only the answers that it waited for while the sum
was computed count.
"""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from statistics import median
from threading import Event, Thread

from stage import Client, perform, told

ITERATIONS = 3_000_000
SUMS = 4
PAUSE = 0.002  # seconds between two questions
IDLE = 0.5  # seconds


@dataclass(frozen=True, slots=True)
class Seen:
    """What /health took, in milliseconds, while something went on."""

    waits: list[float]

    @property
    def median(self) -> float:
        """Half of the answers took longer."""
        return median(self.waits)


def probe(address: str, over: Event, answers: list[tuple[float, float]]) -> None:
    """Ask for /health until it is over; note when each question was asked and answered."""
    client = Client(address)
    with suppress(HTTPException, OSError):  # the server has gone, and whoever started us will see
        while not over.is_set():
            asked = time.perf_counter()
            client.get("/health")
            answers.append((asked, time.perf_counter()))
            time.sleep(PAUSE)
    client.close()


def watched(address: str, work: Callable[[], None]) -> Seen:
    """Do something, and see how long /health takes meanwhile."""
    over, answers = Event(), list[tuple[float, float]]()
    prober = Thread(target=probe, args=(address, over, answers))
    prober.start()
    try:
        while not answers and prober.is_alive():
            time.sleep(PAUSE)
        begin = time.perf_counter()
        work()
        end = time.perf_counter()
    finally:
        over.set()
        prober.join()
    waits = [1e3 * (back - asked) for asked, back in answers if back >= begin and asked <= end]
    told(bool(waits), "/health answers")
    return Seen(waits)


def show(address: str) -> None:
    """Watch the server when it is idle, when its loop computes, and when a worker does."""
    client = Client(address)
    client.get("/demo/cpu/worker/run?iterations=1")  # now the worker has started
    print(f"/health while the server adds up {ITERATIONS:,} numbers, {SUMS} times\n")
    print("                      one sum   answers      median       worst", flush=True)

    def row(name: str, path: str = "") -> Seen:
        took = list[float]()

        def compute() -> None:
            for _ in range(SUMS):
                took.append(client.get(f"{path}?iterations={ITERATIONS}")["durationMs"])

        seen = watched(address, compute if path else lambda: time.sleep(IDLE))
        shown = f"{median(took):8.1f} ms" if took else ""
        cells = f"{shown:>11}{len(seen.waits):10}{seen.median:9.1f} ms{max(seen.waits):9.1f} ms"
        print(f"  {name:<16}{cells}", flush=True)
        return seen

    row("no sum at all")
    on_loop = row("on the loop", "/demo/cpu/blocking")
    in_worker = row("in a worker", "/demo/cpu/worker/run")
    client.close()
    told(in_worker.median < on_loop.median / 5, "beside a worker /health hardly waits")
    told(len(in_worker.waits) > len(on_loop.waits), "beside a worker more is answered")
    print("\nAs told: on the loop /health waits for the sum, beside a worker it hardly does.")


if __name__ == "__main__":
    perform(show, sys.argv[1])
