"""The process: what it needs from the operating system before it can be a server."""

import asyncio
import gc
import logging
import os
import signal
import sys
from contextlib import suppress
from types import FrameType

# Windows has neither this limit nor this event loop.
if sys.platform != "win32":
    import resource

    import uvloop

# Files beside those of the clients: for the database, the workers, and clients that are refused.
SPARE_FILES = 300

# Windows has no terminal that hangs up.
STOPPING = [signal.SIGINT, signal.SIGTERM] + ([signal.SIGHUP] if sys.platform != "win32" else [])

# New objects between two collections of the young generation, such collections between two of the
# middle one, and those between two of the old one.
THRESHOLDS = (2_000, 5, 200)


def open_standard_streams() -> None:
    """Open those of stdin, stdout and stderr that are closed, as streams to nowhere.

    Otherwise the next file, a socket or the database, would get the number of stderr, and error
    messages would be written into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        # The workers inherit it, as they would the original stream.
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def write_line(line: str, descriptor: int) -> None:
    """Write a line, even if nothing reads it.

    `print` would keep what it cannot write, and fail with it again at the end of the program.
    """
    with suppress(OSError):
        os.write(descriptor, line.encode(errors="backslashreplace") + b"\n")


def allow_files(clients: int) -> None:
    """Raise the limit of open files for this many clients. Log a warning if that is not possible.

    Many systems let a program open 1,024 files, and more if it asks.
    """
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients + SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    # macOS has another limit, which it does not report.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        soft = limit
    if soft < wanted:
        message = "%d clients need more than %d open files"
        logging.getLogger(__name__).warning(message, clients, soft)


def calm_collector() -> None:
    """Let the cycle collector stop the program often and briefly, instead of rarely and for long.

    Tasks are freed by reference counting, and hardly anything in this program is a cycle. But the
    collector searches all new objects, of which each task has four, and all requests wait for it.
    While 350,000 tasks are created, it stops the program 600 times for up to 0.3 ms and 100 times
    for up to 2 ms. With thresholds of 10,000, 10 and 10, these are 2 ms and 22 ms, and the
    old generation is collected too, which takes 0.3 s (benchmarks/final_collector.py).
    """
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.callbacks.append(leave_old_objects)


def leave_old_objects(phase: str, info: dict[str, int]) -> None:
    """Leave objects alone that have survived a collection of the middle generation: most are tasks.

    The collector calls this when it begins and when it ends. A collection of the old generation,
    once in two million new objects, still searches everything, so that a cycle is found that was
    in use for long before it became garbage.
    """
    if phase == "stop" and info["generation"] > 0:
        gc.freeze()
    elif phase == "start" and info["generation"] == 2:
        gc.unfreeze()


def new_event_loop(tls: bool) -> asyncio.AbstractEventLoop:
    """Return an event loop of uvloop, which is written in C on top of libuv.

    benchmarks/final_http.py compares it with asyncio's own loop, which is used with TLS, because
    uvloop begins to read before it can be made to wait for the handshake.
    """
    if tls or sys.platform == "win32":
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def stop_signal() -> asyncio.Event:
    """Return an event that SIGINT, SIGTERM or SIGHUP sets. A second one ends the process at once.

    A SIGHUP that is ignored stays so, because `nohup` asks for that.
    """
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    numbers = [
        number
        for number in STOPPING
        if number in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(number) != signal.SIG_IGN
    ]

    def stop(number: int, frame: FrameType | None) -> None:
        for other in numbers:
            signal.signal(other, signal.SIG_DFL)
        loop.call_soon_threadsafe(stopped.set)

    for stopping in numbers:
        signal.signal(stopping, stop)
    return stopped
