"""A change made in one step reaches the later ones."""

from __future__ import annotations

import shutil

import pytest

from course.diffs import FileChange
from course.errors import CourseError
from course.merging import merge
from course.propagate import Outcome, propagate, report
from course.tests.small_course import HTTP, STEPS, SmallCourse

FILE = "taskflow/http.py"
LABELS = ("step 2", "before", "step 1")


def carry(
    small: SmallCourse, word: str, revision: str = "HEAD", dry_run: bool = False
) -> list[Outcome]:
    return propagate(small.root, word, revision, dry_run)


def verdicts(outcomes: list[Outcome]) -> list[tuple[str, str, str]]:
    return [(one.snapshot.path.name, one.path, one.verdict) for one in outcomes]


def test_a_changed_file_is_copied_where_it_was_the_same(small: SmallCourse) -> None:
    small.commit()
    small.replace(f"step01_http/{FILE}", "data.decode()", 'data.decode("ascii")')

    assert verdicts(carry(small, "1")) == [(step, FILE, "copied") for step in STEPS[1:]]
    assert {small.read(f"{step}/{FILE}") for step in STEPS} == {small.read(f"step01_http/{FILE}")}


def test_it_is_merged_where_the_later_step_has_gone_on(small: SmallCourse) -> None:
    for step in STEPS[2:]:
        small.replace(f"{step}/{FILE}", '"healthy"', '"well"')
    small.commit()
    small.replace(f"step01_http/{FILE}", "data.decode()", 'data.decode("ascii")')

    assert [one.verdict for one in carry(small, "1")] == ["copied", "merged", "merged"]
    assert 'decode("ascii")' in small.read(f"step04_deps/{FILE}")
    assert '"well"' in small.read(f"step04_deps/{FILE}")


def test_a_second_run_changes_nothing(small: SmallCourse) -> None:
    small.replace(f"step04_deps/{FILE}", '"healthy"', '"well"')
    small.commit()
    small.replace(f"step01_http/{FILE}", "data.decode()", 'data.decode("ascii")')
    carry(small, "1")
    after_one = small.git("diff")

    assert {one.verdict for one in carry(small, "1")} == {"as it is"}
    assert small.git("diff") == after_one


def test_only_later_steps_are_touched(small: SmallCourse) -> None:
    small.commit()
    small.replace(f"step03_heap/{FILE}", "healthy", "well")

    assert verdicts(carry(small, "3")) == [("step04_deps", FILE, "copied")]
    assert small.read(f"step02_storage/{FILE}") == HTTP


def test_added_and_deleted_files(small: SmallCourse) -> None:
    small.commit()
    small.put("step02_storage/tests/deep/test_new.py", "def test_new() -> None: ...\n")
    (small.root / "step02_storage/taskflow/lesson2.py").unlink()

    assert verdicts(carry(small, "2")) == [
        ("step03_heap", "taskflow/lesson2.py", "deleted"),
        ("step03_heap", "tests/deep/test_new.py", "copied"),
        ("step04_deps", "taskflow/lesson2.py", "deleted"),
        ("step04_deps", "tests/deep/test_new.py", "copied"),
    ]
    assert not (small.root / "step04_deps/taskflow/lesson2.py").exists()
    assert (small.root / "step04_deps/tests/deep/test_new.py").is_file()
    assert {one.verdict for one in carry(small, "2")} == {"as it is"}


def test_a_new_file_is_added_only_where_there_is_none(small: SmallCourse) -> None:
    small.put("step03_heap/taskflow/parser.py", "NEW = 1\n")
    small.put("step04_deps/taskflow/parser.py", "OLD = 1\n")
    small.commit()
    small.put("step01_http/taskflow/parser.py", "NEW = 1\n")

    assert verdicts(carry(small, "1")) == [
        ("step02_storage", "taskflow/parser.py", "copied"),
        ("step03_heap", "taskflow/parser.py", "as it is"),
        ("step04_deps", "taskflow/parser.py", "CONFLICT"),
    ]
    assert small.read("step02_storage/taskflow/parser.py") == "NEW = 1\n"
    assert small.read("step04_deps/taskflow/parser.py").count("OLD = 1\n") == 1


def test_a_module_that_is_split_in_two_is_carried_as_both(small: SmallCourse) -> None:
    small.replace(f"step03_heap/{FILE}", '"healthy"', '"well"')
    small.replace(f"step04_deps/{FILE}", '"healthy"', '"well"')
    small.commit()
    moved = (
        'def parse(data: bytes) -> str:\n    """The request line."""\n    return data.decode()\n'
    )
    small.replace(f"step01_http/{FILE}", f"{moved}\n\n", "")
    small.put("step01_http/taskflow/parser.py", moved)

    carry(small, "1")

    assert {small.read(f"{step}/taskflow/parser.py") for step in STEPS} == {moved}
    assert ["def parse" in small.read(f"{step}/{FILE}") for step in STEPS] == [False] * 4
    assert ['"well"' in small.read(f"{step}/{FILE}") for step in STEPS] == [False] * 2 + [True] * 2


def test_a_deleted_file_stays_where_a_later_step_has_changed_it(small: SmallCourse) -> None:
    path = "taskflow/lesson2.py"
    small.replace(f"step04_deps/{path}", "NUMBER = 2", "NUMBER = 22")
    small.commit()
    (small.root / "step02_storage" / path).unlink()

    outcomes = carry(small, "2")

    assert verdicts(outcomes) == [
        ("step03_heap", path, "deleted"),
        ("step04_deps", path, "CONFLICT"),
    ]
    assert not (small.root / "step03_heap" / path).exists()
    assert "NUMBER = 22" in small.read(f"step04_deps/{path}")
    assert "was deleted there, but differs here" in report(outcomes, dry_run=False)


def test_a_conflict_of_a_deleted_file_is_settled_by_deleting_it_too(small: SmallCourse) -> None:
    path = "taskflow/lesson2.py"
    for step in STEPS[2:]:
        small.replace(f"{step}/{path}", "NUMBER = 2", "NUMBER = 22")
    small.commit()
    (small.root / "step02_storage" / path).unlink()
    assert verdicts(carry(small, "2")) == [("step03_heap", path, "CONFLICT")]

    (small.root / "step03_heap" / path).unlink()

    assert verdicts(carry(small, "3")) == [("step04_deps", path, "deleted")]


def test_a_folder_goes_with_its_last_file(small: SmallCourse) -> None:
    for step in STEPS:
        small.put(f"{step}/taskflow/board/page.html", "<p>\n")
    small.commit()
    shutil.rmtree(small.root / "step01_http/taskflow/board")

    carry(small, "1")

    assert not any((small.root / step / "taskflow/board").exists() for step in STEPS)
    assert (small.root / "step04_deps/taskflow").is_dir()


def test_a_conflict_is_marked_once_and_carried_on_from_there(small: SmallCourse) -> None:
    for step in STEPS[2:]:
        small.replace(f"{step}/{FILE}", '"healthy"', '"well"')
    small.commit()
    small.replace(f"step01_http/{FILE}", '"healthy"', '"fine"')
    small.put("step01_http/tests/test_new.py", "")

    outcomes = carry(small, "1")

    assert verdicts(outcomes) == [
        ("step02_storage", FILE, "copied"),
        ("step02_storage", "tests/test_new.py", "copied"),
        ("step03_heap", FILE, "CONFLICT"),
        ("step03_heap", "tests/test_new.py", "copied"),
        ("step04_deps", "tests/test_new.py", "copied"),
    ]
    marked = small.read(f"step03_heap/{FILE}")
    assert marked.endswith(
        '<<<<<<< step 3\n    return "well"\n=======\n    return "fine"\n>>>>>>> step 1\n'
    )
    assert "(settle it at lines 14-18)" in report(outcomes, dry_run=False)
    assert "Settle step03_heap/taskflow/http.py, then: python3 -m course propagate 3" in report(
        outcomes, dry_run=False
    )

    # Running it again must not put marks into the marks.
    assert [one.reason for one in carry(small, "1") if one.is_conflict] == [
        "still open at lines 14-18"
    ]
    assert small.read(f"step03_heap/{FILE}") == marked

    small.put(f"step03_heap/{FILE}", HTTP.replace('"healthy"', '"fine and well"'))
    assert verdicts(carry(small, "3"))[0] == ("step04_deps", FILE, "copied")
    assert '"fine and well"' in small.read(f"step04_deps/{FILE}")


def test_a_dry_run_writes_nothing(small: SmallCourse) -> None:
    small.commit()
    small.replace(f"step01_http/{FILE}", "healthy", "well")

    outcomes = carry(small, "1", dry_run=True)

    assert [one.verdict for one in outcomes] == ["copied"] * 3
    assert small.read(f"step02_storage/{FILE}") == HTTP
    assert "Nothing was written" in report(outcomes, dry_run=True)


def test_a_change_that_is_committed_already(small: SmallCourse) -> None:
    small.commit()
    small.replace(f"step01_http/{FILE}", "healthy", "well")
    small.commit()

    with pytest.raises(CourseError, match=r"nothing to carry: step01_http is as in HEAD .*--from"):
        carry(small, "1")
    assert [one.verdict for one in carry(small, "1", "HEAD~1")] == ["copied"] * 3


def test_caches_do_not_travel(small: SmallCourse) -> None:
    small.commit()
    small.put("step01_http/taskflow/__pycache__/http.cpython-311.pyc", "bytes")
    with pytest.raises(CourseError, match="nothing to carry"):
        carry(small, "1")


def test_a_course_further_down_in_a_repository(small: SmallCourse) -> None:
    outer = SmallCourse.__new__(SmallCourse)
    outer.root = small.root.parent
    outer.commit()
    small.replace(f"step01_http/{FILE}", "healthy", "well")
    assert [one.verdict for one in carry(small, "1")] == ["copied"] * 3


def test_what_can_go_wrong_is_said(small: SmallCourse) -> None:
    with pytest.raises(CourseError, match="not a git repository"):
        carry(small, "1")
    small.git("init", "--quiet")
    with pytest.raises(CourseError, match="git knows no commit HEAD"):
        carry(small, "1")
    shutil.move(small.root / "step02_storage", small.root / "aside")
    small.commit()
    shutil.move(small.root / "aside", small.root / "step02_storage")
    with pytest.raises(CourseError, match="step02_storage is not in HEAD"):
        carry(small, "2")
    with pytest.raises(CourseError, match="no snapshot comes after step 4"):
        carry(small, "4")


def test_without_git(small: SmallCourse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CourseError, match="install the package git"):
        carry(small, "1")


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "reason"),
    [
        (b"a\n", b"b\n", None, "is not here any more"),
        (b"a\n", None, b"c\n", "was deleted there"),
        (b"a\0", b"b\0", b"c\0", "is binary"),
        (None, b"a\n", b"b\n", "settle it at lines 1-5"),
    ],
)
def test_conflicts_of_whole_files(
    base: bytes | None, theirs: bytes | None, ours: bytes | None, reason: str
) -> None:
    merged = merge(FileChange(FILE, base, theirs), ours, LABELS)
    assert merged.verdict == "CONFLICT"
    assert reason in merged.reason


def test_bytes_that_are_no_text_are_copied_as_they_are() -> None:
    merged = merge(FileChange("logo.png", b"a\0\r\n", b"b\0\r\n"), b"a\0\r\n", LABELS)
    assert (merged.data, merged.verdict) == (b"b\0\r\n", "copied")


def test_line_ends_survive_a_merge() -> None:
    base, theirs, ours = b"a\r\nb\r\nc\r\nd\r\n", b"A\r\nb\r\nc\r\nd\r\n", b"a\r\nb\r\nc\r\nD\r\n"
    merged = merge(FileChange(FILE, base, theirs), ours, LABELS)
    assert (merged.data, merged.verdict) == (b"A\r\nb\r\nc\r\nD\r\n", "merged")
