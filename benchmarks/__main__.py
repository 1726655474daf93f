"""The way in: `python -m benchmarks [NAME…]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks import report, rounds
from benchmarks.processes import CannotMeasure

# In this order: those that need no second process at the same time first.
SUBJECTS = (
    "list_dict",
    "heap",
    "next_task",
    "resolve",
    "recursion",
    "growth",
    "startup",
    "store_http",
    "http",
    "chain",
    "busy",
    "streaming",
    "websockets",
    "memory",
    "final_http",
    "final_parts",
    "final_collector",
    "final_start",
    "soak",
    "kills",
)
NEED_WRK = {"http", "chain", "final_http"}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; return 0, or 1 if something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SUBJECTS)}")
    parser.add_argument("--rounds", type=int, default=3, help="how often (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="one small round, writes nothing")
    options = parser.parse_args(argv)
    if unknown := [name for name in options.names if name not in SUBJECTS]:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(SUBJECTS)}")
    if options.rounds < 1:
        parser.error("at least one round")
    failed = [
        name
        for name in options.names or SUBJECTS
        if not _run(name, 1 if options.quick else options.rounds, options.quick)
    ]
    return 1 if failed else 0


def _run(name: str, number: int, quick: bool) -> bool:
    """Measure one subject, show it and keep it; return whether that went well."""
    subject = rounds.subject_of(name)
    try:
        rows, notes = rounds.measure(name, number, quick)
    except CannotMeasure as error:
        print(f"{name}: skipped, {error}\n", flush=True)
        return name in NEED_WRK
    print(report.tables(subject, rows))
    for note in notes:
        print(f"  {note}")
    if rows and not quick:
        print(f"  written: {report.write(name, subject, rows, number)}")
    print(flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
