"""`integrity`: checks the snapshots against their laws and shows their sizes.

The checks are in `laws` and `architecture`; here they are run and reported.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from course import architecture, laws, stored
from course.errors import CourseError
from course.faults import Fault
from course.laws import Size
from course.terminal import table

KEPT = "All laws are kept.\n"


def integrity(root: Path, rewrite: bool) -> tuple[str, bool]:
    """The report, and whether all laws are kept. `rewrite` renders guides/diffs/ again first."""
    found = laws.sizes(root)
    if not found:
        raise CourseError(f"no snapshot to check in {root}")
    written = _written(root, stored.update(root)) if rewrite else ""
    review = stored.review(root)
    faults = {size.snapshot: _faults_of(size) for size in found}
    differences = {}
    for snapshot, fault in laws.themed(root):
        faults[snapshot].append(fault)
    for snapshot, fault, difference in laws.travelled(root, review):
        faults[snapshot].append(fault)
        differences[fault] = difference
    everything = [fault for some in faults.values() for fault in some]
    everything += laws.small_on_median(found)
    everything += laws.left_over(root, review)
    everything += architecture.of_other_packages(root)
    rows = [_row(size, faults[size.snapshot]) for size in found]
    report = f"{written}{_table(rows)}{_footing(found)}\n{_conclusion(everything, differences)}"
    return report, all(fault.is_warning for fault in everything)


def _faults_of(size: Size) -> list[Fault]:
    snapshot = size.snapshot
    return [
        *laws.whole(snapshot),
        *laws.self_contained(snapshot),
        *laws.small(size),
        *laws.readable(snapshot),
        *architecture.of_snapshot(snapshot),
    ]


def _written(root: Path, touched: Sequence[Path]) -> str:
    names = ", ".join(path.relative_to(root).as_posix() for path in touched)
    return f"Rendered again: {names}\n\n" if names else "Nothing to render again.\n\n"


def _table(rows: Sequence[Sequence[str | int]]) -> str:
    heads = ("step", "files added", "changed", "lines +", "-", "sum", "aim", "prose", "verdict")
    return table([heads, *rows])


def _row(size: Size, faults: Sequence[Fault]) -> Sequence[str | int]:
    return (
        size.snapshot.path.name,
        size.files_added,
        size.files_changed,
        size.lines_added,
        size.lines_deleted,
        size.lines,
        size.aim or "",
        f"{laws.prose_share(size.snapshot)} %",
        _verdict(faults),
    )


def _verdict(faults: Sequence[Fault]) -> str:
    """The laws that are broken; else what the warnings are about."""
    if broken := {fault.law for fault in faults if not fault.is_warning}:
        return ", ".join(sorted(broken))
    labels = {"law 3": "over its aim", "style": "long module"}
    return ", ".join(sorted({labels[fault.law] for fault in faults})) or "ok"


def _footing(found: list[Size]) -> str:
    return (
        "\n  Lines of code under taskflow/, compared with the step before. Prose: comments and\n"
        "  docstrings among the lines that are not blank. The median of the sums after the\n"
        f"  first step is {laws.median_change(found):g}, its aim {laws.MEDIAN_AIM}.\n"
    )


def _conclusion(faults: Sequence[Fault], differences: Mapping[Fault, str]) -> str:
    """Each warning and fault, the first lines of its difference, and how many there are."""
    warnings = [fault for fault in faults if fault.is_warning]
    broken = [fault for fault in faults if not fault.is_warning]
    lines = [f"{fault}\n{differences.get(fault, '')}" for fault in [*warnings, *broken]]
    if differences:
        lines.append("Where the lesson itself changed: python3 -m course integrity --update\n")
    if broken:
        return "".join(lines) + _counted(len(broken), "fault")
    return "".join(lines) + (_counted(len(warnings), "warning") if warnings else "") + KEPT


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}.\n"
