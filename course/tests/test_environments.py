"""Environments are made when needed, once, and from what is declared now."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from course import environments
from course.environments import declared, python_with
from course.errors import CourseError
from course.tests.small_course import SmallCourse


class Builder:
    """Stands in for venv and pip: remembers what they were asked for."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.installed: list[list[str]] = []
        self.refuses = ""

    def run(self, command: list[str], complaint: str) -> None:
        if "venv" in command:
            self.made.append(command[-1])
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()
            (Path(command[-1]) / environments.STAMP).unlink(missing_ok=True)
        elif self.refuses:
            raise CourseError(f"{complaint}: {self.refuses}")
        else:
            self.installed.append(command[6:])


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> Builder:
    stand_in = Builder()
    monkeypatch.setattr(environments, "_quietly", stand_in.run)
    return stand_in


posix = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in makes bin/python")


@posix
def test_made_once_and_announced(
    tmp_path: Path, builder: Builder, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        python = python_with(tmp_path, "step07", ["psutil"])
    assert python == tmp_path / ".venv" / "step07" / "bin" / "python"
    assert builder.made == [str(tmp_path / ".venv" / "step07")]
    assert builder.installed == [["psutil"]]
    said = capsys.readouterr()
    assert said.err == "course: making .venv/step07 with psutil (once; needs the network)\n"
    assert said.out == ""


@posix
def test_made_anew_when_the_requirements_change(tmp_path: Path, builder: Builder) -> None:
    python_with(tmp_path, "step07", ["psutil"])
    python_with(tmp_path, "step07", ["psutil>=7"])
    assert builder.installed == [["psutil"], ["psutil>=7"]]


@posix
def test_made_anew_when_the_python_changes(
    tmp_path: Path, builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = python_with(tmp_path, "tools", ["tox"])
    monkeypatch.setattr(sys, "version", "3.99.0")
    python_with(tmp_path, "tools", ["tox"])
    python.unlink()  # as a link into a Python that was removed
    python_with(tmp_path, "tools", ["tox"])
    assert len(builder.made) == 3


@posix
def test_one_that_was_interrupted_is_not_taken_for_whole(tmp_path: Path, builder: Builder) -> None:
    builder.refuses = "ERROR: no network"
    with pytest.raises(CourseError, match=r"could not install into .venv/tools: ERROR: no network"):
        python_with(tmp_path, "tools", ["tox"])
    builder.refuses = ""
    python_with(tmp_path, "tools", ["tox"])
    assert len(builder.made) == 2


def test_a_missing_venv_names_the_debian_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    with pytest.raises(CourseError, match=rf"python3-venv \(or python{version}-venv\)"):
        python_with(tmp_path, "tools", ["tox"])
    assert not (tmp_path / ".venv").exists()


def test_the_last_word_of_pip_is_passed_on() -> None:
    script = "print('ERROR: the reason'); print('hint: something else'); raise SystemExit(1)"
    with pytest.raises(CourseError, match=r"^no luck: ERROR: the reason$"):
        environments._quietly([sys.executable, "-c", script], "no luck")
    with pytest.raises(CourseError, match=r"^no luck: no reason given$"):
        environments._quietly([sys.executable, "-c", "raise SystemExit(1)"], "no luck")


def test_a_real_one_without_requirements_of_its_own(tmp_path: Path) -> None:
    # pip with nothing but itself to install needs no network.
    python = python_with(tmp_path, "tools", ["pip"])
    script = "import sys; print(sys.prefix)"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).resolve() == (tmp_path / ".venv" / "tools").resolve()


def test_declared_dependencies(small: SmallCourse) -> None:
    step = small.step("2").path
    assert declared(step) == ()
    small.replace("step02_storage/pyproject.toml", "[]", '["psutil>=7", "websockets>=17"]')
    assert declared(step) == ("psutil>=7", "websockets>=17")


@pytest.mark.parametrize("text", ["[project", "[tool]\n"])
def test_an_unreadable_declaration(small: SmallCourse, text: str) -> None:
    small.put("step02_storage/pyproject.toml", text)
    with pytest.raises(CourseError, match="cannot read the dependencies of step02_storage"):
        declared(small.step("2").path)
