"""No command: the path, what of it is here, and where to go from there.

A place on the path has one word of state, `state()`; a learner's own progress
belongs there too.
"""

from pathlib import Path

from course.snapshots import LESSONS, Lesson, newest, present
from course.terminal import BOLD, DIM, paint, table

_COMMANDS = (
    ("serve {step}", "start its server, then: curl localhost:3000/health"),
    ("diff {step}", "what it adds to the step before"),
    ("test {step}", "run its tests (without a number: everything)"),
    ("--help", "all commands"),
)


def overview(root: Path, colour: bool) -> str:
    """The whole page."""
    title = "Taskflow: a task queue server, from raw bytes to WebSockets"
    rows = [("", "name", "the lesson", ""), *(_row(root, lesson) for lesson in LESSONS)]
    lines = table(rows).splitlines()
    if colour:
        title = paint(title, BOLD)
        lines = [paint(line, DIM) if line.endswith("coming") else line for line in lines]
    step = newest(root).lesson.word
    commands = [(f"python3 -m course {c.format(step=step)}", what) for c, what in _COMMANDS]
    return "\n".join([title, "", *lines, "", table(commands)])


def _row(root: Path, lesson: Lesson) -> tuple[str, str, str, str]:
    number = "" if lesson.is_final else f"{lesson.number:>2}"
    return number, lesson.name, lesson.title, state(root, lesson)


def state(root: Path, lesson: Lesson) -> str:
    """One word on this place of the path."""
    here = any(snapshot.lesson == lesson for snapshot in present(root))
    return "here" if here else "coming"
