"""`demo`: one lesson in one command: a step's server, and a script beside it that shows something.

The scripts are in `demos/`. Each is given the address of its server, or, where it needs none, the
folders of the steps that it compares. It ends with status 0 when all was as told. The server has
a free port and the example tokens, whatever `.env` says, and it never outlives the script.
"""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from course import processes
from course.errors import CourseError
from course.serve import python_for
from course.snapshots import Snapshot, find
from course.terminal import note, table

FOLDER = "demos"
EXAMPLES = "guides/examples"  # some demos show what an example there has
READY = re.compile(r"http://(127\.0\.0\.1:\d+)")
PATIENCE = 10.0  # seconds that a server has to end by itself
INTERRUPTED = 130  # what a script ends with after Ctrl-C
LARGEST = 10_000  # tasks: step 1 holds no more
TOKENS = {
    "TASKFLOW_ADMIN_TOKEN": "secret-admin-123",
    "TASKFLOW_USER_TOKEN": "secret-user-123",
}


@dataclass(frozen=True, slots=True)
class Demo:
    """A script `demos/NAME.py`, and the steps that it shows."""

    name: str
    steps: tuple[str, ...]
    about: str
    served: bool = True


DEMOS = (
    Demo("lists", ("1", "2"), "look-ups by id in a list and in a dict, as tasks are added", False),
    Demo("dependencies", ("4",), "a release: who is ready, the order, a cycle that is refused"),
    Demo("workers", ("8",), "/health while a sum is computed: on the loop, then in a worker"),
    Demo("live", ("10",), "events over a WebSocket, and what was missed in between"),
)


def demo(root: Path, name: str | None, sizes: Sequence[int] = ()) -> int:
    """Run one demo, or list them all; returns the exit status."""
    if name is None:
        print(table([(one.name, one.about) for one in DEMOS]), end="")
        return 0
    chosen = find_demo(name)
    _check_sizes(chosen, sizes)
    snapshots = [find(root, step) for step in chosen.steps]
    python = python_for(root, snapshots[-1])
    script = root / FOLDER / f"{chosen.name}.py"
    extra = variables(root, snapshots[-1])
    if chosen.served:
        with serving(python, snapshots[-1], extra) as address:
            status = processes.run([python, script, address], Path.cwd(), extra)
    else:
        folders = [snapshot.path for snapshot in snapshots]
        status = processes.run([python, script, *folders, *map(str, sizes)], Path.cwd(), extra)
    if status == INTERRUPTED:
        raise KeyboardInterrupt
    return status


def find_demo(name: str) -> Demo:
    """The demo of this name."""
    for one in DEMOS:
        if one.name == name:
            return one
    raise CourseError(f"unknown demo {name!r}: there are {', '.join(one.name for one in DEMOS)}")


def variables(root: Path, snapshot: Snapshot) -> dict[str, str]:
    """What a demo and its server find in their environment: the step, the examples, the tokens."""
    path = [str(snapshot.path), str(root / EXAMPLES), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, path)), **TOKENS}


@contextmanager
def serving(python: Path, snapshot: Snapshot, extra: Mapping[str, str]) -> Iterator[str]:
    """Start a step's server on a free port, yield its address, and stop it in the end."""
    note(f"starting {snapshot.lesson.label}, {snapshot.path.name}/, for this demo")
    command = [str(python), "-P", "-m", "taskflow", "--port", "0"]
    with (
        tempfile.TemporaryFile() as log,  # a demo is to be read, and a server says much
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **extra}
        ) as server,
        _ended_with_us(server),
    ):
        assert server.stdout is not None
        ready = READY.search(server.stdout.readline())
        if ready is None:
            _stop(server)
            log.seek(0)
            said = log.read().decode(errors="replace").strip().rpartition("\n")[2]
            raise CourseError(f"the server did not start: {said or 'no reason given'}")
        yield ready[1]


@contextmanager
def _ended_with_us(server: subprocess.Popen[str]) -> Iterator[None]:
    """Stop the server on the way out, also when somebody ends us: the script then fails by itself.

    Ctrl-C needs no help: the server is in our group, and gets it as we do.
    """
    before = signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    try:
        yield
    finally:
        _stop(server)
        signal.signal(signal.SIGTERM, before)


def _stop(server: subprocess.Popen[str]) -> None:
    server.terminate()
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()


def _check_sizes(chosen: Demo, sizes: Sequence[int]) -> None:
    if sizes and chosen.name != "lists":
        raise CourseError(f"the demo {chosen.name} takes no numbers; lists does")
    if not all(1 <= size <= LARGEST for size in sizes):
        raise CourseError(f"the demo lists takes numbers of tasks from 1 to {LARGEST}")
