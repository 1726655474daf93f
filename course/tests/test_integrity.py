"""The laws of the snapshots, each broken once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from course import laws
from course.errors import CourseError
from course.integrity import integrity
from course.propagate import propagate
from course.tests.small_course import HTTP, STEPS, SmallCourse

LONG = "\n".join(f"a{number} = {number}" for number in range(400)) + "\n"


@pytest.fixture
def kept(small: SmallCourse) -> SmallCourse:
    """A course that keeps all laws, its differences rendered."""
    report, is_kept = integrity(small.root, rewrite=True)
    assert is_kept, report
    return small


def faults(small: SmallCourse) -> str:
    report, is_kept = integrity(small.root, rewrite=False)
    assert not is_kept
    return report


def test_the_table(kept: SmallCourse) -> None:
    report, is_kept = integrity(kept.root, rewrite=False)
    assert is_kept
    assert [line.split() for line in report.splitlines()[1:5]] == [
        ["step01_http", "3", "0", "11", "0", "15", "%", "ok"],
        ["step02_storage", "1", "0", "1", "0", "20", "%", "ok"],
        ["step03_heap", "1", "0", "1", "0", "24", "%", "ok"],
        ["step04_deps", "1", "0", "1", "0", "26", "%", "ok"],
    ]
    assert report.endswith("All laws are kept.\n")


def test_a_fix_that_did_not_travel(kept: SmallCourse) -> None:
    kept.replace("step01_http/taskflow/http.py", "data.decode()", 'data.decode("ascii")')

    report = faults(kept)

    assert (
        "laws 2+5: step 2: differs from step 1 otherwise than guides/diffs/02.diff says;"
        " was a fix not propagated? (python3 -m course propagate 1)\n"
    ) in report
    assert '+-    return data.decode("ascii")' in report
    assert report.endswith("1 fault.\n")


def test_a_fix_that_travelled_leaves_the_rendered_differences_alone(kept: SmallCourse) -> None:
    kept.commit()
    kept.replace("step01_http/taskflow/http.py", '"""Bytes to', '"""One more line.\n\nBytes to')
    kept.replace("step01_http/tests/test_http.py", "assert True", "assert 1")

    propagate(kept.root, "1", "HEAD", dry_run=False)

    report, is_kept = integrity(kept.root, rewrite=False)
    assert is_kept, report


def test_a_fix_in_the_middle_is_blamed_on_the_step_that_has_it(kept: SmallCourse) -> None:
    kept.replace("step02_storage/taskflow/http.py", "healthy", "well")
    report = faults(kept)
    assert "02.diff says\n" in report
    assert "03.diff says; was a fix not propagated? (python3 -m course propagate 2)" in report


@pytest.mark.parametrize("path", ["tests/test_http.py", "pyproject.toml", "taskflow/new.html"])
def test_a_fix_beside_the_source_is_noticed_too(kept: SmallCourse, path: str) -> None:
    kept.put(f"step02_storage/{path}", "changed = 1\n")
    assert "02.diff" in faults(kept)


def test_a_readme_is_each_steps_own(kept: SmallCourse) -> None:
    kept.put("step02_storage/README.md", "Another story.\n")
    assert integrity(kept.root, rewrite=False)[1]


def test_a_rendered_difference_that_was_touched_or_lost(kept: SmallCourse) -> None:
    kept.replace("guides/diffs/03.diff", "NUMBER = 3", "NUMBER = 4")
    assert "-+NUMBER = 4\n  ++NUMBER = 3\n" in faults(kept)
    (kept.root / "guides/diffs/03.diff").unlink()
    assert "law 6: step 3: has no guides/diffs/03.diff yet\n" in faults(kept)


def test_update_renders_anew_and_removes_what_has_no_step(kept: SmallCourse) -> None:
    kept.replace("step03_heap/taskflow/lesson3.py", "NUMBER = 3", "NUMBER = 33")
    kept.put("guides/diffs/07.diff", "of a step that went\n")
    report, is_kept = integrity(kept.root, rewrite=True)
    assert report.startswith(
        "Rendered anew: guides/diffs/03.diff, guides/diffs/04.diff, guides/diffs/07.diff\n"
    )
    assert is_kept
    assert not (kept.root / "guides/diffs/07.diff").exists()
    assert integrity(kept.root, rewrite=True)[0].startswith("Nothing to render anew.\n")


def test_a_long_difference_is_cut(kept: SmallCourse) -> None:
    kept.put("step02_storage/taskflow/long.py", LONG[:2000])
    assert "\n  …\n" in faults(kept)


def test_a_step_that_names_another(kept: SmallCourse) -> None:
    kept.put("step02_storage/README.md", "See ../step01_http, and ../guides/02-storage.md\n")
    kept.put("step02_storage/tests/test_http.py", "from course import cli\n")
    report = faults(kept)
    assert "law 1: step02_storage/README.md: names the folder step01_http" in report
    assert "law 1: step02_storage/tests/test_http.py: imports course" in report


def test_a_step_may_name_itself(kept: SmallCourse) -> None:
    kept.put("step02_storage/README.md", "python step02_storage\n")
    assert integrity(kept.root, rewrite=False)[1]


def test_an_unsettled_conflict(kept: SmallCourse) -> None:
    text = "<<<<<<< step 2\na\n=======\nb\n>>>>>>> step 1\n"
    kept.put("step02_storage/tests/notes.txt", text)
    assert "law 5: step02_storage/tests/notes.txt:1: an unsettled conflict" in faults(kept)


def test_python_that_does_not_parse(kept: SmallCourse) -> None:
    kept.put("step02_storage/taskflow/http.py", "def f(:\n")
    assert "style: step02_storage/taskflow/http.py: is not Python: invalid syntax" in faults(kept)


def test_the_first_step_is_bounded_as_a_whole_and_by_module(kept: SmallCourse) -> None:
    for name in "abcd":
        kept.put(f"step01_http/taskflow/{name}.py", LONG[: LONG.index("a171")])
    report = faults(kept)
    assert "law 3: step01_http: 695 lines of code, at most 600" in report
    assert "law 3: step01_http/taskflow/a.py: 171 lines of code, at most 170 in a module" in report


def test_later_steps_are_bounded_by_what_they_add_and_delete(kept: SmallCourse) -> None:
    kept.put("step04_deps/taskflow/long.py", LONG)
    report = faults(kept)
    assert "law 3: step04_deps: 401 lines added and deleted, at most 300" in report
    assert "style: step04_deps/taskflow/long.py: 400 lines, at most 300" in report


def test_a_step_may_delete_little(kept: SmallCourse) -> None:
    for step in STEPS[:3]:
        kept.put(f"{step}/taskflow/long.py", LONG[: LONG.index("a46")])
    assert "law 3: step04_deps: 46 deleted, at most 45" in faults(kept)


def test_comments_and_docstrings_cost_nothing(kept: SmallCourse) -> None:
    text = '"""Long.\n' + "\n".join("why" for _ in range(120)) + '\n"""\n' + "# because\n" * 120
    kept.put("step04_deps/taskflow/lesson4.py", f"{text}\nNUMBER = 4\n")
    assert {size.lines_added for size in laws.sizes(kept.root)[1:]} == {1}


def test_the_median_is_bounded_too(kept: SmallCourse) -> None:
    for at, step in enumerate(STEPS):
        for name in "bcd"[:at]:
            kept.put(f"{step}/taskflow/{name}.py", LONG[: LONG.index("a200")])
    report = faults(kept)
    assert "law 3: median of the steps: 201 lines added and deleted, at most 184" in report


def test_the_product_is_free_of_the_size_laws(kept: SmallCourse) -> None:
    shutil.copytree(kept.root / "step04_deps", kept.root / "final")
    kept.replace("final/pyproject.toml", "step04_deps", "final")
    for name in "ab":
        kept.put(f"final/taskflow/{name}.py", LONG[: LONG.index("a290")])
    report, is_kept = integrity(kept.root, rewrite=True)
    assert is_kept, report
    assert (kept.root / "guides/diffs/final.diff").is_file()


def test_a_long_function(kept: SmallCourse) -> None:
    body = "".join(f"        x = {number}\n" for number in range(40))
    text = f"class A:\n    async def f(self) -> None:\n{body}"
    kept.put("step04_deps/taskflow/lesson4.py", text)
    assert "style: step04_deps/taskflow/lesson4.py:2: f() has 41 lines, at most 40" in faults(kept)


def test_the_helper_keeps_the_bounds_it_sets() -> None:
    for module in sorted(Path(laws.__file__).parent.glob("*.py")):
        assert module.read_text("utf-8").count("\n") < 250, module


def test_no_snapshot_at_all(small: SmallCourse) -> None:
    for step in STEPS:
        shutil.rmtree(small.root / step)
    with pytest.raises(CourseError, match="no snapshot to check"):
        integrity(small.root, rewrite=True)


def test_all_steps_start_from_the_same_parser(small: SmallCourse) -> None:
    """The premise of the tests above."""
    assert {small.read(f"{step}/taskflow/http.py") for step in STEPS} == {HTTP}
