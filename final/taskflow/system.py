"""What the process needs of its system before it can be a server."""

import asyncio
import gc
import logging
import os
import signal
import sys
from contextlib import suppress
from types import FrameType

if sys.platform != "win32":  # which knows no such limit, and not that loop
    import resource

    import uvloop

SPARE_FILES = 300  # beside the clients': the tasks, the workers, and clients that are refused
STOPPING = (signal.SIGINT, signal.SIGTERM)
YOUNG_OBJECTS = 10_000  # new ones, until Python looks for cycles among them


def open_standard_streams() -> None:
    """Open what is closed of stdin, stdout and stderr; what is written there goes nowhere.

    Else the next file, a socket or the one with the tasks, would get the number of stderr, and
    somebody's last words would be written into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)  # as those three are; and so to the workers
    os.close(descriptor)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115  no path
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def say(line: str, descriptor: int) -> None:
    """Write a line, whether anybody reads it or not.

    Not by `print`: what that cannot write it keeps, and fails with once more at the end.
    """
    with suppress(OSError):
        os.write(descriptor, line.encode(errors="backslashreplace") + b"\n")


def allow_files(clients: int) -> None:
    """Allow this process as many files as it has clients; warn if the system does not.

    Many systems let a program open 1,024, and more when it asks.
    """
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients + SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(OSError, ValueError):  # macOS has one more limit, that it does not tell
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        soft = limit
    if soft < wanted:
        what = clients, soft
        logging.getLogger(__name__).warning("%d clients need more than %d open files", *what)


def calm_collector() -> None:
    """Let Python look for cycles of garbage less often, and not among what is there now.

    Tasks are freed by counting their references, and little here ever is a cycle. Left alone, the
    collector looks after every 700 new objects, which is a sixth of what the store needs for a new
    task; and now and then through all there are: 60 ms for 100,000 tasks, while nobody is served.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


def new_event_loop(tls: bool) -> asyncio.AbstractEventLoop:
    """Return the event loop of uvloop: the same as asyncio's, but in C, on libuv.

    A read takes up to a tenth less time with it (guides/final.md measures both). With TLS it is
    asyncio's own: that of uvloop begins to read before anybody can tell it to wait for a handshake.
    """
    if tls or sys.platform == "win32":
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def stop_signal() -> asyncio.Event:
    """Return what the first Ctrl-C or SIGTERM sets. The second one ends the process at once."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        for each in STOPPING:
            signal.signal(each, signal.SIG_DFL)
        loop.call_soon_threadsafe(stopped.set)

    for each in STOPPING:
        signal.signal(each, stop)
    return stopped
