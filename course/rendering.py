"""A difference as text: unified, without dates, the same on every machine.

Two forms. With line numbers it is what `patch -p1` and `git apply` take. The
stored form names the function instead, so that a fix which was carried through
all snapshots leaves the text as it was, and one that was not stands out.

Hunks are moved to where a reader would put them: of all places where the same
added lines could stand, the one that begins a block after an empty line.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from course.diffs import FileChange
from course.terminal import BOLD, CYAN, GREEN, RED, paint

CONTEXT = 3
_DEFINITION = re.compile(r"\s*(?:async\s+)?(?P<text>(?:def|class)\s+\w+)")
_TITLES = ("--- a/", "--- /dev/null", "+++ b/", "+++ /dev/null", "Binary file ", "Empty file ")
_COLOURS = {"+": GREEN, "-": RED, "@": CYAN}


@dataclass(frozen=True, slots=True)
class Edit:
    """`old[i1:i2]` became `new[j1:j2]`; never both empty."""

    i1: int
    i2: int
    j1: int
    j2: int


def render(changes: Iterable[FileChange], numbers: bool = True) -> str:
    """All changes as one unified diff."""
    return "".join(line for change in changes for line in _file(change, numbers))


def coloured(text: str) -> str:
    """The diff `text` with the colours that readers of git know."""
    return "\n".join(map(_colour, text.split("\n")))


def _colour(line: str) -> str:
    if line.startswith(_TITLES):
        return paint(line, BOLD)
    code = _COLOURS.get(line[:1])
    return paint(line, code) if code else line


def _file(change: FileChange, numbers: bool) -> Iterator[str]:
    both = (change.old or b"") + (change.new or b"")
    if not both or b"\0" in both:
        yield f"{'Binary' if both else 'Empty'} file {change.path} {change.kind}\n"
        return
    yield f"--- {'/dev/null' if change.old is None else 'a/' + change.path}\n"
    yield f"+++ {'/dev/null' if change.new is None else 'b/' + change.path}\n"
    old, new = _lines(change.old), _lines(change.new)
    for hunk in _hunks(edits(old, new)):
        yield _heading(hunk, old, new, numbers)
        yield from _body(hunk, old, new)


def _lines(data: bytes | None) -> list[str]:
    """Split at line feeds alone: a form feed or U+2028 is part of its line."""
    text = (data or b"").decode(errors="backslashreplace")
    return [part for part in re.split(r"(?<=\n)", text) if part]


def edits(old: Sequence[str], new: Sequence[str]) -> list[Edit]:
    """The places where `new` differs from `old`, in order."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    found = [Edit(*places) for tag, *places in matcher.get_opcodes() if tag != "equal"]
    moved: list[Edit] = []
    for edit, following in zip(found, [*found[1:], None], strict=True):
        floor = moved[-1].i2 if moved else 0
        ceiling = following.i1 if following else len(old)
        moved.append(_slide(edit, old, new, floor - edit.i1, ceiling - edit.i2))
    return moved


def _slide(edit: Edit, old: Sequence[str], new: Sequence[str], up: int, down: int) -> Edit:
    """Move a pure insertion or deletion to its best place among the equal lines.

    `a, b` that became `a, b, a, b` had `a, b` added before, behind, or `b, a`
    between: sliding by one changes the view, never the result. `up` (negative)
    and `down` say how far the equal lines around it reach.
    """
    inserted = edit.i1 == edit.i2
    if not inserted and edit.j1 != edit.j2:
        return edit
    lines, first, last = (new, edit.j1, edit.j2) if inserted else (old, edit.i1, edit.i2)
    low = high = 0
    while low > up and lines[first + low - 1] == lines[last + low - 1]:
        low -= 1
    while high < down and lines[first + high] == lines[last + high]:
        high += 1
    by = max(range(low, high + 1), key=lambda by: (*_fitness(lines, first + by), by))
    return Edit(edit.i1 + by, edit.i2 + by, edit.j1 + by, edit.j2 + by)


def _fitness(lines: Sequence[str], first: int) -> tuple[bool, bool, int]:
    """How well a block that begins at `lines[first]` reads as one of its own."""
    text = lines[first].strip()
    opens_block = first == 0 or not lines[first - 1].strip()
    return bool(text), opens_block, -_indent(lines[first])


def _hunks(found: Sequence[Edit]) -> list[list[Edit]]:
    """Edits whose lines of context would touch stand in one hunk."""
    hunks: list[list[Edit]] = []
    for edit in found:
        if hunks and edit.i1 - hunks[-1][-1].i2 <= 2 * CONTEXT:
            hunks[-1].append(edit)
        else:
            hunks.append([edit])
    return hunks


def _heading(hunk: Sequence[Edit], old: Sequence[str], new: Sequence[str], numbers: bool) -> str:
    first, last = hunk[0], hunk[-1]
    changed = new[first.j1 : last.j2] if first.j1 < first.j2 else old[first.i1 : last.i2]
    section = _section(old[: first.i1], changed)
    if not numbers:
        return f"@@ {section or 'module'} @@\n"
    before, after = _margins(hunk, old)
    place = f"-{_range(first.i1 - before, last.i2 + after)}"
    place += f" +{_range(first.j1 - before, last.j2 + after)}"
    return f"@@ {place} @@ {section}".rstrip() + "\n"


def _body(hunk: Sequence[Edit], old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    before, after = _margins(hunk, old)
    at = hunk[0].i1 - before
    for edit in hunk:
        yield from _marked(" ", old[at : edit.i1])
        yield from _marked("-", old[edit.i1 : edit.i2])
        yield from _marked("+", new[edit.j1 : edit.j2])
        at = edit.i2
    yield from _marked(" ", old[at : at + after])


def _margins(hunk: Sequence[Edit], old: Sequence[str]) -> tuple[int, int]:
    """Lines of context before and after: fewer at the ends of the file."""
    return min(CONTEXT, hunk[0].i1), min(CONTEXT, len(old) - hunk[-1].i2)


def _range(first: int, last: int) -> str:
    """`start,length`, counted from 1; an empty range names the line before it."""
    length = last - first
    return f"{first + 1 if length else first},{length}"


def _marked(mark: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        ended = line.endswith("\n")
        yield mark + line if ended else f"{mark}{line}\n\\ No newline at end of file\n"


def _section(above: Sequence[str], changed: Sequence[str]) -> str:
    """The class and function that the changed lines stand in: `class Heap, def push`."""
    names: list[str] = []
    limit = next((_indent(line) for line in changed if line.strip()), 0)
    for line in reversed(above):
        found = _DEFINITION.match(line)
        if found and _indent(line) < limit:
            limit = _indent(line)
            names.insert(0, found["text"])
    return ", ".join(names)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
