"""The processes that a measurement starts, each of which it also ends.

Every snapshot calls its package `taskflow`, so each contestant has an interpreter of its own,
with the one step on its path.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO

from course import snapshots

ROOT = Path(__file__).resolve().parents[1]
PEERS = Path(__file__).parent / "peers"
READY = re.compile(r"http://127\.0\.0\.1:(\d+)")
PATIENCE = 10.0  # seconds that a process has to end by itself
TOKEN = "benchmark-admin-token"  # what steps 5 and later want to see
FINAL = snapshots.LESSONS[-1].number
FINAL_NEEDS = "psutil websockets prometheus_client uvloop"  # the packages that it imports

# Bytecode is kept, as in real life, but not in the tree.
_BYTECODE = Path(tempfile.gettempdir()) / "taskflow-benchmarks-bytecode"


class CannotMeasure(Exception):
    """Something is missing or went wrong; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Served:
    """A server that is ready."""

    port: int
    pid: int
    log: IO[bytes]  # what it says on standard error


def environment(step: int) -> dict[str, str]:
    """The variables of a process that imports the `taskflow` of one step, if any."""
    word = "final" if step == FINAL else str(step)
    path = [str(snapshots.find(ROOT, word).path)] if step else []
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {
        **kept,
        "TASKFLOW_ADMIN_TOKEN": TOKEN,
        "TASKFLOW_USER_TOKEN": "benchmark-user-token",
        "PYTHONPATH": os.pathsep.join([*path, str(ROOT)]),
        "PYTHONPYCACHEPREFIX": str(_BYTECODE),
    }


def run(command: Sequence[str], step: int = 0, cpu: int | None = None, timeout: float = 900) -> str:
    """Run a program to its end; return what it printed."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment(step), cwd=ROOT
    ) as process:
        pin(process.pid, cpu)
        try:
            output, _ = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise CannotMeasure(f"{' '.join(command)} ended with status {process.returncode}")
    return output


@contextmanager
def serving(
    command: Sequence[str], step: int = 0, cpu: int | None = None, runs: str = sys.executable
) -> Iterator[Served]:
    """Start a server, wait for the line that names its port, and end it afterwards.

    `runs` is the program that runs it. Its log goes to a file, as a server's log does, which is
    gone afterwards.
    """
    with tempfile.TemporaryFile() as log:
        yield from _serving([runs, *command], step, cpu, log)


def _serving(
    command: Sequence[str], step: int, cpu: int | None, log: IO[bytes]
) -> Iterator[Served]:
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=environment(step),
        cwd=ROOT,
    )
    try:
        pin(process.pid, cpu)
        assert process.stdout is not None
        ready = READY.search(process.stdout.readline())
        if ready is None:
            _end(process)
            log.seek(0)
            said = log.read().decode(errors="replace").strip().rpartition("\n")[2]
            raise CannotMeasure(f"{' '.join(command)} does not become ready: {said}")
        yield Served(int(ready[1]), process.pid, log)
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def pin(pid: int, cpu: int | None) -> None:
    """Keep a process on one core, where the system can do that and has at least two."""
    if cpu is not None and sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(pid, {sorted(os.sched_getaffinity(0))[cpu]})


def processor_seconds(pid: int) -> float | None:
    """The processor's time that a process has used so far; None where /proc is missing."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """The memory of a process that is in RAM (psutil is there: steps 7 and later need it)."""
    return int(import_module("psutil").Process(pid).memory_info().rss)


def program(name: str) -> str:
    """Where a program is. Raises CannotMeasure."""
    if (found := shutil.which(name)) is None:
        raise CannotMeasure(f"{name} is not installed: apt-get install {name}")
    return found
