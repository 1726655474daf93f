"""`serve`: starts a snapshot's server and gets out of its way.

The server replaces this process where the system can do that (POSIX), so
signals, the exit status and the one line on stdout are the server's own. The
working directory stays the learner's, since that is where `.env` is read; the
package is found through PYTHONPATH.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from course import processes, product
from course.environments import declared, python_with
from course.snapshots import Snapshot, find, newest
from course.terminal import note


def serve(root: Path, arguments: Sequence[str]) -> int:
    """Start the server that `arguments` names; returns only where it cannot be replaced."""
    snapshot, rest = choose(root, arguments)
    told: list[str] = []
    if snapshot.lesson.is_final:
        told = product.notes(rest, os.environ, Path.cwd())
        rest = product.with_demos(rest)
    python = python_for(root, snapshot)
    # -P: a folder called taskflow in the working directory must not win.
    command = [str(python), "-P", "-m", "taskflow", *rest]
    path = [str(snapshot.path), *filter(None, [os.environ.get("PYTHONPATH")])]
    extra = {"PYTHONPATH": os.pathsep.join(path)}
    note(f"starting {snapshot.lesson.label}, {snapshot.path.name}/ (stop it with Ctrl-C)")
    for line in told:
        note(line)
    if os.name == "posix":
        os.execve(python, command, {**os.environ, **extra})
    return processes.run(command, Path.cwd(), extra)


def choose(root: Path, arguments: Sequence[str]) -> tuple[Snapshot, list[str]]:
    """Split off the snapshot; everything behind it is the server's, untouched."""
    if not arguments or arguments[0].startswith("-"):
        return newest(root), list(arguments)
    return find(root, arguments[0]), list(arguments[1:])


def python_for(root: Path, snapshot: Snapshot) -> Path:
    """Our own Python where the step needs nothing, else that of the step's environment."""
    requirements = declared(snapshot.path)
    if not requirements:
        return Path(sys.executable)
    return python_with(root, snapshot.lesson.tox_env, requirements)
