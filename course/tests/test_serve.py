"""The server is started, and the helper is out of its way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from course import processes, serve
from course.cli import ROOT
from course.errors import CourseError
from course.tests.small_course import SmallCourse

LINE = "Taskflow listening on http://127.0.0.1:3000\n"


def command(root: Path, *arguments: str) -> list[str]:
    script = "import sys, pathlib; from course.cli import main;"
    script += "sys.exit(main(sys.argv[2:], pathlib.Path(sys.argv[1])))"
    return [sys.executable, "-c", script, str(root), "serve", *arguments]


def served(small: SmallCourse, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    elsewhere = small.root / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    return subprocess.run(
        command(small.root, *arguments),
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_rest_of_the_line_is_the_servers(small: SmallCourse) -> None:
    done = served(small, "3", "--port", "0", "--help", "--", "-x", "")
    assert "['--port', '0', '--help', '--', '-x', '']" in done.stderr


def test_only_the_server_writes_to_stdout(small: SmallCourse) -> None:
    done = served(small, "1")
    assert done.stdout == LINE
    assert "course: starting step 1, step01_http/ (stop it with Ctrl-C)\n" in done.stderr
    assert done.returncode == 0


def test_the_exit_status_is_the_servers(small: SmallCourse) -> None:
    assert served(small, "1", "--fail").returncode == 7


def test_the_working_directory_stays_the_learners(small: SmallCourse) -> None:
    # A package of the same name lies there, and must not be taken.
    small.put("elsewhere/taskflow/__main__.py", "raise SystemExit('the wrong one')")
    done = served(small, "1")
    assert done.returncode == 0
    assert str(small.root / "elsewhere") in done.stderr


def test_the_python_path_of_the_learner_is_kept(
    small: SmallCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, str]] = []

    def stand_in(python: Path, command: Sequence[str], environment: dict[str, str]) -> None:
        started.append(environment)

    monkeypatch.setattr(os, "name", "posix")
    monkeypatch.setattr(os, "execve", stand_in)
    monkeypatch.setattr(processes, "run", lambda *_: 0)
    monkeypatch.setenv("PYTHONPATH", "mine")
    serve.serve(small.root, ["2"])
    assert started[0]["PYTHONPATH"] == f"{small.root / 'step02_storage'}{os.pathsep}mine"


def test_without_a_number_the_newest_is_served(small: SmallCourse) -> None:
    assert serve.choose(small.root, [])[0].path.name == "step04_deps"
    snapshot, rest = serve.choose(small.root, ["--port", "0"])
    assert (snapshot.path.name, rest) == ("step04_deps", ["--port", "0"])
    small.put("final/taskflow/__init__.py", "")
    assert serve.choose(small.root, [])[0].path.name == "final"


def test_final_is_served_with_its_demos_and_the_way_to_its_board(small: SmallCourse) -> None:
    small.put("final/pyproject.toml", small.read("step01_http/pyproject.toml"))
    small.put("final/taskflow/__main__.py", small.read("step01_http/taskflow/__main__.py"))
    done = served(small)
    assert done.stdout == LINE
    assert "course: starting final, final/ (stop it with Ctrl-C)\n" in done.stderr
    assert "course: the board: http://127.0.0.1:3000/#token=secret-admin-123\n" in done.stderr
    data = small.root / "elsewhere" / "taskflow.db"
    assert f"course: the tasks: {data} (--data :memory: keeps none)\n" in done.stderr
    assert "['--demos']" in done.stderr
    done = served(small, "final", "--data", ":memory:", "--demos", "no")
    assert "['--demos', '--data', ':memory:', '--demos', 'no']" in done.stderr


def test_a_step_is_served_without_demos(small: SmallCourse) -> None:
    done = served(small, "4")
    assert "[] " in done.stderr
    assert "board" not in done.stderr


def test_an_unknown_step(small: SmallCourse) -> None:
    with pytest.raises(CourseError, match="unknown step 'three'"):
        serve.choose(small.root, ["three"])
    done = served(small, "12")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "course: unknown step '12': the path has steps 1 to 10, and final\n"


def test_a_step_that_needs_packages_gets_its_own_environment(
    small: SmallCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Sequence[str]]] = []

    def stand_in(root: Path, name: str, requirements: Sequence[str]) -> Path:
        asked.append((name, requirements))
        return Path("python")

    monkeypatch.setattr(serve, "python_with", stand_in)
    assert serve.python_for(small.root, small.step("3")) == Path(sys.executable)
    assert asked == []
    small.replace("step04_deps/pyproject.toml", "[]", '["psutil"]')
    assert serve.python_for(small.root, small.step("4")) == Path("python")
    assert asked == [("step04", ("psutil",))]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_the_server(small: SmallCourse, by: signal.Signals) -> None:
    small.put(
        "step01_http/taskflow/__main__.py",
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(0))\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "print('Taskflow listening on http://127.0.0.1:3000', flush=True)\n"
        "signal.pause()\n",
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command(small.root, "1"), env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == LINE
        server.send_signal(by)
        assert server.wait() == 0
