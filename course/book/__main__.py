"""The way in: ``python -m course.book write`` and ``python -m course.book check``."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from course.book import plots
from course.book.document import read
from course.book.forms import check_form
from course.book.guide import ROOT
from course.book.rules import check_document, check_skipped
from course.book.weave import Finding, Woven, weave

AUTHORS = "CONTRIBUTING.md"  # shows markers as examples, so it has none
WORKERS = 2


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Exit status 0, or 1 with one line for each finding, or 2 when it cannot work at all."""
    parser = argparse.ArgumentParser(prog="python -m course.book", description=__doc__)
    parser.add_argument("command", choices=("write", "check"))
    parser.add_argument("guides", nargs="*", type=Path, help="default: all in guides/")
    options = parser.parse_args(argv)
    if missing := [program for program in ("bash", "curl") if shutil.which(program) is None]:
        print(f"the guides need {' and '.join(missing)}: install it first", file=sys.stderr)
        return 2
    named = [path.resolve() for path in options.guides]
    if absent := [str(path) for path in named if not path.is_file()]:
        print(f"no such guide: {', '.join(absent)}", file=sys.stderr)
        return 2
    guides = named or all_guides(root)
    findings = write(guides, root) if options.command == "write" else check(guides, root)
    for finding in sorted(findings):
        print(finding)
    verdict = f"{len(findings)} findings" if findings else "nothing to complain about"
    print(f"{len(guides)} guides: {verdict}", file=sys.stderr)
    return 1 if findings else 0


def all_guides(root: Path) -> list[Path]:
    """The guides, in the order of their names."""
    return [path for path in sorted((root / "guides").glob("*.md")) if path.name != AUTHORS]


def write(guides: Iterable[Path], root: Path) -> list[Finding]:
    """Draw the plots and bring guides up to date; one with an error in it stays as it was."""
    findings = [Finding(path, 1, problem) for path, problem in plots.write(root)]
    for woven in woven_guides(guides, root):
        findings += woven.findings
        if woven.new != woven.old:
            woven.path.write_text(woven.new, encoding="utf-8")
            print(f"written: {woven.path.relative_to(root)}")
    return findings


def check(guides: Sequence[Path], root: Path) -> list[Finding]:
    """All that is out of date or against a rule. Writes nothing."""
    findings = [Finding(path, 1, problem) for path, problem in plots.stale(root)]
    for woven in woven_guides(guides, root):
        findings += woven.findings
        findings += woven.changes(woven.path.relative_to(root).as_posix())
    authors = root / "guides" / AUTHORS
    if authors.is_file() and list(guides) == all_guides(root):
        findings += check_links(authors, root)
    for path in guides:
        document = read(path)
        findings += [*check_document(document, root), *check_form(document, root)]
    return [*findings, *check_skipped(map(read, all_guides(root)), root)]


def check_links(path: Path, root: Path) -> list[Finding]:
    """The rules for a page that shows how things are written: its links alone."""
    document = read(path)
    document.fences.clear()
    document.codes.clear()
    return list(check_document(document, root))


def woven_guides(guides: Iterable[Path], root: Path) -> list[Woven]:
    """Make guides in two processes, each of which has one guide at a time."""
    pool = ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"))
    try:
        return list(pool.map(partial(weave, root=root), guides))
    finally:
        pool.shutdown(cancel_futures=True)


if __name__ == "__main__":
    sys.exit(main())
