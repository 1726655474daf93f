"""The laws of who may import what: the core is pure, and no imports form a circle.

`FORBIDDEN` is the table to change when the architecture changes.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from course.faults import Fault
from course.files import Scope, contents
from course.imports import Package, circles, read
from course.snapshots import Snapshot

_LOOP_AND_CLOCK = ("asyncio", "selectors", "socket", "time")
_MESSAGES = ("taskflow.http", "taskflow.parser", "taskflow.middleware")
_ALL_OF_HTTP = (
    *_MESSAGES,
    "http",
    "taskflow.app",
    "taskflow.chunked",
    "taskflow.connection",
    "taskflow.router",
    "taskflow.routes",
    "taskflow.server",
    "taskflow.upgrade",
    "taskflow.websocket",
)

# Module (a pattern of fnmatch) → what it never imports, nor anything inside it.
FORBIDDEN: Mapping[str, tuple[str, ...]] = {
    # Bytes in, requests out, however the bytes were cut: tested without a socket or a clock.
    "taskflow.http": _LOOP_AND_CLOCK,
    "taskflow.parser": _LOOP_AND_CLOCK,
    # The data structures would serve any protocol.
    "taskflow.heap": _ALL_OF_HTTP,
    "taskflow.dependencies": _ALL_OF_HTTP,
    "*.store": _ALL_OF_HTTP,
    # What keeps or records things gets values, never messages.
    "*.journal": _MESSAGES,
    "*.database": _MESSAGES,
    "*.logs": _MESSAGES,
}
OTHER_PACKAGES = ("course", "benchmarks")


def of_snapshot(snapshot: Snapshot) -> Iterator[Fault]:
    """Check the imports of a snapshot's package."""
    package = read(contents(snapshot.path, Scope.SOURCE))
    yield from _circles(snapshot.path.name, package)
    yield from _impurities(snapshot.path.name, package)


def of_other_packages(root: Path) -> Iterator[Fault]:
    """Check the imports of the packages beside the snapshots, where they are here."""
    for name in OTHER_PACKAGES:
        files = contents(root / name) if (root / name).is_dir() else {}
        package = read({f"{name}/{path}": data for path, data in files.items()})
        yield from _circles(name, package)


def _circles(where: str, package: Package) -> Iterator[Fault]:
    for circle in circles(package):
        way = " -> ".join([*circle, circle[0]])
        yield Fault("imports", where, f"a circle of imports: {way}")


def _impurities(where: str, package: Package) -> Iterator[Fault]:
    for module, imports in package.items():
        forbidden = [
            name
            for pattern, names in FORBIDDEN.items()
            if fnmatchcase(module, pattern)
            for name in names
        ]
        broken = {(one.line, name) for one in imports for name in forbidden if one.is_of(name)}
        for line, name in sorted(broken):
            file = f"{where}/{module.replace('.', '/')}.py:{line}"
            text = f"imports {name}, which the table in course/architecture.py forbids"
            yield Fault("imports", file, text)
