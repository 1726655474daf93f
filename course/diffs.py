"""What differs between two snapshots: files, and lines of code in them.

Knows nothing of how a difference looks on paper; that is `rendering`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from course import linecount
from course.files import Scope, contents


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that differs; None is a side without such a file."""

    path: str
    old: bytes | None
    new: bytes | None

    @property
    def kind(self) -> str:
        if self.old is None:
            return "added"
        return "removed" if self.new is None else "changed"

    def lines(self) -> tuple[int, int]:
        """Lines of code added and deleted."""
        old = linecount.code_of(self.path, self.old or b"")
        new = linecount.code_of(self.path, self.new or b"")
        return linecount.changed(old, new)


def compare(old: Path | None, new: Path, scope: Scope) -> list[FileChange]:
    """The files that differ between two snapshots, by path; against nothing, all are added."""
    return compare_contents(contents(old, scope) if old else {}, contents(new, scope))


def compare_contents(old: dict[str, bytes], new: dict[str, bytes]) -> list[FileChange]:
    """The same for files that were read already."""
    paths = sorted(old.keys() | new.keys())
    changes = (FileChange(path, old.get(path), new.get(path)) for path in paths)
    return [change for change in changes if change.old != change.new]


def total(changes: Iterable[FileChange]) -> tuple[int, int]:
    """Lines of code added and deleted in all of them."""
    pairs = [change.lines() for change in changes]
    return sum(added for added, _ in pairs), sum(deleted for _, deleted in pairs)
