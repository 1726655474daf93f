"""The demos: a server, a script beside it, and what becomes of both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from course import demo
from course.cli import ROOT, main
from course.demo import DEMOS
from course.tests.small_course import SmallCourse

# A server that says in a file when it was stopped, and stops.
SERVER = """import pathlib, signal, sys

def stop(*_):
    pathlib.Path(__file__).with_name("stopped").touch()
    sys.exit(0)

signal.signal(signal.SIGTERM, stop)
print("Taskflow listening on http://127.0.0.1:4711", flush=True)
signal.pause()
"""
AS_IN_A_TERMINAL = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def stopped(small: SmallCourse) -> bool:
    return (small.root / "step04_deps/taskflow/stopped").exists()


@pytest.fixture
def staged(small: SmallCourse) -> SmallCourse:
    """A course whose step 4 has a server, and whose demo of it is still to be written."""
    small.put("step04_deps/taskflow/__main__.py", SERVER)
    return small


def test_without_a_name_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["lists", "dependencies", "workers", "live"]


def test_each_has_its_script() -> None:
    assert [name for name in DEMOS if not (ROOT / f"demos/{name.name}.py").is_file()] == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["heap"], "unknown demo 'heap': there are lists, dependencies, workers, live"),
        (["live", "5"], "the demo live takes no numbers; lists does"),
        (["lists", "10001"], "the demo lists takes numbers of tasks from 1 to 10000"),
        (["lists", "many"], "argument N: invalid int value: 'many'"),
        (["workers"], "step 8 is still to come; here now: 1, 2, 3, 4"),
    ],
)
def test_what_the_user_can_put_right(
    small: SmallCourse, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert main(["demo", *arguments], small.root) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"course: {line}")
    assert said.err.count("\n") == 1


def test_lists(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "lists", "400", "8"]) == 0
    said = capfd.readouterr()
    rows = [line.split() for line in said.out.splitlines() if line.endswith("µs")]
    assert [(row[0], row[1], row[4]) for row in rows] == [("8", "8", "1"), ("400", "400", "1")]
    assert f"     400  list  {'█' * 40}\n          dict  ▏\n" in said.out
    assert said.out.splitlines()[-1].startswith("As told: ")
    assert said.err == ""


def test_dependencies(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "dependencies"]) == 0
    said = capfd.readouterr()
    assert "In order: code, test, docs, build, package, notes, publish\n" in said.out
    assert "would wait for itself\n  code → publish → package → build → code\n" in said.out
    assert "  code     → test, docs, build\n" in said.out
    assert said.out.splitlines()[-1].startswith("As told: ")
    assert said.err == "course: starting step 4, step04_deps/, for this demo\n"


def test_what_is_not_as_told_is_a_failure(
    staged: SmallCourse, capfd: pytest.CaptureFixture[str]
) -> None:
    staged.put("demos/stage.py", (ROOT / "demos/stage.py").read_text("utf-8"))
    script = "from stage import perform, told\nperform(lambda: told(1 == 2, 'one is two'))\n"
    staged.put("demos/dependencies.py", script)
    assert main(["demo", "dependencies"], staged.root) == 1
    assert "Not as told: one is two.\n" in capfd.readouterr().err
    assert stopped(staged)


def test_a_server_that_is_gone_is_a_failure(
    staged: SmallCourse, capfd: pytest.CaptureFixture[str]
) -> None:
    staged.put("demos/stage.py", (ROOT / "demos/stage.py").read_text("utf-8"))
    script = "from stage import Client, perform\nperform(Client('127.0.0.1:1').get, '/health')\n"
    staged.put("demos/dependencies.py", script)
    assert main(["demo", "dependencies"], staged.root) == 1
    said = capfd.readouterr().err
    assert "The server is gone: " in said
    assert "Traceback" not in said


def test_the_script_finds_server_step_examples_and_tokens(
    staged: SmallCourse, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "mine")
    monkeypatch.setenv("TASKFLOW_ADMIN_TOKEN", "another")
    names = ("PYTHONPATH", "TASKFLOW_ADMIN_TOKEN")
    staged.put(
        "demos/dependencies.py", f"import os, sys\nprint(sys.argv[1], *map(os.getenv, {names}))\n"
    )
    assert main(["demo", "dependencies"], staged.root) == 0
    path = os.pathsep.join(
        [str(staged.root / "step04_deps"), str(staged.root / "guides/examples"), "mine"]
    )
    assert capfd.readouterr().out == f"127.0.0.1:4711 {path} secret-admin-123\n"
    assert stopped(staged)


def test_a_server_that_does_not_start(
    small: SmallCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    small.put("step04_deps/taskflow/__main__.py", "raise SystemExit('first\\nno memory')")
    assert main(["demo", "dependencies"], small.root) == 2
    assert "course: the server did not start: no memory\n" in capsys.readouterr().err


@posix
def test_ctrl_c_is_no_failure_of_the_demo(
    staged: SmallCourse, capfd: pytest.CaptureFixture[str]
) -> None:
    staged.put("demos/stage.py", (ROOT / "demos/stage.py").read_text("utf-8"))
    script = "import os, signal\nfrom stage import perform\n"
    script += "perform(lambda: os.kill(os.getpid(), signal.SIGINT))\n"
    staged.put("demos/dependencies.py", f"{AS_IN_A_TERMINAL}\n{script}")
    assert main(["demo", "dependencies"], staged.root) == demo.INTERRUPTED
    said = capfd.readouterr().err
    assert said.endswith("course: stopped\n")
    assert "Traceback" not in said
    assert stopped(staged)


@posix
def test_whoever_ends_the_demo_ends_its_server(staged: SmallCourse) -> None:
    # The script says that it runs, and ends when the server has.
    here = staged.root / "step04_deps/taskflow/stopped"
    script = "import pathlib, sys, time\nprint('on stage', flush=True)\n"
    script += f"while not pathlib.Path({str(here)!r}).exists():\n    time.sleep(0.01)\n"
    staged.put("demos/dependencies.py", f"{script}sys.exit(1)\n")
    start = "import sys, pathlib; from course.cli import main;"
    start += "sys.exit(main(['demo', 'dependencies'], pathlib.Path(sys.argv[1])))"
    with subprocess.Popen(
        [sys.executable, "-c", start, str(staged.root)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "on stage\n"
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 1
    assert stopped(staged)


def test_the_environment_is_that_of_the_step(
    small: SmallCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def stand_in(root: Path, snapshot: object) -> Path:
        asked.append(str(snapshot))
        return Path(sys.executable)

    monkeypatch.setattr(demo, "python_for", stand_in)
    small.put("demos/lists.py", "import sys; sys.exit(len(sys.argv) - 1)")
    assert main(["demo", "lists", "10"], small.root) == 3
    assert len(asked) == 1
    assert "step02_storage" in asked[0]
