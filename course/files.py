"""Which files belong to a snapshot: those that git would not ignore.

The list of what to leave out is the repository's own `.gitignore`, so there is
one such list. Only its plain lines are understood (a name or a pattern without
an inner slash, valid at any depth); a test holds the file to that form.
"""

import os
from collections.abc import Iterator
from enum import Enum
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path


class Scope(Enum):
    """How much of a snapshot one looks at."""

    SOURCE = ("taskflow/",)
    TESTED = ("taskflow/", "tests/")
    ALL = ("",)

    def holds(self, path: str) -> bool:
        return path.startswith(self.value)


def contents(snapshot: Path, scope: Scope = Scope.ALL) -> dict[str, bytes]:
    """Relative path (with `/`) → bytes of each file of the snapshot, sorted by path."""
    found = (path.relative_to(snapshot).as_posix() for path in _walk(snapshot))
    return {name: (snapshot / name).read_bytes() for name in sorted(found) if scope.holds(name)}


def is_ignored(name: str, ignore_file: Path) -> bool:
    """Whether a file or folder of this name is left out."""
    return any(fnmatchcase(name, pattern) for pattern in _patterns(ignore_file))


def _walk(snapshot: Path) -> Iterator[Path]:
    ignore_file = snapshot.parent / ".gitignore"
    for folder, folders, files in os.walk(snapshot):
        folders[:] = [name for name in folders if not is_ignored(name, ignore_file)]
        yield from (Path(folder, name) for name in files if not is_ignored(name, ignore_file))


@lru_cache
def _patterns(ignore_file: Path) -> tuple[str, ...]:
    """The plain patterns of `.gitignore`: `dist/` and `*.pyc`, not `/workspace/`."""
    lines = ignore_file.read_text("utf-8").splitlines() if ignore_file.is_file() else []
    names = (line.strip().removesuffix("/") for line in lines if not line.startswith("#"))
    return tuple(name for name in names if name and "/" not in name)
