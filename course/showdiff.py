"""`diff`: what a step adds, first as a table, then as source.

The table counts lines of code, as the size laws do; the source below it has
every line, comments too, since they are half of the lesson.
"""

from collections.abc import Sequence
from pathlib import Path

from course.diffs import FileChange, compare, total
from course.errors import CourseError
from course.files import Scope
from course.rendering import coloured, render
from course.snapshots import Lesson, before, find
from course.terminal import BOLD, paint, table
from course.themes import within


def show(root: Path, word: str, theme: str | None, scope: Scope, colour: bool) -> str:
    """The difference between the snapshot `word` and the one before it.

    With a theme of final: only of the source files that belong to it.
    """
    snapshot = find(root, word)
    old = before(root, snapshot)
    changes = compare(old.path if old else None, snapshot.path, scope)
    heading = _heading(snapshot.lesson, old.lesson if old else None)
    if theme is not None:
        if not snapshot.lesson.is_final:
            raise CourseError(f"{snapshot.lesson.label} has no themes; only final has")
        changes = within(theme, changes)
        heading += f" (theme: {theme})"
    diff = render(changes)
    parts = [paint(heading, BOLD) if colour else heading, "", change_table(changes)]
    return "\n".join([*parts, coloured(diff) if colour else diff])


def change_table(changes: Sequence[FileChange]) -> str:
    """One row a file and their sum."""
    rows: list[tuple[str | int, ...]] = [("file", "", "+", "-")]
    rows += [(change.path, change.kind, *change.lines()) for change in changes]
    files = f"{len(changes)} file{'' if len(changes) == 1 else 's'}"
    rows.append((files, "", *total(changes)))
    footing = "  Lines of code: without blank lines, comments and docstrings.\n"
    return table(rows) + footing


def _heading(new: Lesson, old: Lesson | None) -> str:
    against = f"against {old.label} ({old.name})" if old else "against nothing"
    name = "" if new.is_final else f" ({new.name})"
    return f"{new.label.capitalize()}{name} {against}: {new.title}"
