"""The children of a process: which there are, and whether they are gone.

With `psutil`, which every step has that starts children; without it, on Linux, by `/proc`.
"""

from __future__ import annotations

import importlib
import os
import select
import time
from pathlib import Path
from typing import Any

import pytest

try:
    psutil: Any = importlib.import_module("psutil")
except ImportError:
    psutil = None

PROC = Path("/proc")


def children_of(pid: int) -> set[int]:
    """The processes that this one has started, with those that they have started."""
    if psutil is not None:
        return {child.pid for child in psutil.Process(pid).children(recursive=True)}
    if not (PROC / "self/stat").exists():
        pytest.skip("needs psutil, or /proc")
    parents = {int(path.name): _parent(path) for path in PROC.iterdir() if path.name.isdecimal()}
    found, seen = {pid}, 0
    while seen < len(found):
        seen = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found - {pid}


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # gone meanwhile
        return 0


def still_there(pids: set[int], within: float = 5.0) -> set[int]:
    """Those that have not ended in time. Returns as soon as all have."""
    deadline = time.monotonic() + within
    return {pid for pid in pids if not _ends(pid, deadline - time.monotonic())}


def _ends(pid: int, seconds: float) -> bool:
    """A process that has ended counts, whether its new parent has asked for its status or not."""
    seconds = max(0.0, seconds)
    if not hasattr(os, "pidfd_open"):  # not Linux
        return _ends_by_psutil(pid, seconds)
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def _ends_by_psutil(pid: int, seconds: float) -> bool:
    try:
        return bool(psutil.wait_procs([psutil.Process(pid)], seconds)[0])
    except psutil.NoSuchProcess:
        return True
