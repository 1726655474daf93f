"""The clock of the measurements that run in one process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Stopwatch:
    """The seconds between begin and end of a `with stopwatch()`."""

    seconds: float = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Measure the processor's time: what else the machine does is no property of an algorithm."""
    watch = Stopwatch()
    begin = time.process_time()
    try:
        yield watch
    finally:
        watch.seconds = time.process_time() - begin
