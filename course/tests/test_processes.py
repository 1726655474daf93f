"""Children in view of the user."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from course import processes


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_status_output_and_environment_are_the_childs(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = "import os; print(os.getcwd(), os.environ['WORD'], flush=True); raise SystemExit(3)"
    assert processes.run(python(script), tmp_path, {"WORD": "here"}) == 3
    assert capfd.readouterr().out == f"{tmp_path} here\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_child_that_a_signal_ended(tmp_path: Path) -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    assert processes.run(python(script), tmp_path) == 128 + signal.SIGTERM


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_waits_until_the_child_has_cleaned_up(tmp_path: Path) -> None:
    # Our own Ctrl-C arrives while we wait, or just when the child has ended with 5.
    script = "import os, signal; os.kill(os.getppid(), signal.SIGINT); raise SystemExit(5)"
    assert processes.run(python(script), tmp_path) == 5
