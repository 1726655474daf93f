"""The rendered differences in `guides/diffs/`, to be reviewed as text.

One file for each step, `02.diff` … `10.diff`. It shows the source whole; of the
tests and the step's other files it lists those that differ, with counts and a
fingerprint of their difference, so that a fix which was carried nowhere is
noticed there too. READMEs are left out, since each step has its own.

The difference of `final` is split: a file for each theme with something in it,
`final-board.diff`, and the list of the other files in `final-beside.diff`.

No line numbers anywhere: a fix that reached every snapshot changes nothing
here (unless it is next to a lesson's lines), and one that did not, does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from hashlib import sha256
from itertools import islice
from pathlib import Path

from course.diffs import FileChange, compare
from course.files import Scope
from course.rendering import render
from course.snapshots import Snapshot, neighbours
from course.terminal import table
from course.themes import THEMES, within

FOLDER = Path("guides", "diffs")
BESIDE = "beside"  # of final: the files outside its source
MOST_SHOWN = 24  # lines of a difference between a file and what it should be


@dataclass(frozen=True, slots=True)
class Review:
    """The files in `guides/diffs/` that are not as they should be."""

    # Of each two neighbours: the files, with their first difference, or None for no file.
    wrong: list[tuple[Snapshot, Snapshot, dict[Path, str | None]]]
    # The files that belong to no difference: of a step that is gone, or of an empty theme.
    left_over: list[Path]


def pairs(root: Path) -> list[tuple[Snapshot, Snapshot]]:
    """Each snapshot with its successor."""
    return [(old, new) for old, new in neighbours(root) if old]


def files_of(old: Snapshot, new: Snapshot) -> dict[str, str]:
    """The difference between two neighbours as it should be now: file names and texts."""
    changes = compare(old.path, new.path, Scope.ALL)
    source = [change for change in changes if Scope.SOURCE.holds(change.path)]
    beside = [change for change in changes if change not in source and change.path != "README.md"]
    if new.lesson.is_final:
        return _by_theme(old, new, source, beside)
    body = f"{_beside(beside)}\n{render(source, numbers=False)}"
    return {f"{new.lesson.stem}.diff": _titled(old, new, new.lesson.word, body)}


def _by_theme(
    old: Snapshot, new: Snapshot, source: list[FileChange], beside: list[FileChange]
) -> dict[str, str]:
    bodies = {theme: render(within(theme, source), numbers=False) for theme in THEMES}
    texts = {
        theme: _titled(old, new, f"{new.lesson.word} {theme}", f"\n{body}")
        for theme, body in bodies.items()
        if body
    }
    if beside:
        texts[BESIDE] = _titled(old, new, f"{new.lesson.word} --all", _beside(beside))
    return {f"{new.lesson.stem}-{theme}.diff": text for theme, text in texts.items()}


def _titled(old: Snapshot, new: Snapshot, words: str, body: str) -> str:
    title = f"# {new.path.name}: what it adds to {old.path.name}"
    return f"{title} (python3 -m course diff {words})\n{body}"


def _beside(changes: list[FileChange]) -> str:
    """The files that are not shown, as comment lines."""
    if not changes:
        return ""
    rows: list[tuple[str | int, ...]] = [("beside the source", "", "+", "-", "fingerprint")]
    rows += [(change.path, change.kind, *change.lines(), _mark(change)) for change in changes]
    return "#\n" + table(rows, indent="# ")


def _mark(change: FileChange) -> str:
    return sha256(render([change], numbers=False).encode()).hexdigest()[:12]


def update(root: Path) -> list[Path]:
    """Rewrite all files; returns those that changed, also those that were removed."""
    folder = root / FOLDER
    wanted = {folder / name: text for pair in pairs(root) for name, text in files_of(*pair).items()}
    touched = []
    for path in sorted({*wanted, *folder.glob("*.diff")}):
        if path not in wanted:
            path.unlink()
        elif _read(path) != wanted[path]:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wanted[path].encode())
        else:
            continue
        touched.append(path)
    return touched


def review(root: Path) -> Review:
    """Compare all files with what they should be."""
    folder = root / FOLDER
    wanted: set[Path] = set()
    wrong = []
    for old, new in pairs(root):
        files = files_of(old, new)
        wanted.update(folder / name for name in files)
        found = {folder / name: _first_difference(folder / name, files[name]) for name in files}
        wrong.append((old, new, {path: text for path, text in found.items() if text != ""}))
    return Review(wrong, sorted({*folder.glob("*.diff")} - wanted))


def _first_difference(path: Path, wanted: str) -> str | None:
    """The first place where the file is not as it should be; None where there is no file."""
    text = _read(path)
    if text is None:
        return None
    return "" if text == wanted else "".join(_first_hunk(text, wanted))


def _read(path: Path) -> str | None:
    return path.read_bytes().decode(errors="replace") if path.is_file() else None


def _first_hunk(text: str, wanted: str) -> Iterator[str]:
    lines = unified_diff(text.split("\n"), wanted.split("\n"), n=2, lineterm="")
    for number, line in enumerate(islice(lines, 3, None)):  # after ---, +++ and @@
        if line.startswith("@@"):
            return
        if number == MOST_SHOWN:
            yield "  …\n"
            return
        yield f"  {line}".rstrip() + "\n"
