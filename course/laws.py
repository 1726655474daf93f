"""The laws that the snapshots keep, each as a check that returns its faults.

1  self-contained: no file names another step's folder or imports `course`
2  cumulative: a step is the one before it plus its lesson
3  small: the lines of code that a lesson adds and deletes have an aim
5  a fix travels: what changed in a step changed in all later ones
6  differences are reviewed as text: `guides/diffs/` is as generated

One comparison checks 2, 5 and 6, and the contract checks 4, security.
`style` is the name of the bounds on modules and functions.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from course.diffs import compare, total
from course.faults import Fault
from course.files import Scope, contents
from course.linecount import Count, measure, numbered_code
from course.merging import MARKER
from course.snapshots import LESSONS, Snapshot, neighbours
from course.stored import Review
from course.themes import theme_of

# Lines of code under taskflow/ that each step adds and deletes, in sum. The first step has the
# parser and the seams of all later steps. More than an aim is a warning, more than `most` a fault.
AIMS = {1: 700, 2: 250, 3: 250, 4: 250, 5: 250, 6: 320, 7: 250, 8: 320, 9: 320, 10: 300}
MEDIAN_AIM = 210  # of all steps but the first
MODULE_AIM = 300  # lines of any kind
MOST_MODULE = 360
MOST_FUNCTION = 40  # lines of code

_FOLDERS = re.compile("|".join(lesson.directory for lesson in LESSONS if not lesson.is_final))
_COURSE = re.compile(r"^\s*(?:from|import)\s+course\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Size:
    """What one snapshot adds to the one before, under taskflow/."""

    snapshot: Snapshot
    files_added: int
    files_changed: int
    lines_added: int
    lines_deleted: int

    @property
    def lines(self) -> int:
        """Lines added plus lines deleted."""
        return self.lines_added + self.lines_deleted

    @property
    def aim(self) -> int | None:
        """How many lines it should be; None for the product, which has no aim."""
        return AIMS.get(self.snapshot.lesson.number)


def most(aim: int) -> int:
    """Return the lines that an aim allows: 10 % more than itself."""
    return aim * 11 // 10


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
            yield Fault("law 1", where, f"names the folder {name}; a step is self-contained")
        if path.endswith(".py") and _COURSE.search(text):
            yield Fault("law 1", where, "imports course; a step is self-contained")


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


def small(size: Size) -> Iterator[Fault]:
    """Law 3, of one snapshot."""
    if size.aim is not None:
        yield from _held_to(size.aim, size.lines, size.snapshot.path.name)


def median_change(found: list[Size]) -> float:
    """The median of lines added plus deleted, over the steps after the first."""
    later = [size.lines for size in found if size.aim and size.snapshot.lesson.number > 1]
    return median(later or [0])


def small_on_median(found: list[Size]) -> Iterator[Fault]:
    """Law 3, of the whole path."""
    yield from _held_to(MEDIAN_AIM, median_change(found), "median of the steps")


def _held_to(aim: int, lines: float, where: str) -> Iterator[Fault]:
    text = f"{lines:g} lines added and deleted; the aim is {aim}, the most {most(aim)}"
    if lines > aim:
        yield Fault("law 3", where, text, is_warning=lines <= most(aim))


def readable(snapshot: Snapshot) -> Iterator[Fault]:
    """The bounds on modules and functions."""
    for path, source in _modules(snapshot):
        where = f"{snapshot.path.name}/{path}"
        if (lines := source.count("\n")) > MODULE_AIM:
            text = f"{lines} lines; the aim is {MODULE_AIM}, the most {MOST_MODULE}"
            yield Fault("style", where, text, is_warning=lines <= MOST_MODULE)
        code = numbered_code(source)
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                end = node.end_lineno or node.lineno
                lines = sum(row in code for row in range(node.lineno, end + 1))
                if lines > MOST_FUNCTION:
                    text = f"{node.name}() has {lines} lines of code, at most {MOST_FUNCTION}"
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


def themed(root: Path) -> Iterator[tuple[Snapshot, Fault]]:
    """Law 6: each file that may be in the difference of `final` has a theme."""
    for old, new in neighbours(root):
        if old and new.lesson.is_final:
            paths = {*contents(old.path, Scope.SOURCE), *contents(new.path, Scope.SOURCE)}
            for path in sorted(paths):
                if theme_of(path) is None:
                    text = "has no theme; add it to the table in course/themes.py"
                    yield new, Fault("law 6", f"{new.path.name}/{path}", text)


def left_over(root: Path, review: Review) -> Iterator[Fault]:
    """Law 6: no rendered difference without a step or theme."""
    for path in review.left_over:
        text = "shows no difference any more (python3 -m course integrity --update)"
        yield Fault("law 6", path.relative_to(root).as_posix(), text)


def travelled(root: Path, review: Review) -> Iterator[tuple[Snapshot, Fault, str]]:
    """Laws 2, 5 and 6: each fault with the first lines that are not as they should be."""
    next_is_right = [not wrong for _, _, wrong in review.wrong[1:]] + [True]
    for (old, new, wrong), is_edge in zip(review.wrong, next_is_right, strict=True):
        for path, difference in wrong.items():
            file = path.relative_to(root).as_posix()
            if difference is None:
                yield new, Fault("law 6", new.lesson.label, f"has no {file} yet"), ""
                continue
            text = f"differs from {old.lesson.label} otherwise than {file} says"
            # If the next difference is wrong too, `new` itself changed, and its own line says so.
            if is_edge:
                text += "; was a fix not propagated?"
                text += f" (python3 -m course propagate {old.lesson.word})"
            yield new, Fault("laws 2+5", new.lesson.label, text), difference
