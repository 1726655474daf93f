"""``diff_table()``: what a step changed, by file, and the command that shows it."""

from __future__ import annotations

from course import diffs, snapshots
from course.book.guide import Guide
from course.files import Scope


def diff_table(guide: Guide, step: int | str | None = None) -> str:
    """The files that a step added or changed, with lines of code added and deleted.

    Blank lines, comments and docstrings are not counted, as everywhere in the course.
    """
    snapshot = snapshots.find(guide.root, str(guide.step if step is None else step))
    earlier = snapshots.before(guide.root, snapshot)
    changes = diffs.compare(earlier.path if earlier else None, snapshot.path, Scope.SOURCE)
    lines = ["| file | | lines added | deleted |", "| --- | --- | ---: | ---: |"]
    for change in changes:
        added, deleted = change.lines()
        name = f"`{change.path}`"
        if change.new is not None:
            name = f"[{name}]({guide.link(f'{snapshot.path.name}/{change.path}')})"
        lines.append(f"| {name} | {change.kind} | {added} | {deleted} |")
    added, deleted = diffs.total(changes)
    lines.append(f"| **all** | | **{added}** | **{deleted}** |")
    command = f"python3 -m course diff {snapshot.lesson.word}"
    return "\n".join(lines) + (
        "\n\nLines of code, without blank lines, comments and docstrings."
        f" See the lines themselves with `{command}`; with `--tests` also those of the tests."
    )
