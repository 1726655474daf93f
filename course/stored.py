"""The rendered differences that stand in `guides/diffs/`, to be reviewed as text.

One file a step, `02.diff` … `final.diff`. It shows the source whole; of the
tests and the step's other files it lists what differs, with counts and a
fingerprint of their difference, so that a fix which was carried nowhere is
noticed there too. READMEs are left out: each step tells its own story.

No line numbers anywhere: a fix that reached every snapshot changes nothing
here (unless it stands beside a lesson's lines), and one that did not, does.
"""

from collections.abc import Iterator
from difflib import unified_diff
from hashlib import sha256
from itertools import islice
from pathlib import Path

from course.diffs import FileChange, compare
from course.files import Scope
from course.rendering import render
from course.snapshots import Snapshot, neighbours
from course.terminal import table

FOLDER = Path("guides", "diffs")
MOST_SHOWN = 24  # lines of a difference between what stands and what should


def pairs(root: Path) -> list[tuple[Snapshot, Snapshot]]:
    """Each snapshot with its successor."""
    return [(old, new) for old, new in neighbours(root) if old]


def path_of(root: Path, snapshot: Snapshot) -> Path:
    """Where the difference that leads to `snapshot` is kept."""
    return root / FOLDER / f"{snapshot.lesson.stem}.diff"


def text_of(old: Snapshot, new: Snapshot) -> str:
    """The difference as it should stand in the file now."""
    changes = compare(old.path, new.path, Scope.ALL)
    source = [change for change in changes if Scope.SOURCE.holds(change.path)]
    beside = [change for change in changes if change not in source and change.path != "README.md"]
    title = f"# {new.path.name}: what it adds to {old.path.name} (python3 -m course diff"
    return f"{title} {new.lesson.word})\n{_beside(beside)}\n{render(source, numbers=False)}"


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
    """Write all files anew; returns those that changed, also those that went."""
    wanted = {path_of(root, new): text_of(old, new) for old, new in pairs(root)}
    touched = []
    for path in sorted({*wanted, *(root / FOLDER).glob("*.diff")}):
        if path not in wanted:
            path.unlink()
        elif _read(path) != wanted[path]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wanted[path].encode())
        else:
            continue
        touched.append(path)
    return touched


def first_difference(root: Path, old: Snapshot, new: Snapshot) -> str | None:
    """The first place where the file is not as it should be; None where it is."""
    stands, wanted = _read(path_of(root, new)) or "", text_of(old, new)
    return None if stands == wanted else "".join(_first_hunk(stands, wanted))


def _read(path: Path) -> str | None:
    return path.read_bytes().decode(errors="replace") if path.is_file() else None


def _first_hunk(stands: str, wanted: str) -> Iterator[str]:
    lines = unified_diff(stands.split("\n"), wanted.split("\n"), n=2, lineterm="")
    for number, line in enumerate(islice(lines, 3, None)):  # behind ---, +++ and @@
        if line.startswith("@@"):
            return
        if number == MOST_SHOWN:
            yield "  …\n"
            return
        yield f"  {line}".rstrip() + "\n"
