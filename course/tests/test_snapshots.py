"""Which snapshots are here, and how one may spell them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from course.errors import CourseError
from course.snapshots import LESSONS, after, before, find, neighbours, newest, parse, present
from course.tests.small_course import SmallCourse


def test_only_folders_that_exist_are_present(small: SmallCourse) -> None:
    assert [one.path.name for one in present(small.root)] == [
        "step01_http",
        "step02_storage",
        "step03_heap",
        "step04_deps",
    ]


@pytest.mark.parametrize("word", ["3", "03", "step3", "step03", "step03_heap", "step03_heap/"])
def test_a_step_may_be_spelt_in_many_ways(small: SmallCourse, word: str) -> None:
    assert find(small.root, word).path == small.root / "step03_heap"


@pytest.mark.parametrize("word", ["0", "11", "-1", "three", "3.0", "", "step03_help", "³", "2 "])
def test_anything_else_is_unknown(word: str) -> None:
    with pytest.raises(CourseError, match="unknown step"):
        parse(word)


def test_a_step_that_is_still_to_come_is_named(small: SmallCourse) -> None:
    with pytest.raises(CourseError, match="step 7 is still to come; here now: 1, 2, 3, 4"):
        find(small.root, "7")


def test_final_comes_last(small: SmallCourse) -> None:
    assert newest(small.root).lesson.name == "deps"
    small.put("final/taskflow/__init__.py", "")
    assert newest(small.root).path.name == "final"
    assert before(small.root, find(small.root, "final")) == find(small.root, "4")


def test_an_empty_folder_has_no_newest(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="no snapshot here"):
        newest(tmp_path)


def test_neighbours(small: SmallCourse) -> None:
    one, two, three, four = present(small.root)
    assert neighbours(small.root) == [(None, one), (one, two), (two, three), (three, four)]
    assert before(small.root, one) is None
    assert after(small.root, two) == [three, four]


def test_a_gap_is_stepped_over(small: SmallCourse) -> None:
    shutil.rmtree(small.root / "step03_heap")
    assert before(small.root, find(small.root, "4")) == find(small.root, "2")


def test_every_lesson_has_its_words() -> None:
    assert [lesson.word for lesson in LESSONS] == [*map(str, range(1, 11)), "final"]
    assert [LESSONS[2].directory, LESSONS[2].stem, LESSONS[2].tox_env, LESSONS[2].label] == [
        "step03_heap",
        "03",
        "step03",
        "step 3",
    ]
    assert {LESSONS[-1].directory, LESSONS[-1].stem, LESSONS[-1].tox_env} == {"final"}
