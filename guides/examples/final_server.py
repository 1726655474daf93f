"""A server of final for an example: a process of its own, on a port that the system chooses."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ADMIN, USER = "secret-admin-123", "secret-user-123"


@contextmanager
def running(*flags: str) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """Run a server while the block does; give its port and its process."""
    command = [sys.executable, "-m", "taskflow", "--demos", "--port", "0", *flags]
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TASKFLOW_")}
    with subprocess.Popen(
        command, env=kept, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline().rpartition(":")[2]), process
        finally:
            process.kill()
