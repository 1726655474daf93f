"""The laws of the snapshots, each broken once."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from course import laws
from course.cli import ROOT
from course.errors import CourseError
from course.integrity import integrity
from course.propagate import propagate
from course.tests.small_course import HTTP, STEPS, SmallCourse
from course.themes import THEMES


@pytest.fixture
def kept(small: SmallCourse) -> SmallCourse:
    """A course that keeps all laws, its differences rendered."""
    report, is_kept = integrity(small.root, rewrite=True)
    assert is_kept, report
    return small


@pytest.fixture
def with_final(kept: SmallCourse, monkeypatch: pytest.MonkeyPatch) -> SmallCourse:
    """The same with a product that is as its last step."""
    monkeypatch.setitem(THEMES, "lessons", ("lesson*.py",))
    shutil.copytree(kept.root / "step04_deps", kept.root / "final")
    kept.replace("final/pyproject.toml", "step04_deps", "final")
    integrity(kept.root, rewrite=True)
    return kept


def some_lines(number: int) -> str:
    return "".join(f"a{row} = {row}\n" for row in range(number))


def verdicts(report: str) -> dict[str, str]:
    """The last column of the table."""
    table = report[report.index("  step ") :].partition("\n\n")[0].splitlines()
    at = table[0].index("verdict")
    return {line.split()[0]: line[at:] for line in table[1:]}


def diffs_of_final(small: SmallCourse) -> list[Path]:
    return sorted((small.root / "guides/diffs").glob("final*"))


def faults(small: SmallCourse) -> str:
    report, is_kept = integrity(small.root, rewrite=False)
    assert not is_kept
    return report


def test_the_table(kept: SmallCourse) -> None:
    report, is_kept = integrity(kept.root, rewrite=False)
    assert is_kept
    assert [line.split() for line in report.splitlines()[1:5]] == [
        ["step01_http", "3", "0", "11", "0", "11", "700", "15", "%", "ok"],
        ["step02_storage", "1", "0", "1", "0", "1", "250", "20", "%", "ok"],
        ["step03_heap", "1", "0", "1", "0", "1", "250", "24", "%", "ok"],
        ["step04_deps", "1", "0", "1", "0", "1", "250", "26", "%", "ok"],
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


def test_update_renders_again_and_removes_what_has_no_step(kept: SmallCourse) -> None:
    kept.replace("step03_heap/taskflow/lesson3.py", "NUMBER = 3", "NUMBER = 33")
    kept.put("guides/diffs/07.diff", "of a step that went\n")
    report, is_kept = integrity(kept.root, rewrite=True)
    assert report.startswith(
        "Rendered again: guides/diffs/03.diff, guides/diffs/04.diff, guides/diffs/07.diff\n"
    )
    assert is_kept
    assert not (kept.root / "guides/diffs/07.diff").exists()
    assert integrity(kept.root, rewrite=True)[0].startswith("Nothing to render again.\n")


def test_a_long_difference_is_cut(kept: SmallCourse) -> None:
    kept.put("step02_storage/taskflow/long.py", some_lines(200))
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


@pytest.mark.parametrize(
    ("lines", "verdict", "line"),
    [
        (700, "ok", ""),
        (701, "over its aim", "warning: law 3: step01_http: 701 lines added and deleted;"),
        (770, "over its aim", "the aim is 700, the most 770\n"),
        (771, "law 3", "\nlaw 3: step01_http: 771 lines added and deleted;"),
    ],
)
def test_the_first_step_has_an_aim_of_its_own(
    kept: SmallCourse, lines: int, verdict: str, line: str
) -> None:
    for step in STEPS:  # 11 lines are there already
        for number, name in enumerate("abc"):
            kept.put(f"{step}/taskflow/{name}.py", some_lines(250 if number < 2 else lines - 511))
    report, is_kept = integrity(kept.root, rewrite=True)
    assert verdicts(report)["step01_http"] == verdict
    assert line in report
    assert is_kept == (verdict != "law 3")


@pytest.mark.parametrize(
    ("lines", "verdict", "line"),
    [
        (250, "ok", "All laws are kept.\n"),
        (251, "over its aim", "\nwarning: law 3: step04_deps: 251 lines added and deleted;"),
        (275, "over its aim", "the aim is 250, the most 275\n1 warning.\nAll laws are kept.\n"),
        (276, "law 3", "\nlaw 3: step04_deps: 276 lines added and deleted;"),
    ],
)
def test_later_steps_have_an_aim_for_what_they_add_and_delete(
    kept: SmallCourse, lines: int, verdict: str, line: str
) -> None:
    for step in STEPS[:3]:
        kept.put(f"{step}/taskflow/long.py", some_lines(100))
    added = some_lines(lines - 101).replace("a", "b")  # one line is there already
    kept.put("step04_deps/taskflow/longer.py", added)
    report, is_kept = integrity(kept.root, rewrite=True)
    assert verdicts(report)["step04_deps"] == verdict
    assert line in report
    assert is_kept == (verdict != "law 3")


def test_aims_are_higher_where_the_lesson_is_larger() -> None:
    assert [laws.AIMS[number] for number in (1, 6, 8, 9, 10)] == [700, 320, 320, 320, 300]
    assert {laws.AIMS[number] for number in (2, 3, 4, 5, 7)} == {250}


def test_comments_and_docstrings_cost_nothing(kept: SmallCourse) -> None:
    text = '"""Long.\n' + "\n".join("why" for _ in range(120)) + '\n"""\n' + "# because\n" * 120
    kept.put("step04_deps/taskflow/lesson4.py", f"{text}\nNUMBER = 4\n")
    assert {size.lines_added for size in laws.sizes(kept.root)[1:]} == {1}


def test_contributors_read_the_same_aims() -> None:
    rows = re.findall(
        r"\| (.*?) \| (\d+) \| (\d+) \|", (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    )
    assert all(int(most) == laws.most(int(aim)) for _, aim, most in rows)
    (median,) = (int(aim) for words, aim, _ in rows if words.startswith("the median"))
    assert median == laws.MEDIAN_AIM
    aims = {
        int(number): int(aim)
        for words, aim, _ in rows
        if not words.startswith("the median")
        for number in re.findall(r"\d+", words)
    }
    assert aims == laws.AIMS


@pytest.mark.parametrize(
    ("lines", "mark"), [(210, None), (211, "warning: "), (231, "warning: "), (232, "")]
)
def test_the_median_has_an_aim_too(kept: SmallCourse, lines: int, mark: str | None) -> None:
    for at, step in enumerate(STEPS):
        for name in "bcd"[:at]:
            kept.put(f"{step}/taskflow/{name}.py", some_lines(lines - 1))
    report, is_kept = integrity(kept.root, rewrite=True)
    text = f"law 3: median of the steps: {lines} lines added and deleted; the aim is 210,"
    assert (f"\n{mark}{text} the most 231\n" in report) == (mark is not None)
    assert is_kept == (mark != "")


def test_the_product_is_free_of_the_aims(with_final: SmallCourse) -> None:
    for name in "ab":
        with_final.put(f"final/taskflow/board/{name}.py", some_lines(290))
    report, is_kept = integrity(with_final.root, rewrite=True)
    assert is_kept, report


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [(300, "ok"), (301, "long module"), (360, "long module"), (361, "style")],
)
@pytest.mark.parametrize("folder", ["step01_http", "final"])
def test_a_long_module(with_final: SmallCourse, folder: str, lines: int, verdict: str) -> None:
    path = f"{folder}/taskflow/tour/a.py"
    with_final.put(path, "# Why.\n" * lines)
    report, is_kept = integrity(with_final.root, rewrite=True)
    assert verdicts(report)[folder] == verdict
    assert (f"style: {path}: {lines} lines; the aim is 300, the most 360" in report) == (
        verdict != "ok"
    )
    assert is_kept == (verdict != "style")


@pytest.mark.parametrize("folder", ["step04_deps", "final"])
def test_a_long_function(with_final: SmallCourse, folder: str) -> None:
    body = "".join(f"        x = {number}\n" for number in range(40))
    text = f"class A:\n    async def f(self) -> None:\n{body}"
    with_final.put(f"{folder}/taskflow/lesson4.py", text)
    place = f"{folder}/taskflow/lesson4.py:2"
    assert f"style: {place}: f() has 41 lines of code, at most 40" in faults(with_final)


def test_prose_makes_no_function_long(kept: SmallCourse) -> None:
    prose = '    """What it does.\n\n    And how.\n    """\n' + "    # Why.\n\n" * 30
    body = "".join(f"    x = {number}\n" for number in range(39))
    kept.put("step04_deps/taskflow/lesson4.py", f"def f() -> None:\n{prose}{body}")
    report, is_kept = integrity(kept.root, rewrite=True)
    assert is_kept, report


def test_the_difference_of_the_product_is_split_by_theme(with_final: SmallCourse) -> None:
    with_final.put("final/taskflow/config.py", "PORT = 3000\n")
    with_final.put("final/taskflow/board/dom.js", "// nothing\n")
    with_final.put("final/tests/test_board.py", "")
    with_final.replace("final/taskflow/http.py", "healthy", "well")

    report, is_kept = integrity(with_final.root, rewrite=True)

    assert is_kept, report
    texts = {path.name: path.read_text("utf-8") for path in diffs_of_final(with_final)}
    files = {name: text.count("\n+++ ") for name, text in texts.items()}
    assert files == {
        "final-beside.diff": 0,
        "final-board.diff": 1,
        "final-settings.diff": 1,
        "final-speed.diff": 1,
    }
    assert texts["final-board.diff"] == (
        "# final: what it adds to step04_deps (python3 -m course diff final board)\n"
        "\n--- /dev/null\n+++ b/taskflow/board/dom.js\n@@ module @@\n+// nothing\n"
    )
    assert "tests/test_board.py" in texts["final-beside.diff"]


def test_a_theme_without_a_difference_has_no_file(with_final: SmallCourse) -> None:
    with_final.put("final/taskflow/config.py", "PORT = 3000\n")
    integrity(with_final.root, rewrite=True)
    (with_final.root / "final/taskflow/config.py").unlink()

    path = "guides/diffs/final-settings.diff"
    assert f"law 6: {path}: shows no difference any more" in faults(with_final)
    assert f"Rendered again: {path}\n" in integrity(with_final.root, rewrite=True)[0]
    assert not (with_final.root / path).exists()


def test_a_change_of_the_product_is_found_in_its_theme(with_final: SmallCourse) -> None:
    with_final.put("final/taskflow/config.py", "PORT = 3000\n")
    with_final.put("final/taskflow/codec.py", "A = 1\n")
    integrity(with_final.root, rewrite=True)
    with_final.put("final/taskflow/config.py", "PORT = 3001\n")
    report = faults(with_final)
    assert "final: differs from step 4 otherwise than guides/diffs/final-settings.diff" in report
    assert "final-speed" not in report


@pytest.mark.parametrize("folder", ["step04_deps", "final"])
def test_a_file_without_a_theme(with_final: SmallCourse, folder: str) -> None:
    with_final.put(f"{folder}/taskflow/deep/odd.py", "")
    report, is_kept = integrity(with_final.root, rewrite=True)
    assert not is_kept
    assert (
        "law 6: final/taskflow/deep/odd.py: has no theme; add it to the table in course/themes.py\n"
    ) in report
    assert verdicts(report)["final"] == "law 6"


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
