"""What a log line costs: three ways that write the same to a file, and one that writes nothing.

    PYTHONPATH=step06_errors python3 guides/examples/errors_logging.py

Measured in processor time, that of all threads, until the last line is written.
"""

import logging
import queue
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from logging.handlers import QueueHandler, QueueListener
from threading import Thread
from time import process_time, thread_time

from taskflow.http import Request, Response
from taskflow.logs import AccessLog, JsonFormatter

LINES = 1_000
ROUNDS = 40

REQUEST = Request("GET", "/tasks/00000000-0000-4000-8000-000000000001")
REQUEST.context["id"] = "00000000-0000-4000-8000-000000000002"
RESPONSE = Response(200, b"x" * 200)

Way = Callable[[FileIO], None]


@contextmanager
def logger_with(handler: logging.Handler) -> Iterator[logging.Logger]:
    """Give a logger that has this handler alone."""
    logger = logging.getLogger("access")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        logger.removeHandler(handler)


def log_all(logger: logging.Logger) -> None:
    """Log the request as many times as is measured."""
    for _ in range(LINES):
        logger.info(
            "%s %s %s %d %d %.2f",
            REQUEST.context["id"],
            REQUEST.method,
            REQUEST.path,
            RESPONSE.status,
            200,
            0.25,
        )


def nowhere(raw: FileIO) -> None:
    """Make each record, and drop it: what `logging` costs before anything is written."""
    with logger_with(logging.NullHandler()) as logger:
        log_all(logger)


def stream_handler(raw: FileIO) -> None:
    """Format and write each line where it is logged."""
    with open(raw.fileno(), "w", encoding="utf-8", closefd=False) as stream:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(JsonFormatter())
        with logger_with(handler) as logger:
            log_all(logger)


def queue_handler(raw: FileIO) -> None:
    """Put each record into a queue; a thread formats and writes it."""
    with open(raw.fileno(), "w", encoding="utf-8", closefd=False) as stream:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(JsonFormatter())
        waiting: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
        listener = QueueListener(waiting, handler)
        listener.start()
        with logger_with(QueueHandler(waiting)) as logger:
            log_all(logger)
        listener.stop()  # waits until the queue is empty


def access_log(raw: FileIO) -> None:
    """Keep each line ready, and write all of them together in a thread, as `AccessLog.run` does."""
    log = AccessLog(raw)
    writer = Thread(target=log.write)
    writer.start()
    for _ in range(LINES):
        log.add(REQUEST, RESPONSE, 200, 0.00025)
    log._ready.put(log.take())
    log._ready.put("")
    writer.join()


WAYS: dict[str, Way] = {
    "logging, to nowhere": nowhere,
    "logging, StreamHandler": stream_handler,
    "logging, QueueHandler": queue_handler,
    "the access log": access_log,
}


def cost(way: Way) -> tuple[float, float]:
    """Return the seconds that a line takes in the whole process, and in the thread that logs."""
    with (
        tempfile.TemporaryFile("wb", buffering=0) as file,
        FileIO(file.fileno(), "w", False) as raw,
    ):
        started, here = process_time(), thread_time()
        way(raw)
        return (process_time() - started) / LINES, (thread_time() - here) / LINES


def best_costs() -> dict[str, tuple[float, float]]:
    """Return the best of many short rounds, the ways in turn: a busy machine only adds to them."""
    best = dict.fromkeys(WAYS, (1.0, 1.0))
    for _ in range(ROUNDS):
        for name, way in WAYS.items():
            best[name] = min(best[name], cost(way))
    return best


def main() -> None:
    """Measure, print, and see that the order is as the guide says."""
    costs = best_costs()
    for name, (whole, part) in costs.items():
        here = f"{part * 1e6:.2f} µs of it where it is logged"
        print(f"{name + ':':23} {whole * 1e6:.2f} µs a line, {here}")
    nothing, direct, queued, ours = (whole for whole, _ in costs.values())
    assert queued > direct > 2 * ours, "the order is not as the guide says"
    assert nothing > ours, "a record alone should cost more than a line of the access log"
    print("The access log costs less than half of StreamHandler, and less than a bare record.")
    print("The queue costs most.")


if __name__ == "__main__":
    main()
