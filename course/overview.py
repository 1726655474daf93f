"""No command: the path, what of it is here, and where to go from there.

A place on the path has one word of state, `state()`; a learner's own progress
belongs there too.
"""

from pathlib import Path

from course.snapshots import LESSONS, Lesson, present
from course.terminal import BOLD, DIM, paint, table

_NEXT = (
    ("guides/README.md", "how to go about it: begin here"),
    ("python3 -m course serve 1", "start the server of step 1; then: curl localhost:3000/health"),
    ("python3 -m course diff 2", "show what step 2 adds to step 1"),
    ("python3 -m course demo", "which demos there are: a lesson shown in one command"),
    ("python3 -m course test 1", "run the tests of step 1; without a number, everything"),
    ("python3 -m course --help", "all commands"),
)


def overview(root: Path, colour: bool) -> str:
    """The whole page."""
    title = "Taskflow: a task queue server, from raw bytes to WebSockets"
    rows = [("", "name", "the lesson", ""), *(_row(root, lesson) for lesson in LESSONS)]
    lines = table(rows).splitlines()
    if colour:
        title = paint(title, BOLD)
        lines = [paint(line, DIM) if line.endswith("coming") else line for line in lines]
    return "\n".join([title, "", *lines, "", table(_NEXT)])


def _row(root: Path, lesson: Lesson) -> tuple[str, str, str, str]:
    number = "" if lesson.is_final else f"{lesson.number:>2}"
    return number, lesson.name, lesson.title, state(root, lesson)


def state(root: Path, lesson: Lesson) -> str:
    """One word on this place of the path."""
    here = any(snapshot.lesson == lesson for snapshot in present(root))
    return "here" if here else "coming"
