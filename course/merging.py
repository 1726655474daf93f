"""Three-way merges of single files, made by git; no snapshot is known here.

`merge` decides what needs no merge at all, and hands only the rest to
`git merge-file`, whose exit status is the number of conflicts.
"""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from course.diffs import FileChange
from course.errors import CourseError

MARKER = re.compile(rb"^(?:<{7}|>{7}) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Merge:
    """The new content (None: no file), and where it conflicts, if it does."""

    data: bytes | None
    verdict: str
    reason: str = ""


def merge(change: FileChange, ours: bytes | None, labels: Sequence[str]) -> Merge:
    """The change, made in a file that may have gone its own way."""
    base, theirs = change.old, change.new
    if ours == theirs:
        return Merge(ours, "as it is")
    if ours == base:
        return Merge(theirs, "deleted" if theirs is None else "copied")
    if ours is None:
        return Merge(ours, "CONFLICT", "is not here any more, but changed there")
    if MARKER.search(ours):
        return Merge(ours, "CONFLICT", f"still open at {_marker_lines(ours)}")
    if theirs is None:
        return Merge(ours, "CONFLICT", "was deleted there, but differs here")
    if b"\0" in ours + theirs + (base or b""):
        return Merge(ours, "CONFLICT", "is binary, and differs here")
    return _merge_text(base or b"", theirs, ours, labels)


def _merge_text(base: bytes, theirs: bytes, ours: bytes, labels: Sequence[str]) -> Merge:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("ours", "base", "theirs")]
        for file, data in zip(files, (ours, base, theirs), strict=True):
            file.write_bytes(data)
        names = [part for label in labels for part in ("-L", label)]
        command = ["git", "-c", "merge.conflictStyle=merge", "merge-file", "-p", *names]
        done = _run([*command, *map(str, files)], Path(folder))
    if done.returncode == 0:
        return Merge(done.stdout, "as it is" if done.stdout == ours else "merged")
    if done.returncode >= 128:  # below: the number of conflicts
        raise CourseError(f"git merge-file failed: {done.stderr.decode().strip()}")
    return Merge(done.stdout, "CONFLICT", f"settle it at {_marker_lines(done.stdout)}")


def _marker_lines(data: bytes) -> str:
    """`lines 12-20, 31-40`: from each opening marker to its closing one."""
    rows = [data.count(b"\n", 0, found.start()) + 1 for found in MARKER.finditer(data)]
    ranges = (f"{first}-{last}" for first, last in zip(rows[::2], rows[1::2], strict=False))
    return "lines " + ", ".join(ranges)


def git(root: Path, *arguments: str) -> bytes:
    """What a git command prints; raises with the reason where it fails."""
    done = _run(["git", *arguments], root)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise CourseError(_explain(arguments, said[-1] if said else "no reason given"))
    return done.stdout


def _explain(arguments: Sequence[str], said: str) -> str:
    if "not a git repository" in said:
        return "propagate compares with git: this folder is not a git repository"
    if arguments[0] == "rev-parse":
        return f"git knows no commit {arguments[-1].removesuffix('^{commit}')}"
    if "did not match any files" in said:
        return f"{arguments[-1]} is not in {arguments[-3]}: nothing to compare with"
    return f"git {arguments[0]} failed: {said}"


def _run(command: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(command, cwd=cwd, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise CourseError("propagate needs git: install the package git") from error
