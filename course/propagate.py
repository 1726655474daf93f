"""`propagate`: carries a change made in one step into every later snapshot.

base    the step's file as git has it (HEAD, or --from)
theirs  the same file as it stands now
ours    the later snapshot's file

Each later file gets the change base → theirs by `git merge-file`. Where it has
the change already nothing happens, so a second run is harmless. A conflict
leaves the usual markers in that one file, and the file is carried no further:
one settles it there and propagates from there, instead of settling the same
thing ten times over. All other files are carried to the end.

Files that are new or deleted in the step are carried too. A new file is added
to each later snapshot that has none of that name. A deleted file is deleted
where it is the same as before the change, and is a conflict where it differs.
"""

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from course.diffs import FileChange, compare_contents
from course.errors import CourseError
from course.files import contents, is_ignored
from course.merging import git, merge
from course.snapshots import Snapshot, after, find


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file in one later snapshot."""

    snapshot: Snapshot
    path: str
    verdict: str  # copied, merged, deleted, as it is, CONFLICT
    reason: str = ""

    @property
    def is_conflict(self) -> bool:
        return self.verdict == "CONFLICT"


def changes_since(root: Path, snapshot: Snapshot, revision: str) -> list[FileChange]:
    """What changed in a step since `revision`; raises where there is nothing to carry."""
    changes = compare_contents(_committed(root, snapshot, revision), contents(snapshot.path))
    if not changes:
        raise CourseError(
            f"nothing to carry: {snapshot.path.name} is as in {revision}"
            " (for a change that is committed already: --from REV)"
        )
    return changes


def propagate(root: Path, word: str, revision: str, dry_run: bool) -> list[Outcome]:
    """Carry the change into each later snapshot; tells what became of each file, nearest first."""
    origin = find(root, word)
    later = after(root, origin)
    if not later:
        raise CourseError(f"nothing to carry to: no snapshot comes after {origin.lesson.label}")
    changes = changes_since(root, origin, revision)
    outcomes: list[Outcome] = []
    for snapshot in later:
        stuck = {outcome.path for outcome in outcomes if outcome.is_conflict}
        outcomes += [
            _carry(change, origin, snapshot, dry_run)
            for change in changes
            if change.path not in stuck
        ]
    return outcomes


def report(outcomes: Sequence[Outcome], dry_run: bool) -> str:
    """What happened, a line each, and what to do now."""
    lines = []
    for outcome in outcomes:
        reason = f" ({outcome.reason})" if outcome.reason else ""
        lines.append(f"  {outcome.verdict:<8}  {outcome.snapshot.path.name}/{outcome.path}{reason}")
    conflicts = [outcome for outcome in outcomes if outcome.is_conflict]
    for outcome in conflicts:
        where = f"{outcome.snapshot.path.name}/{outcome.path}"
        step = outcome.snapshot.lesson.word
        lines.append(f"Settle {where}, then: python3 -m course propagate {step}")
    if dry_run:
        lines.append("Nothing was written (--dry-run).")
    elif not conflicts:
        lines.append("Carried to the end. Now: python3 -m course integrity")
    return "\n".join(lines) + "\n"


def _carry(change: FileChange, origin: Snapshot, snapshot: Snapshot, dry_run: bool) -> Outcome:
    target = snapshot.path / change.path
    ours = target.read_bytes() if target.is_file() else None
    labels = (snapshot.lesson.label, "before", origin.lesson.label)
    merged = merge(change, ours, labels)
    if merged.data is None and ours is not None and not dry_run:
        _delete(target, snapshot.path)
    elif merged.data is not None and merged.data != ours and not dry_run:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(merged.data)
    return Outcome(snapshot, change.path, merged.verdict, merged.reason)


def _delete(target: Path, top: Path) -> None:
    """Delete a file, and each folder below `top` that is empty without it."""
    target.unlink()
    folder = target.parent
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _committed(root: Path, snapshot: Snapshot, revision: str) -> dict[str, bytes]:
    """A step's files as git has them in `revision`, read in one go."""
    git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    tar = git(root, "archive", "--format=tar", revision, "--", snapshot.path.name)
    files = {}
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        for member in archive:
            path = Path(member.name).relative_to(snapshot.path.name)
            ignored = any(is_ignored(part, root / ".gitignore") for part in path.parts)
            if (data := archive.extractfile(member)) and not ignored:
                files[path.as_posix()] = data.read()
    return files
