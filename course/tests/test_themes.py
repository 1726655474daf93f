"""The themes of the difference between step 10 and final."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from course.cli import ROOT
from course.files import Scope, contents
from course.snapshots import find
from course.themes import THEMES, theme_of


@pytest.mark.parametrize(
    ("path", "theme"),
    [
        ("taskflow/config.py", "settings"),
        ("taskflow/journal.py", "journal"),
        ("taskflow/tls.py", "guards-and-tls"),
        ("taskflow/board/index.html", "board"),
        ("taskflow/board/deep/icon.svg", "board"),
        ("taskflow/openapi/schemas.py", "metrics-and-openapi"),
        ("taskflow/dispatch/leases.py", "dispatch"),
        ("taskflow/parser.py", "speed"),
        ("taskflow/tour/__init__.py", "tour"),
        ("taskflow/odd.py", None),
        ("taskflow/deep/config.py", None),
    ],
)
def test_the_theme_of_a_file(path: str, theme: str | None) -> None:
    assert theme_of(path) == theme


def test_no_file_of_final_matches_two_themes() -> None:
    for path in contents(find(ROOT, "final").path, Scope.SOURCE):
        name = path.removeprefix("taskflow/")
        found = [
            theme
            for theme, patterns in THEMES.items()
            if any(fnmatchcase(name, pattern) for pattern in patterns)
        ]
        assert len(found) <= 1, (path, found)
