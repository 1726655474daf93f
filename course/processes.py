"""Running other programs in view of the user.

The child shares our terminal, so Ctrl-C reaches it without our help; what is
left to do here is to wait until it has cleaned up, and to pass its status on.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def run(command: Sequence[str | Path], cwd: Path, extra: Mapping[str, str] | None = None) -> int:
    """Run `command`, its output on ours; returns its exit status.

    A child that a signal ended gives 128 + the signal, as shells say it.
    """
    environment = {**os.environ, **(extra or {})}
    with subprocess.Popen([str(part) for part in command], cwd=cwd, env=environment) as child:
        while True:
            try:
                status = child.wait()
            except KeyboardInterrupt:
                continue
            return status if status >= 0 else 128 - status
