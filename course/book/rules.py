"""What every guide obeys, beside being up to date: links, shell blocks, drawings, file names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from course.book.consoles import SKIPPED
from course.book.document import Document, read
from course.book.weave import Finding

MOST_SKIPPED = 0.02  # of all shell blocks of all guides

_DIAGRAMS = frozenset(
    {"flowchart", "graph", "sequenceDiagram", "stateDiagram", "stateDiagram-v2", "classDiagram"}
    | {"erDiagram", "gantt", "pie", "mindmap", "timeline", "gitGraph", "journey", "block-beta"}
    | {"packet-beta", "quadrantChart", "xychart-beta"}
)
_FILE = re.compile(r"(taskflow|tests|course|guides|benchmarks|step\d\d_\w+)(/[\w.-]+)+\.[a-z]+")


def check_document(document: Document, root: Path) -> Iterator[Finding]:
    """All rules that concern one guide alone."""
    name = document.path.relative_to(root).as_posix()
    for link in document.links:
        if problem := _link_problem(document, link.text, root):
            yield Finding(name, link.line, problem)
    for fence in document.fences:
        if fence.is_shell and not fence.generated and not fence.following.startswith(SKIPPED):
            yield Finding(name, fence.line, "a shell block typed by hand: make it with shell()")
        if fence.language == "mermaid":
            first = (fence.content.split() or [""])[0]
            if first not in _DIAGRAMS:
                yield Finding(name, fence.line, f"Mermaid knows no diagram {first!r}")
    for code in document.codes:
        if _FILE.fullmatch(code.text) and not _file_exists(code.text, root):
            yield Finding(name, code.line, f"no such file: {code.text}")


def check_skipped(documents: Iterable[Document], root: Path) -> Iterator[Finding]:
    """At most one shell block in fifty is shown without having been run."""
    blocks = [
        (document, fence) for document in documents for fence in document.fences if fence.is_shell
    ]
    skipped = [(one, fence) for one, fence in blocks if fence.following.startswith(SKIPPED)]
    if len(skipped) > MOST_SKIPPED * len(blocks):
        document, fence = skipped[-1]
        yield Finding(
            document.path.relative_to(root).as_posix(),
            fence.line,
            f"{len(skipped)} of {len(blocks)} shell blocks are skipped,"
            f" more than {MOST_SKIPPED:.0%}",
        )


def _link_problem(document: Document, target: str, root: Path) -> str:
    """What is wrong with a link; nothing is fetched."""
    address = urlsplit(target)
    if address.scheme:
        web = address.scheme in ("http", "https") and address.netloc
        return "" if web or address.scheme == "mailto" else f"not a web address: {target}"
    if target.startswith("/"):
        return f"link from the root of a disk or site: {target}"
    file = (document.path.parent / unquote(address.path)).resolve() if address.path else None
    if file is None:
        return "" if address.fragment in document.anchors else f"no heading for {target}"
    if not file.is_relative_to(root.resolve()) or not file.exists():
        return f"dead link: {target}"
    if address.fragment and file.suffix == ".md" and address.fragment not in read(file).anchors:
        return f"no heading for {target}"
    return ""


def _file_exists(name: str, root: Path) -> bool:
    """Whether a file is there, named from the root or from within some step."""
    return (root / name).exists() or any(root.glob(f"step*/{name}"))
