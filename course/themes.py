"""The themes by which the difference between step 10 and `final` is split.

As one text it would be too long to review. A file of `final` belongs to the first theme with a
pattern that matches it; `integrity` reports a file that belongs to none.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from course.diffs import FileChange
from course.errors import CourseError
from course.files import Scope

# Theme → patterns of fnmatch for paths below taskflow/, where * also matches /.
THEMES: dict[str, tuple[str, ...]] = {
    "settings": (
        "__init__.py",
        "__main__.py",
        "app.py",
        "command_line.py",
        "config.py",
        "health.py",
    ),
    "journal": (
        "journal.py",
        "database.py",
        "store.py",
        "resolution.py",
        "dependencies.py",
        "events.py",
    ),
    "guards-and-tls": (
        # connections
        "connection.py",
        "connection_state.py",
        "sending.py",
        "server.py",
        "tls.py",
        "flow_control.py",
        "deadlines.py",
        "upgrade.py",
        "websocket.py",
        # requests
        "middleware.py",
        "context.py",
        "router.py",
        "routes.py",
        "query.py",
        "errors.py",
        "streaming.py",
        "importing.py",
        # services
        "background.py",
        "hub.py",
        "workers.py",
        "worker_process.py",
        "jobs.py",
        "job_routes.py",
    ),
    "board": ("board/*", "watch.py"),
    "metrics-and-openapi": (
        "openapi/*",
        "metrics.py",
        "readiness.py",
        "histogram.py",
        "logs.py",
        "history.py",
        "process.py",
        "memory_routes.py",
        "allocations.py",
        "leak_demo.py",
    ),
    "dispatch": ("dispatch/*",),
    "clients": ("client/*",),
    "postgres": ("postgres/*", "backend.py"),
    "speed": (
        "http.py",
        "parser.py",
        "chunked.py",
        "codec.py",
        "clock.py",
        "tasks.py",
        "heap.py",
        "cache.py",
        "outbox.py",
    ),
    "tour": ("tour/*", "demo.py", "demo_routes.py"),
}


def theme_of(path: str) -> str | None:
    """Return the theme of a source file, by its path in the snapshot; None where it has none."""
    name = path.removeprefix("taskflow/")
    for theme, patterns in THEMES.items():
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return theme
    return None


def within(theme: str, changes: Iterable[FileChange]) -> list[FileChange]:
    """Return the changes of the source files that belong to `theme`."""
    if theme not in THEMES:
        raise CourseError(f"unknown theme {theme!r}: there are {', '.join(THEMES)}")
    return [
        change
        for change in changes
        if Scope.SOURCE.holds(change.path) and theme_of(change.path) == theme
    ]
