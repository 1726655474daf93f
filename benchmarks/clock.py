"""The clock of the measurements that run in one process."""

from __future__ import annotations

import gc
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
    """Measure the processor's time, with the cycle collector off.

    Processor time, because what else the machine does at the moment is no property of an
    algorithm. The collector is off as in `timeit`: when it happens to run depends on what was
    allocated before, and it would charge one contestant for the garbage of the set-up.
    """
    gc.collect()
    gc.disable()
    watch = Stopwatch()
    begin = time.process_time()
    try:
        yield watch
    finally:
        watch.seconds = time.process_time() - begin
        gc.enable()
