"""Measures how many cores work when a job is done twice: in turn, in two threads, in two processes.

    PYTHONPATH=step08_workers python3 guides/examples/workers_threads.py

Three kinds of job: our sum, which is Python all the way; a hash of many bytes, which is one long
call into C; and a wait. The time on a processor divided by the time on the clock is the number of
cores that worked. The best of some rounds counts. On a machine that has more to do than this, two
cores are free only for moments, so after a few rounds the jobs get shorter.
"""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from threading import Thread

from taskflow.worker_process import cpu_sum

ITERATIONS = 300_000
HASHED = memoryview(bytes(32 * 1024 * 1024))
WAIT = 0.05  # seconds
LONG, ROUNDS = 5, 1_000  # so many rounds are long; so many there are at most
ONE, MORE = 0.8, 1.3  # cores at work: enough to call it one, and more than one

Job = Callable[[float], object]  # it gets the part that is to be done: 1, or less
Child = subprocess.Popen[str]


def compute(part: float) -> None:
    """Compute a sum."""
    cpu_sum(int(ITERATIONS * part))


def make_hash(part: float) -> None:
    """Hash many bytes in one call, which gives the GIL away meanwhile."""
    hashlib.sha256(HASHED[: int(len(HASHED) * part)]).digest()


def wait(part: float) -> None:
    """Wait, as for an answer from the network."""
    time.sleep(WAIT * part)


def in_turn(job: Job, part: float) -> float:
    """Do the job twice; return the seconds on a processor."""
    before = time.process_time()
    job(part)
    job(part)
    return time.process_time() - before


def in_threads(job: Job, part: float) -> float:
    """Do the job twice, in two threads; return the seconds on a processor."""
    before = time.process_time()
    threads = [Thread(target=job, args=(part,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.process_time() - before


def in_processes(children: list[Child], part: float) -> float:
    """Let each child compute the sum; return the seconds on a processor."""
    for child in children:
        assert child.stdin is not None
        print(part, file=child.stdin, flush=True)
    return sum(float(child.stdout.readline()) for child in children if child.stdout is not None)


def be_a_child() -> None:
    """Compute a sum for each line of input, and answer how long it took."""
    for line in sys.stdin:
        before = time.process_time()
        compute(float(line))
        print(time.process_time() - before, flush=True)


def measure(work: Callable[[float], float], enough: float) -> tuple[float, float]:
    """Return the seconds of the first round, and the most cores that worked in one of them."""
    first = most = 0.0
    for number in range(ROUNDS):
        time.sleep(0.01)
        started = time.perf_counter()
        used = work(1 if number < LONG else 0.05)
        seconds = time.perf_counter() - started
        first, most = first or seconds, max(most, used / seconds)
        if most >= enough and (number >= LONG or most > MORE):
            break
    return first, most


def compare() -> None:
    """Print the table."""
    with ExitStack() as stack:
        command = (sys.executable, __file__, "child")
        start = partial(subprocess.Popen[str], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        children = [stack.enter_context(start(command, text=True)) for _ in range(2)]
        in_processes(children, 0)  # now both have started
        more = MORE if os.cpu_count() != 1 else ONE
        table = {
            "our sum, in turn": measure(partial(in_turn, compute), ONE),
            "our sum, in two threads": measure(partial(in_threads, compute), ONE),
            "our sum, in two processes": measure(partial(in_processes, children), more),
            "a hash, in turn": measure(partial(in_turn, make_hash), ONE),
            "a hash, in two threads": measure(partial(in_threads, make_hash), more),
            "a wait, in turn": measure(partial(in_turn, wait), 0),
            "a wait, in two threads": measure(partial(in_threads, wait), 0),
        }
    print("| two jobs | took | cores at work |")
    print("| --- | ---: | ---: |")
    for name, (seconds, cores) in table.items():
        shown = "more than 1" if cores > MORE else round(cores)
        print(f"| {name} | {seconds * 1000:.0f} ms | {shown} |")


if __name__ == "__main__":
    be_a_child() if "child" in sys.argv else compare()
