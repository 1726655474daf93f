"""Code in a guide is cut from the file, and a change of it is noticed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from course.book.weave import weave
from course.tests.book_course import HEAP, Course

HEAP_PY = "step02_storage/taskflow/heap.py"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path)


def test_a_method_is_shown_as_it_stands(course: Course) -> None:
    text = course.made(f'listing("{HEAP_PY}", "Heap.push")')

    assert f"**[`{HEAP_PY}`](../{HEAP_PY})**, `Heap.push`" in text
    assert (
        "```python\ndef push(self, item: int) -> None:\n"
        '    """Add an item, O(log n)."""\n\n'
        "    self.items.append(item)  # at the end\n```"
    ) in text


def test_the_docstring_can_be_left_out(course: Course) -> None:
    text = course.made(f'listing("{HEAP_PY}", "Heap.push", docstring=False)')

    assert "def push(self, item: int) -> None:\n    self.items" in text


def test_constants_attributes_decorators_and_comments(course: Course) -> None:
    text = course.made(f'listing("{HEAP_PY}", "MAX_ITEMS", "Heap.limit", "Heap.size")')

    assert "# Bounds what a client can make us keep.\nMAX_ITEMS = 1_000\n\nlimit: int = 3" in text
    assert "@property\ndef size" in text


def test_lines_between_two_anchors(course: Course) -> None:
    text = course.made(f'listing("{HEAP_PY}", lines=("class Heap", "limit"))')

    assert "```python\nclass Heap:" in text
    assert "limit: int = 3\n```" in text


@pytest.mark.parametrize(
    ("marker", "complaint"),
    [
        (f'listing("{HEAP_PY}", "Heap.pop")', f"{HEAP_PY}: Heap.pop is not defined there"),
        ('listing("step02_storage/x.py")', "there is no file step02_storage/x.py"),
        (f'listing("{HEAP_PY}", lines=("items", "x"))', "'items' stands in 2 lines"),
        (f'listing("{HEAP_PY}", lines=("class Heap", "zzz"))', "no line with 'zzz'"),
    ],
)
def test_what_is_not_there_is_an_error(course: Course, marker: str, complaint: str) -> None:
    assert complaint in course.refused(marker)


def test_one_character_makes_the_guide_stale(course: Course) -> None:
    woven = course.weave(f'listing("{HEAP_PY}", "Heap.push")')
    guide = course.put("guides/02-storage.md", woven.new)
    course.put(HEAP_PY, HEAP.replace("# at the end", "# At the end"))

    [change] = weave(guide, course.root).changes("guides/02-storage.md")

    assert "-     self.items.append(item)  # at the end" in change.message
    assert "+     self.items.append(item)  # At the end" in change.message
    assert change.line == 9


def test_a_change_elsewhere_in_the_file_does_not(course: Course) -> None:
    woven = course.weave(f'listing("{HEAP_PY}", "Heap.push")')
    guide = course.put("guides/02-storage.md", woven.new)
    course.put(HEAP_PY, "# first\n" + HEAP.replace("1_000", "2_000"))

    assert weave(guide, course.root).changes("x") == []


def test_the_diff_table_counts_lines_of_code(course: Course) -> None:
    text = course.made("diff_table(2)")

    row = f"| [`taskflow/heap.py`](../{HEAP_PY}) | added | 8 | 0 |"
    assert row in text
    assert "| **all** | | **9** | **" in text
    assert "`python3 -m course diff 2`" in text


def test_the_path_links_the_guides_that_are_there(course: Course) -> None:
    text = course.made('path_table({2: ("20 min", "45 min"), 3: ("25 min", "60 min")})')

    assert re.search(r"\| 2 \| \[.*\]\(02-storage.md\) \| 20 min \| 45 min \|", text)
    assert re.search(r"\| 3 \| [^\[]* \| coming \| coming \|", text)
