"""The path: ten lessons, the product, and which of them are here.

Knows names, numbers and folders, and how a user may spell them. Never looks
into a snapshot. A lesson whose folder is missing is one that is still to come.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from course.errors import CourseError


@dataclass(frozen=True, slots=True)
class Lesson:
    """One place on the path, whether its folder exists yet or not."""

    number: int
    name: str
    title: str

    @property
    def is_final(self) -> bool:
        return self.name == "final"

    @property
    def directory(self) -> str:
        """The folder's name: `step03_heap`, `final`."""
        return "final" if self.is_final else f"step{self.number:02}_{self.name}"

    @property
    def label(self) -> str:
        """In sentences: `step 3`, `final`."""
        return "final" if self.is_final else f"step {self.number}"

    @property
    def word(self) -> str:
        """On the command line: `3`, `final`."""
        return "final" if self.is_final else str(self.number)

    @property
    def stem(self) -> str:
        """In file names: `03`, `final`."""
        return "final" if self.is_final else f"{self.number:02}"

    @property
    def tox_env(self) -> str:
        return "final" if self.is_final else f"step{self.stem}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A lesson that is here: the folder with its program."""

    lesson: Lesson
    path: Path


LESSONS = (
    Lesson(1, "http", "bytes to requests: a parser, status codes, routing, keep-alive"),
    Lesson(2, "storage", "a hash map: every task in O(1); create, read, change, delete"),
    Lesson(3, "heap", "a binary heap with a position index: the most urgent task first"),
    Lesson(4, "deps", "linked lists and a graph: prerequisites, order, no cycles"),
    Lesson(5, "middleware", "a chain of responsibility: tokens, permissions, validation"),
    Lesson(6, "errors", "one error shape, request ids, structured logs, deadlines"),
    Lesson(7, "memory", "reference counts, the cycle collector, leaks and how to see them"),
    Lesson(8, "workers", "the GIL, threads against processes, a bounded pool"),
    Lesson(9, "streaming", "chunked bodies both ways, backpressure"),
    Lesson(10, "websockets", "the upgrade, frames, rooms, fan-out to slow and fast clients"),
    Lesson(11, "final", "the product: durable, guarded, with a live board"),
)

_SPELLINGS = re.compile(r"(?:step)?0*(?P<number>[1-9][0-9]?)(?P<name>_[a-z]+)?/?")


def present(root: Path) -> list[Snapshot]:
    """The snapshots that are here, in the order of the path."""
    places = (Snapshot(lesson, root / lesson.directory) for lesson in LESSONS)
    return [snapshot for snapshot in places if (snapshot.path / "taskflow").is_dir()]


def newest(root: Path) -> Snapshot:
    """`final` where it exists, else the highest step."""
    snapshots = present(root)
    if not snapshots:
        raise CourseError(f"no snapshot here: {root} has no step01_http")
    return snapshots[-1]


def find(root: Path, word: str) -> Snapshot:
    """The snapshot that the user means by `3`, `03`, `step03`, `step03_heap/` or `final`."""
    lesson = parse(word)
    for snapshot in present(root):
        if snapshot.lesson == lesson:
            return snapshot
    here = ", ".join(snapshot.lesson.word for snapshot in present(root))
    raise CourseError(f"{lesson.label} is still to come; here now: {here or 'none'}")


def parse(word: str) -> Lesson:
    """The lesson that `word` names; the folder may still be missing."""
    if word.rstrip("/") == "final":
        return LESSONS[-1]
    if match := _SPELLINGS.fullmatch(word):
        for lesson in LESSONS[:-1]:
            right_name = match["name"] in (None, f"_{lesson.name}")
            if lesson.number == int(match["number"]) and right_name:
                return lesson
    raise CourseError(f"unknown step {word!r}: the path has steps 1 to 10, and final")


def neighbours(root: Path) -> list[tuple[Snapshot | None, Snapshot]]:
    """Each snapshot with the one before it; the first has none."""
    snapshots = present(root)
    return list(zip([None, *snapshots], snapshots, strict=False))


def before(root: Path, snapshot: Snapshot) -> Snapshot | None:
    """The snapshot that this one grew from."""
    return next(old for old, new in neighbours(root) if new == snapshot)


def after(root: Path, snapshot: Snapshot) -> list[Snapshot]:
    """All later snapshots, nearest first."""
    return [one for one in present(root) if one.lesson.number > snapshot.lesson.number]
