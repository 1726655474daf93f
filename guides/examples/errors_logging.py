"""What a log line costs: four ways that write lines to a file, and one that writes nothing.

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
from time import process_time, thread_time

from taskflow.clock import utc_now
from taskflow.logs import AccessEntry, AccessLog, JsonFormatter, LogWriter

LINES = 1_000
ROUNDS = 40

PATH = "/tasks/00000000-0000-4000-8000-000000000001"
REQUEST_ID = "00000000-0000-4000-8000-000000000002"

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
        logger.info("%s %s %s %d %d %.2f", REQUEST_ID, "GET", PATH, 200, 200, 0.25)


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


def log_writer(raw: FileIO) -> None:
    """Format each record where it is logged, and write all lines together in a thread.

    The step does so with its own records.
    """
    writer = LogWriter(raw)
    handler = logging.StreamHandler(writer)
    handler.setFormatter(JsonFormatter())
    with writer.running(), logger_with(handler) as logger:
        log_all(logger)


def access_log(raw: FileIO) -> None:
    """Make each line without a record. The step does so with its access lines."""
    writer = LogWriter(raw)
    log = AccessLog(writer)
    with writer.running():
        for _ in range(LINES):
            log.add(AccessEntry(REQUEST_ID, utc_now(), "GET", PATH, 200, 200, 0.00025, "127.0.0.1"))


WAYS: dict[str, Way] = {
    "logging, to nowhere": nowhere,
    "logging, StreamHandler": stream_handler,
    "logging, QueueHandler": queue_handler,
    "logging, LogWriter": log_writer,
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
    _, direct, queued, together, ours = (whole for whole, _ in costs.values())
    assert queued > direct, "the queue should cost most"
    assert 2 * direct > 3 * ours, "the access log should cost less than two thirds"
    assert together - ours > direct - together, "the record should cost more than the single writes"
    print("The access log costs less than two thirds of StreamHandler. The queue costs most.")
    print("Making no record saves more than writing the lines together.")


if __name__ == "__main__":
    main()
