"""Schemathesis reads the document, asks a running server what it tells, and compares.

It asks with what the schemas allow, with what they do not, and with what earlier answers led to;
always the same in every run. What it is told besides stands in schemathesis.toml and
schemathesis_hooks.py. To look for more: `--max-examples 100` on its command line.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from as_process import ADMIN, USER, command, environment

from taskflow.openapi import DESCRIBED

HERE = Path(__file__).resolve().parent
DEADLINE = 180.0  # seconds; it takes ten or twenty


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run a server with all that there is; give its address."""
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(
            command("--demos", "--data", ":memory:"),
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as server,
    ):
        try:
            assert server.stdout is not None
            yield server.stdout.readline().split()[-1]
        finally:
            server.terminate()
    assert server.returncode == 0


@pytest.mark.parametrize(
    ("token", "phases"),
    [
        pytest.param(ADMIN, "examples,coverage,fuzzing,stateful", id="admin"),
        pytest.param(USER, "coverage", id="user"),  # for whom most of it is refused
    ],
)
def test_it_finds_nothing(tmp_path: Path, token: str, phases: str) -> None:
    program = (sys.executable, "-m", "schemathesis.cli")
    settings = ("--config-file", str(HERE / "schemathesis.toml"))
    hooks = {"SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py"), "TASKFLOW_TOKEN": token}
    with served(tmp_path) as address:
        done = subprocess.run(
            (*program, *settings, "run", f"{address}/openapi.json", "--phases", phases),
            cwd=tmp_path,
            env=os.environ | hooks,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
    assert done.returncode == 0, done.stdout
    others = len(DESCRIBED) - 1  # all but the document itself
    assert re.search(rf"Tested: +{others}\n.*No issues found", done.stdout, re.DOTALL)
