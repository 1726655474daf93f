"""The laws that the snapshots keep, each as a check that returns its faults.

1  self-contained: no file names another step's folder or imports `course`
2  cumulative: a step is the one before it plus its lesson
3  small: the lines of code that a lesson adds and deletes are bounded
5  a fix travels: what changed in a step changed in all later ones
6  differences are reviewed as text: `guides/diffs/` is as generated

2, 5 and 6 are seen by one comparison. Law 4, security, is the contract's.
`style` stands for the bounds on modules and functions.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from course import stored
from course.diffs import compare, total
from course.files import Scope, contents
from course.linecount import Count, code_of, measure
from course.merging import MARKER
from course.snapshots import LESSONS, Snapshot, neighbours

MOST_CHANGED = 300  # added plus deleted, of steps 2 to 10
MOST_DELETED = 45
MOST_MEDIAN = 184
MOST_FIRST = 600  # the first step has the parser and every seam
MOST_FIRST_MODULE = 170
MOST_FUNCTION = 40  # lines, from def to its end
MOST_MODULE = 300  # lines, all of them

_FOLDERS = re.compile("|".join(lesson.directory for lesson in LESSONS if not lesson.is_final))
_COURSE = re.compile(r"^\s*(?:from|import)\s+course\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fault:
    """One breach: of which law, where, and what is wrong."""

    law: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.law}: {self.where}: {self.text}"


@dataclass(frozen=True, slots=True)
class Size:
    """What one snapshot adds to the one before, under taskflow/."""

    snapshot: Snapshot
    files_added: int
    files_changed: int
    lines_added: int
    lines_deleted: int


def sizes(root: Path) -> list[Size]:
    """The sizes of all snapshots that are here."""
    result = []
    for old, new in neighbours(root):
        changes = compare(old.path if old else None, new.path, Scope.SOURCE)
        added = sum(change.kind == "added" for change in changes)
        result.append(Size(new, added, len(changes) - added, *total(changes)))
    return result


def self_contained(snapshot: Snapshot) -> Iterator[Fault]:
    """Law 1. Words in a README may point to the guides, not to another step's folder."""
    for path, data in contents(snapshot.path).items():
        text, where = data.decode(errors="replace"), f"{snapshot.path.name}/{path}"
        for name in sorted({*_FOLDERS.findall(text)} - {snapshot.path.name}):
            yield Fault("law 1", where, f"names the folder {name}; a step stands alone")
        if path.endswith(".py") and _COURSE.search(text):
            yield Fault("law 1", where, "imports course; a step stands alone")


def whole(snapshot: Snapshot) -> Iterator[Fault]:
    """No marks of a merge, and Python that parses."""
    for path, data in contents(snapshot.path).items():
        where = f"{snapshot.path.name}/{path}"
        if found := MARKER.search(data):
            line = data.count(b"\n", 0, found.start()) + 1
            yield Fault("law 5", f"{where}:{line}", "an unsettled conflict of a merge")
        elif path.endswith(".py"):
            try:
                ast.parse(data)
            except (SyntaxError, ValueError) as error:
                yield Fault("style", where, f"is not Python: {error}")


def small(size: Size, is_first: bool) -> Iterator[Fault]:
    """Law 3, of one snapshot. The product is free of it."""
    where = size.snapshot.path.name
    if is_first:
        if size.lines_added > MOST_FIRST:
            yield Fault("law 3", where, f"{size.lines_added} lines of code, at most {MOST_FIRST}")
        for path, data in contents(size.snapshot.path, Scope.SOURCE).items():
            if (lines := len(code_of(path, data))) > MOST_FIRST_MODULE:
                text = f"{lines} lines of code, at most {MOST_FIRST_MODULE} in a module"
                yield Fault("law 3", f"{where}/{path}", text)
    elif not size.snapshot.lesson.is_final:
        both = size.lines_added + size.lines_deleted
        if both > MOST_CHANGED:
            yield Fault("law 3", where, f"{both} lines added and deleted, at most {MOST_CHANGED}")
        if size.lines_deleted > MOST_DELETED:
            yield Fault("law 3", where, f"{size.lines_deleted} deleted, at most {MOST_DELETED}")


def median_change(found: list[Size]) -> float:
    """The median of lines added plus deleted, over the steps after the first."""
    steps = [size for size in found[1:] if not size.snapshot.lesson.is_final]
    return median([size.lines_added + size.lines_deleted for size in steps] or [0])


def small_on_median(found: list[Size]) -> Iterator[Fault]:
    """Law 3, of the whole path."""
    if (middle := median_change(found)) > MOST_MEDIAN:
        text = f"{middle:g} lines added and deleted, at most {MOST_MEDIAN}"
        yield Fault("law 3", "median of the steps", text)


def readable(snapshot: Snapshot) -> Iterator[Fault]:
    """The bounds on modules and functions."""
    for path, source in _modules(snapshot):
        where = f"{snapshot.path.name}/{path}"
        if (lines := source.count("\n")) > MOST_MODULE:
            yield Fault("style", where, f"{lines} lines, at most {MOST_MODULE}")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_FUNCTION:
                    text = f"{node.name}() has {lines} lines, at most {MOST_FUNCTION}"
                    yield Fault("style", f"{where}:{node.lineno}", text)


def prose_share(snapshot: Snapshot) -> int:
    """Comments and docstrings, in percent of the lines that are not blank."""
    counts: list[Count] = [measure(source) for _, source in _modules(snapshot)]
    return round(100 * sum(c.prose for c in counts) / max(1, sum(c.filled for c in counts)))


def _modules(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """The modules under taskflow/ that parse; `whole` reports the others."""
    for path, data in contents(snapshot.path, Scope.SOURCE).items():
        if path.endswith(".py"):
            try:
                ast.parse(data)
            except (SyntaxError, ValueError):
                continue
            yield path, data.decode()


def travelled(root: Path) -> Iterator[tuple[Snapshot, Fault, str]]:
    """Laws 2, 5 and 6: each fault with the first lines that are not as they should be."""
    found = [(old, new, stored.first_difference(root, old, new)) for old, new in stored.pairs(root)]
    next_is_right = [difference is None for _, _, difference in found[1:]] + [True]
    for (old, new, difference), is_edge in zip(found, next_is_right, strict=True):
        file = stored.path_of(root, new).relative_to(root).as_posix()
        if difference is None:
            continue
        if not (root / file).is_file():
            yield new, Fault("law 6", new.lesson.label, f"has no {file} yet"), ""
            continue
        text = f"differs from {old.lesson.label} otherwise than {file} says"
        # If the next difference is wrong too, `new` itself changed, and its own line says so.
        if is_edge:
            text += f"; was a fix not propagated? (python3 -m course propagate {old.lesson.word})"
        yield new, Fault("laws 2+5", new.lesson.label, text), difference
