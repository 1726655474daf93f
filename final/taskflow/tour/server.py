"""A server for the tour alone: in memory, on a free port, stopped when the tour ends."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import taskflow
from taskflow.tour.client import TourError

# Seconds. This is longer than the server's own limit for stopping.
STOP_TIMEOUT = 15.0
FLAGS = ("--demos", "--data", ":memory:", "--port", "0", "--host", "127.0.0.1")

# The server stops when its standard input ends, so even a killed tour leaves no server running.
PROGRAM = """
import os, signal, sys, threading
from taskflow.__main__ import main

def stop_at_end_of_input():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=stop_at_end_of_input, daemon=True).start()
sys.exit(main())
"""


@contextmanager
def own_server() -> Iterator[str]:
    """Run a server during the block, and yield its address. Raises TourError."""
    with (
        # The server must not read a file .env of the user, so it starts in an empty directory.
        TemporaryDirectory() as folder,
        TemporaryFile("w+") as log,
        subprocess.Popen(
            [sys.executable, "-P", "-c", PROGRAM, *FLAGS],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            address = process.stdout.readline().rpartition(" ")[2].strip()
            if not address:
                log.seek(0)
                raise TourError(f"the server does not start: {log.read().strip()}")
            yield address
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()


def _environment() -> dict[str, str]:
    """Return this process's environment without its settings, with the path of this package."""
    kept = {name: os.environ[name] for name in os.environ if not name.startswith("TASKFLOW_")}
    return kept | {"PYTHONPATH": str(Path(taskflow.__file__).resolve().parents[1])}
