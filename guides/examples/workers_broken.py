"""Kills one of the two workers of a `ProcessPoolExecutor`, and looks what else ends.

python3 guides/examples/workers_broken.py
"""

import multiprocessing
import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool


def nap(seconds: float) -> int:
    """Wait, and return which process it was."""
    time.sleep(seconds)
    return os.getpid()


def main() -> None:
    """Give six jobs to two workers, and kill one of them."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        one = pool.submit(nap, 0).result()
        jobs = [pool.submit(nap, 1) for _ in range(6)]
        time.sleep(0.3)
        os.kill(one, signal.SIGKILL)
        broken = sum(isinstance(job.exception(), BrokenProcessPool) for job in jobs)
        print(f"jobs that failed: {broken} of {len(jobs)}")
        try:
            pool.submit(nap, 0)
        except BrokenProcessPool:
            print("the pool takes no more jobs")


if __name__ == "__main__":
    main()
