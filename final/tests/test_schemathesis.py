"""Schemathesis reads the document, sends requests to a running server, and compares the two.

It sends values that the schemas allow, values that they do not allow, and values from earlier
responses, the same ones in every run. Its settings are in schemathesis.toml and
schemathesis_hooks.py. Pass `--max-examples 100` on its command line to search for longer.
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

from taskflow.openapi.document import DESCRIBED

HERE = Path(__file__).resolve().parent
# Seconds. A run usually takes ten or twenty.
DEADLINE = 180.0


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run a server with all its endpoints, and yield its address."""
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
        # Most requests are refused with the user token, so one phase is enough.
        pytest.param(USER, "coverage", id="user"),
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
    # Schemathesis fetches the document itself before it begins, and does not test it.
    tested = len(DESCRIBED) - 1
    assert re.search(rf"Tested: +{tested}\n.*No issues found", done.stdout, re.DOTALL)
