"""Forks a process while a thread holds a lock, as a log handler or a cache might.

python3 guides/examples/workers_fork.py
"""

import os
import warnings
from threading import Event, Lock, Thread

warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 on, Python warns of just this
lock, held, done = Lock(), Event(), Event()


def hold() -> None:
    """Hold the lock for a while."""
    with lock:
        held.set()
        done.wait()


thread = Thread(target=hold)
thread.start()
held.wait()
child = os.fork()
if child == 0:  # here goes the child: it has the lock as it was, but not the thread
    print("the child gets the lock within a second:", lock.acquire(timeout=1), flush=True)
    os._exit(0)
done.set()  # the parent's thread lets go
os.waitpid(child, 0)
thread.join()
print("the parent gets the lock within a second:", lock.acquire(timeout=1))
