"""Pings a server of step 8 while it computes: on its event loop, then in a worker.

python3 guides/examples/workers_ping.py localhost:3000
"""

import json
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from threading import Event, Thread

HEADERS = {"Authorization": "Bearer secret-admin-123"}
ITERATIONS = 5_000_000  # the most that the server computes on its loop


def get(connection: HTTPConnection, path: str) -> dict[str, float]:
    """Return what the server answers."""
    connection.request("GET", path, headers=HEADERS)
    answer: dict[str, float] = json.load(connection.getresponse())
    return answer


def ping(host: str, over: Event, waits: list[float]) -> None:
    """Ping, one at a time, and note how long each answer took, until it is over."""
    with closing(HTTPConnection(host)) as connection:
        while not over.is_set():
            started = time.perf_counter()
            get(connection, "/demo/cpu/ping")
            waits.append(time.perf_counter() - started)
            time.sleep(0.002)


def watch(host: str, name: str, path: str) -> None:
    """Ping while the server computes, and print what the pings saw of it."""
    over, waits = Event(), list[float]()
    pings = Thread(target=ping, args=(host, over, waits))
    with closing(HTTPConnection(host)) as connection:
        pings.start()
        while not waits:
            time.sleep(0.001)
        before = len(waits)
        job = get(connection, f"{path}?iterations={ITERATIONS}")
        answered = len(waits) - before
    over.set()
    pings.join()
    few = "at most 2" if answered <= 2 else "more than 20" if answered > 20 else str(answered)
    print(f"{name}: the job takes {job['durationMs']:.0f} ms")
    print(f"  pings answered meanwhile: {few}")
    print(f"  the slowest ping took {max(waits) * 1000:.1f} ms")


if __name__ == "__main__":
    host = sys.argv[1]
    with closing(HTTPConnection(host)) as connection:
        get(connection, "/demo/cpu/worker/run?iterations=1")  # now the worker has started
    watch(host, "on the event loop", "/demo/cpu/blocking")
    watch(host, "in a worker", "/demo/cpu/worker/run")
