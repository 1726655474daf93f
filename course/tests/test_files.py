"""Which files belong to a snapshot."""

from __future__ import annotations

import subprocess

import pytest

from course.cli import ROOT
from course.files import Scope, contents, is_ignored
from course.tests.small_course import SmallCourse

CACHES = (
    "__pycache__/app.cpython-311.pyc",
    "taskflow/__pycache__/http.cpython-311.pyc",
    "taskflow/old.pyc",
    "tests/.hypothesis/examples/1",
    ".pytest_cache/README.md",
    ".mypy_cache/3.11/x.json",
    ".ruff_cache/x",
    "taskflow_step03.egg-info/PKG-INFO",
    "build/lib/taskflow/http.py",
    "dist/taskflow.whl",
    ".venv/bin/python",
    ".env",
    "taskflow.db",
    "taskflow.db-wal",
    "taskflow/http.py.orig",
    "taskflow/http.py~",
    ".DS_Store",
)


def test_scopes(small: SmallCourse) -> None:
    step = small.step("2").path
    source = ["__init__.py", "__main__.py", "http.py", "lesson2.py"]
    assert list(contents(step, Scope.SOURCE)) == [f"taskflow/{name}" for name in source]
    assert [*contents(step, Scope.TESTED)][-1] == "tests/test_http.py"
    assert {"README.md", "pyproject.toml"} < contents(step).keys()


def test_caches_are_left_out(small: SmallCourse) -> None:
    clean = contents(small.step("3").path)
    for path in CACHES:
        small.put(f"step03_heap/{path}", "left over")
    assert contents(small.step("3").path) == clean


def test_git_leaves_out_the_same(small: SmallCourse) -> None:
    for path in CACHES:
        small.put(f"step03_heap/{path}", "left over")
    small.commit()
    tracked = small.git("ls-files", "step03_heap").splitlines()
    assert sorted(f"step03_heap/{path}" for path in contents(small.step("3").path)) == tracked


def test_the_ignore_file_keeps_to_the_lines_that_we_understand() -> None:
    lines = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    for line in lines:
        assert not line.startswith("!")
        assert "**" not in line
        assert line == line.strip()


@pytest.mark.parametrize("name", [".env.example", "builder.py", "database.py", "env", "x.dbm"])
def test_names_that_only_look_alike_stay(name: str) -> None:
    assert not is_ignored(name, ROOT / ".gitignore")
    git = ["git", "-c", f"core.excludesFile={ROOT / '.gitignore'}", "check-ignore", "--no-index"]
    done = subprocess.run([*git, name], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode != 0
