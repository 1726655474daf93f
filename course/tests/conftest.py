"""What the tests of the helper share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from course.tests.small_course import SmallCourse


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A test sees no CI, no colours and no git but what it sets up itself."""
    for name in ("CI", "NO_COLOR", "HYPOTHESIS_PROFILE", *filter(_is_git, os.environ)):
        monkeypatch.delenv(name, raising=False)
    # A repository further up (should TMPDIR lie in one) must not be found.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))


@pytest.fixture
def small(tmp_path: Path) -> SmallCourse:
    root = tmp_path / "small"
    root.mkdir()
    return SmallCourse(root)


def _is_git(name: str) -> bool:
    return name.startswith("GIT_")
