"""A course of four tiny steps in a temporary directory, for the helper to work on."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from course import snapshots
from course.cli import ROOT
from course.snapshots import Snapshot

STEPS = ("step01_http", "step02_storage", "step03_heap", "step04_deps")

HTTP = '''"""Bytes to requests."""


def parse(data: bytes) -> str:
    """The request line."""
    return data.decode()


def render(status: int) -> bytes:
    return b"HTTP/1.1 %d\\r\\n" % status


def health() -> str:
    return "healthy"
'''

# Prints what a test needs to know of how it was started, and where the real one prints its line.
MAIN = """import os
import sys

print("Taskflow listening on http://127.0.0.1:3000", flush=True)
print(sys.argv[1:], os.getcwd(), file=sys.stderr)
sys.exit(7 if "--fail" in sys.argv else 0)
"""

PYPROJECT = """[project]
name = "taskflow-{name}"
version = "1.0.0"
dependencies = []
"""


class SmallCourse:
    """The files, and git where a test asks for it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copy(ROOT / ".gitignore", root)
        for number, step in enumerate(STEPS, start=1):
            self.put(f"{step}/pyproject.toml", PYPROJECT.format(name=step))
            self.put(f"{step}/README.md", f"# Step {number}\n")
            self.put(f"{step}/taskflow/__init__.py", "")
            self.put(f"{step}/taskflow/__main__.py", MAIN)
            self.put(f"{step}/taskflow/http.py", HTTP)
            self.put(f"{step}/tests/test_http.py", "def test_parse() -> None:\n    assert True\n")
            for earlier in range(2, number + 1):
                text = f'"""Lesson {earlier}."""\n\nNUMBER = {earlier}\n'
                self.put(f"{step}/taskflow/lesson{earlier}.py", text)

    def put(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def read(self, path: str) -> str:
        return (self.root / path).read_text("utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text
        self.put(path, text.replace(old, new))

    def step(self, word: str) -> Snapshot:
        return snapshots.find(self.root, word)

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=A Test", "-c", "user.email=test@example.org")
        command = ["git", *who, *arguments]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout

    def commit(self) -> None:
        if not (self.root / ".git").exists():
            self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "as it stands")
