"""Which tox envs are run, and with what status."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from course import processes, testing
from course.errors import CourseError
from course.testing import SystemEnv
from course.tests.small_course import SmallCourse

BROWSER = SystemEnv("browser", ("chromium", "google-chrome"), "chromium")
DOCS = SystemEnv("docs", ("pandoc",), "pandoc")


class Tox:
    """Stands in for tox: remembers what it was asked to run."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.extra: Mapping[str, str] = {}
        self.statuses: list[int] = []

    def run(
        self, command: Sequence[str | Path], cwd: Path, extra: Mapping[str, str] | None = None
    ) -> int:
        assert [str(part) for part in command[:5]] == [
            "python",
            "-m",
            "tox",
            "run",
            "-c",
        ]
        assert command[5] == cwd / "tox.ini"
        self.asked.append([str(part) for part in command[6:]])
        self.extra = extra or {}
        return self.statuses.pop(0) if self.statuses else 0


@pytest.fixture
def tox(monkeypatch: pytest.MonkeyPatch) -> Tox:
    stand_in = Tox()
    monkeypatch.setattr(testing, "tools_python", lambda root: Path("python"))
    monkeypatch.setattr(processes, "run", stand_in.run)
    monkeypatch.setattr(testing, "SYSTEM_ENVS", (BROWSER, DOCS))
    monkeypatch.setattr(shutil, "which", lambda name: name if name == "google-chrome" else None)
    return stand_in


@pytest.mark.parametrize(
    ("word", "asked"),
    [("3", ["-e", "step03"]), (None, []), ("all", []), ("step04", ["-e", "step04"])],
)
def test_the_envs_of_a_word(
    small: SmallCourse, tox: Tox, word: str | None, asked: list[str]
) -> None:
    assert testing.test(small.root, word, everything=False) == 0
    assert tox.asked == [asked]


def test_the_env_of_final(small: SmallCourse, tox: Tox) -> None:
    small.put("final/taskflow/__init__.py", "")
    assert testing.test(small.root, "final", everything=False) == 0
    assert tox.asked == [["-e", "final"]]


def test_an_unknown_step_runs_nothing(small: SmallCourse, tox: Tox) -> None:
    with pytest.raises(CourseError, match="unknown step"):
        testing.test(small.root, "twelve", everything=False)
    assert tox.asked == []


def test_what_the_system_lacks_is_skipped_aloud(
    small: SmallCourse, tox: Tox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert testing.test(small.root, None, everything=True) == 0
    assert tox.asked == [[], ["-e", "browser"]]
    assert "SKIPPED docs: no pandoc here (Debian package pandoc)" in capsys.readouterr().err


def test_on_a_build_server_it_fails(
    small: SmallCourse,
    tox: Tox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CI", "true")
    assert testing.test(small.root, None, everything=True) == 1
    assert tox.asked == [[], ["-e", "browser"]]
    assert "FAILED docs" in capsys.readouterr().err


def test_the_first_failure_gives_the_status(small: SmallCourse, tox: Tox) -> None:
    tox.statuses = [0, 5]
    assert testing.test(small.root, None, everything=True) == 5
    tox.statuses = [3, 5]
    assert testing.test(small.root, None, everything=True) == 3


def test_hypothesis_tries_harder_on_a_build_server(
    small: SmallCourse, tox: Tox, monkeypatch: pytest.MonkeyPatch
) -> None:
    testing.test(small.root, "1", everything=False)
    assert tox.extra == {}
    monkeypatch.setenv("CI", "true")
    testing.test(small.root, "1", everything=False)
    assert tox.extra == {"HYPOTHESIS_PROFILE": "ci"}
    monkeypatch.setenv("HYPOTHESIS_PROFILE", "thorough")
    testing.test(small.root, "1", everything=False)
    assert tox.extra == {}
