"""Differences as text."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from course.diffs import FileChange, compare, compare_contents
from course.files import Scope, contents
from course.rendering import coloured, render
from course.tests.small_course import SmallCourse

BEFORE = """class Heap:
    def push(self) -> None:
        self.size += 1

    def pop(self) -> None:
        self.size -= 1


def alone() -> None:
    pass
"""


def change(old: str | None, new: str | None, path: str = "taskflow/heap.py") -> FileChange:
    old_data, new_data = (None if text is None else text.encode() for text in (old, new))
    return FileChange(path, old_data, new_data)


def test_an_added_method_stands_as_a_block() -> None:
    peek = "    def peek(self) -> None:\n        self.size += 0\n\n"
    after = BEFORE.replace("    def pop", peek + "    def pop")
    assert render([change(BEFORE, after)]) == (
        "--- a/taskflow/heap.py\n"
        "+++ b/taskflow/heap.py\n"
        "@@ -2,6 +2,9 @@ class Heap\n"
        "     def push(self) -> None:\n"
        "         self.size += 1\n"
        " \n"
        "+    def peek(self) -> None:\n"
        "+        self.size += 0\n"
        "+\n"
        "     def pop(self) -> None:\n"
        "         self.size -= 1\n"
        " \n"
    )


def test_the_stored_form_names_the_place_instead_of_the_lines() -> None:
    after = BEFORE.replace("self.size -= 1", "self.size -= 2")
    assert "\n@@ class Heap, def pop @@\n" in render([change(BEFORE, after)], numbers=False)
    after = BEFORE.replace("def alone", "def lonely")
    assert "\n@@ module @@\n" in render([change(BEFORE, after)], numbers=False)


def test_a_change_far_above_leaves_the_stored_form_as_it_was() -> None:
    after = BEFORE.replace("    pass\n", "    return\n")
    stored = render([change(BEFORE, after)], numbers=False)
    above = "import re\n\n\n"
    assert render([change(above + BEFORE, above + after)], numbers=False) == stored
    assert render([change(above + BEFORE, above + after)]) != render([change(BEFORE, after)])


def test_files_without_lines_to_show() -> None:
    assert render([change(None, "")]) == "Empty file taskflow/heap.py added\n"
    assert render([change("\0", None)]) == "Binary file taskflow/heap.py removed\n"


def test_a_missing_end_of_line_is_said() -> None:
    text = render([change("a", "a\n")])
    assert text.endswith("@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n")


def test_colours_follow_the_marks() -> None:
    lines = coloured(render([change("a\nb\n", "a\nc\n")])).splitlines()
    assert lines == [
        "\x1b[1m--- a/taskflow/heap.py\x1b[0m",
        "\x1b[1m+++ b/taskflow/heap.py\x1b[0m",
        "\x1b[36m@@ -1,2 +1,2 @@\x1b[0m",
        " a",
        "\x1b[31m-b\x1b[0m",
        "\x1b[32m+c\x1b[0m",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (BEFORE, BEFORE.replace("size", "length")),
        (BEFORE, BEFORE + BEFORE),
        (BEFORE + BEFORE, BEFORE),
        ("a\nb\n" * 9, "b\na\n" * 9),
        ("x\n" * 40, "x\n" * 20 + "y\n" + "x\n" * 21),
        ("", BEFORE),
        (BEFORE, "no end"),
        ("form\x0cfeed\nand\u2028more\r\n", "form\x0cfeed\nless\r\n"),
    ],
)
def test_git_applies_what_we_render(tmp_path: Path, old: str, new: str) -> None:
    file = tmp_path / "taskflow" / "heap.py"
    file.parent.mkdir()
    file.write_bytes(old.encode())
    patch = render([change(old, new)]).encode()
    apply = ["git", "apply", "--whitespace=nowarn", "-"]
    subprocess.run(apply, cwd=tmp_path, input=patch, check=True)
    assert file.read_bytes() == new.encode()


def test_git_makes_a_step_of_the_one_before(small: SmallCourse) -> None:
    small.replace("step03_heap/taskflow/http.py", "healthy", "well")
    (small.root / "step03_heap/taskflow/lesson2.py").unlink()
    two, three = small.step("2").path, small.step("3").path
    patch = render(compare(two, three, Scope.ALL)).encode()
    subprocess.run(["git", "apply", "-"], cwd=two, input=patch, check=True)
    assert contents(two) == contents(three)


def test_order_and_kinds() -> None:
    changes = compare_contents({"b": b"1", "c": b"2", "d": b"3"}, {"a": b"", "b": b"1", "c": b""})
    assert [(one.path, one.kind) for one in changes] == [
        ("a", "added"),
        ("c", "changed"),
        ("d", "removed"),
    ]
