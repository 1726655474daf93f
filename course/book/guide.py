"""One guide while it is being made: where it is, which step it teaches, what it has opened.

Everything here is looked up from ``root``, so that a test can put a whole small course into a
temporary directory. This module knows nothing of Markdown or Cog.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from course import serve, snapshots
from course.book.normalise import Normaliser
from course.book.terminal import Finished, Terminal, TerminalError
from course.errors import CourseError

EXAMPLES = "guides/examples"
ROOT = Path(__file__).resolve().parents[2]


class BookError(CourseError):
    """Something that the author of a guide has to put right."""


def interpreter(root: Path, step: int | str) -> str:
    """The Python that can run a snapshot: that of its own environment if it needs packages."""
    return str(serve.python_for(root, snapshots.find(root, str(step))))


def child_environment(scratch: Path, *python_path: Path) -> dict[str, str]:
    """What a command in a guide finds in its environment: little, and the same everywhere.

    ``python3`` is the Python that makes the guides. HOME and TMPDIR are a directory that is
    removed with the guide, and nothing writes bytecode into the tree.
    """
    here = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join([here, os.environ.get("PATH", os.defpath)]),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "100",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "NO_PROXY": "*",
        "PYTHONUTF8": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(str(path) for path in python_path),
    }


class Guide:
    """The state of one guide between its first marker and its last.

    A context manager: on leaving, the terminal and whatever runs in it is stopped and the scratch
    directory is removed, also when a marker failed.
    """

    def __init__(self, path: Path, root: Path = ROOT) -> None:
        self.path = path
        self.root = root
        self.questions = 0
        self.port: int | None = None  # of the server that runs beside the guide
        self.scratch = Path(tempfile.mkdtemp(prefix="taskflow-guide-")).resolve()
        self.normaliser = Normaliser(
            {str(self.scratch): "/tmp", str(root): "~/taskflow", str(Path.home()): "~"}
        )
        self._terminal: Terminal | None = None

    def __enter__(self) -> Guide:
        return self

    def __exit__(self, *_: object) -> None:
        if self._terminal is not None:
            self._terminal.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def run(self, command: str) -> Finished:
        """Run a command in the guide's one bash, which starts when it is first needed."""
        if self._terminal is None:
            self._terminal = Terminal(self.root, child_environment(self.scratch))
        try:
            return self._terminal.run(command)
        except TerminalError as error:
            raise BookError(str(error)) from None

    @property
    def step(self) -> int:
        """The step that a numbered guide is about: 3 for ``03-heap.md``."""
        if found := re.match(r"(\d\d)-", self.path.name):
            return int(found[1])
        raise BookError("this guide has no number: say which step with step=N")

    def python(self, step: int | str | None, *arguments: str) -> tuple[list[str], dict[str, str]]:
        """Command and environment of a Python with a snapshot first on its path."""
        number = self.step if step is None else step
        directory = snapshots.find(self.root, str(number)).path
        environment = child_environment(self.scratch, directory, self.root / EXAMPLES)
        return [interpreter(self.root, number), *arguments], environment

    def file(self, name: str) -> Path:
        """A file of the repository, named from its root."""
        path = self.root / name
        if not path.is_file():
            raise BookError(f"there is no file {name}")
        return path

    def link(self, name: str) -> str:
        """A link target for a file of the repository, relative to the guide."""
        return Path(os.path.relpath(self.root / name, self.path.parent)).as_posix()
