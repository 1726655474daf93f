"""`integrity`: holds the snapshots against their laws and shows their sizes.

The checks are in `laws`; here they are run, and told.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from course import laws, stored
from course.errors import CourseError
from course.laws import Fault, Size
from course.terminal import table


def integrity(root: Path, rewrite: bool) -> tuple[str, bool]:
    """The report, and whether all laws are kept. `rewrite` renders guides/diffs/ anew."""
    found = laws.sizes(root)
    if not found:
        raise CourseError(f"no snapshot to check in {root}")
    written = _written(root, stored.update(root)) if rewrite else ""
    faults = {size.snapshot: _faults_of(size, size is found[0]) for size in found}
    differences = {}
    for snapshot, fault, difference in laws.travelled(root):
        faults[snapshot].append(fault)
        differences[fault] = difference
    everything = [fault for some in faults.values() for fault in some]
    everything += laws.small_on_median(found)
    verdict = _told(everything, differences)
    rows = [_row(size, faults[size.snapshot]) for size in found]
    return f"{written}{_table(rows)}{_footing(found)}\n{verdict}", not everything


def _faults_of(size: Size, is_first: bool) -> list[Fault]:
    snapshot = size.snapshot
    return [
        *laws.whole(snapshot),
        *laws.self_contained(snapshot),
        *laws.small(size, is_first),
        *laws.readable(snapshot),
    ]


def _written(root: Path, touched: Sequence[Path]) -> str:
    names = ", ".join(path.relative_to(root).as_posix() for path in touched)
    return f"Rendered anew: {names}\n\n" if names else "Nothing to render anew.\n\n"


def _table(rows: Sequence[Sequence[str | int]]) -> str:
    heads = ("step", "files added", "changed", "lines +", "lines -", "prose", "verdict")
    return table([heads, *rows])


def _row(size: Size, faults: Sequence[Fault]) -> Sequence[str | int]:
    return (
        size.snapshot.path.name,
        size.files_added,
        size.files_changed,
        size.lines_added,
        size.lines_deleted,
        f"{laws.prose_share(size.snapshot)} %",
        ", ".join(sorted({fault.law for fault in faults})) or "ok",
    )


def _footing(found: list[Size]) -> str:
    return (
        "\n  Lines of code under taskflow/, against the step before. Prose: comments and\n"
        "  docstrings among the lines that are not blank. Lines added and deleted by the\n"
        f"  steps after the first: {laws.median_change(found):g} on the median,"
        f" at most {laws.MOST_MEDIAN}.\n"
    )


def _told(faults: Sequence[Fault], differences: Mapping[Fault, str]) -> str:
    if not faults:
        return "All laws are kept.\n"
    lines = [f"{fault}\n{differences.get(fault, '')}" for fault in faults]
    if differences:
        lines.append("Where the lesson itself changed: python3 -m course integrity --update\n")
    return "".join(lines) + f"{len(faults)} fault{'' if len(faults) == 1 else 's'}.\n"
