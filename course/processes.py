"""Running other programs in view of the user.

The child shares our terminal, so Ctrl-C reaches it without our help; what is
left to do here is to wait until it has cleaned up, and to pass its status on.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


def run(command: Sequence[str | Path], cwd: Path, extra: Mapping[str, str] | None = None) -> int:
    """Run `command`, its output on ours; returns its exit status.

    A child that a signal ended gives 128 + the signal, as shells say it.
    """
    words, environment = [str(part) for part in command], {**os.environ, **(extra or {})}
    with _ctrl_c_for_the_child(), subprocess.Popen(words, cwd=cwd, env=environment) as child:
        status = child.wait()
    return status if status >= 0 else 128 - status


@contextmanager
def _ctrl_c_for_the_child() -> Iterator[None]:
    """Let Ctrl-C pass us by. A child does not inherit that: a new program begins without handlers.

    Catching KeyboardInterrupt around `wait` is not enough: one that comes just when the child was
    reaped loses its exit status, and a failure would be reported as 0.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:  # as in the background of a shell; then the child ignores it too
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
