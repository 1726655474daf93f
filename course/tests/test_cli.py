"""The words of the command line, and what becomes of errors."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from course import cli
from course.cli import ROOT, main
from course.tests.small_course import SmallCourse


def test_without_a_command_the_path_is_shown(
    small: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], small.root) == 0
    text = capsys.readouterr().out
    assert [line.split()[-1] for line in text.splitlines()[3:14]] == ["here"] * 4 + ["coming"] * 7
    assert "python3 -m course serve 1" in text


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["sreve"], "unknown command 'sreve': there are serve, test, diff, "),
        (["diff"], "the following arguments are required: N|final"),
        (["diff", "two"], "unknown step 'two'"),
        (["diff", "3", "board"], "step 3 has no themes; only final has"),
        (["diff", "3", "board", "4"], "unrecognized arguments: 4"),
        (["diff", "3", "--tests", "--all"], "argument --all: not allowed with argument --tests"),
        (["test", "99"], "unknown step '99'"),
        (["serve", "99"], "unknown step '99'"),
        (["propagate", "x"], "unknown step 'x'"),
        (["verify", "--step", "3"], "the following arguments are required: --url"),
        (["verify", "--step", "x", "--url", "http://localhost:1"], "unknown step 'x'"),
        (["--frobnicate"], "required: COMMAND"),
        (["propagate", "1"], "propagate compares with git: this folder is not a git repository"),
    ],
)
def test_what_the_user_can_put_right_is_one_line(
    small: SmallCourse, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert main(arguments, small.root) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("course: ")
    assert said.err.count("\n") == 1
    assert line in said.err


@pytest.mark.parametrize(
    "arguments", [["--help"], ["serve", "--help"], ["serve", "-h"], ["diff", "--help"]]
)
def test_help(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(arguments)
    assert "usage: python3 -m course" in capsys.readouterr().out


def test_diff_shows_the_lesson(small: SmallCourse, capsys: pytest.CaptureFixture[str]) -> None:
    small.put("step03_heap/tests/test_heap.py", "def test_heap() -> None: ...\n")
    small.put("step03_heap/taskflow/__pycache__/lesson3.cpython-311.pyc", "\0")

    assert main(["diff", "3"], small.root) == 0

    assert capsys.readouterr().out == (
        "Step 3 (heap) against step 2 (storage):"
        " a binary heap with a position index: the most urgent task first\n"
        "\n"
        "  file                        +  -\n"
        "  taskflow/lesson3.py  added  1  0\n"
        "  1 file                      1  0\n"
        "  Lines of code: without blank lines, comments and docstrings.\n"
        "\n"
        "--- /dev/null\n"
        "+++ b/taskflow/lesson3.py\n"
        "@@ -0,0 +1,3 @@\n"
        '+"""Lesson 3."""\n'
        "+\n"
        "+NUMBER = 3\n"
    )


def test_diff_shows_as_much_as_asked(
    small: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    small.put("step03_heap/tests/test_heap.py", "def test_heap() -> None: ...\n")
    files = {}
    for option in ("--no-color", "--tests", "--all"):
        main(["diff", "3", option], small.root)
        files[option] = capsys.readouterr().out.count("\n+++ ")
    assert files == {"--no-color": 1, "--tests": 2, "--all": 4}


def test_diff_shows_one_theme_of_final(
    small: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(small.root / "step04_deps", small.root / "final")
    small.put("final/taskflow/config.py", "PORT = 3000\n")
    small.put("final/taskflow/board/page.html", "<p>\n")
    small.put("final/tests/board/test_page.py", "")

    for arguments in (["final", "board"], ["final", "board", "--all"]):
        assert main(["diff", *arguments], small.root) == 0
        text = capsys.readouterr().out
        assert text.startswith("Final against step 4 (deps): ")
        assert text.splitlines()[0].endswith(" (theme: board)")
        assert text.count("\n+++ ") == 1
        assert "taskflow/board/page.html" in text
    assert main(["diff", "final", "bored"], small.root) == 2
    assert "unknown theme 'bored': there are settings, " in capsys.readouterr().err


def test_the_first_step_is_shown_against_nothing(
    small: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["diff", "1", "--color"], small.root)
    text = capsys.readouterr().out
    assert text.startswith("\x1b[1mStep 1 (http) against nothing: ")
    assert "Empty file taskflow/__init__.py added" in text


def test_propagate_and_integrity_pass_their_status_on(
    small: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["integrity"], small.root) == 1
    assert main(["integrity", "--update"], small.root) == 0
    small.replace("step03_heap/taskflow/http.py", "healthy", "well")
    small.commit()
    small.replace("step02_storage/taskflow/http.py", "healthy", "fine")
    assert main(["propagate", "2", "--dry-run"], small.root) == 1
    assert "CONFLICT  step03_heap/taskflow/http.py" in capsys.readouterr().out
    small.git("checkout", "--quiet", "step02_storage")
    small.replace("step03_heap/taskflow/http.py", "well", "very well")
    assert main(["propagate", "3"], small.root) == 1
    small.git("checkout", "--quiet", ".")
    small.replace("step01_http/taskflow/http.py", '"""Bytes', '"""All bytes')
    assert main(["propagate", "1"], small.root) == 0
    assert capsys.readouterr().out.endswith(
        "Carried to the end. Now: python3 -m course integrity\n"
    )


def test_ctrl_c_leaves_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "serve", interrupted)
    assert main(["serve", "1"]) == 130
    assert capsys.readouterr().err == "course: stopped\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_that_leaves_is_no_error(small: SmallCourse) -> None:
    small.put("step03_heap/taskflow/long.py", "a = 1\n" * 50_000)  # more than a pipe holds
    script = "import sys, pathlib; from course.cli import main;"
    script += "sys.exit(main(['diff', '3'], pathlib.Path(sys.argv[1])))"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(small.root)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == 141


def test_it_starts_with_the_standard_library_alone() -> None:
    # -I and -S: no site-packages, nothing of the user's.
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import course.cli"
    subprocess.run([sys.executable, "-I", "-S", "-c", script], check=True)
