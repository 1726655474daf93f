"""``server()``: a server in the background of the guide's bash, on a port that is free.

The reader sees port 3000. The real port is another one in every run, and whatever goes in or out
of the terminal is translated, so that guides can be made side by side.
"""

from __future__ import annotations

import re
import shlex
import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from course.book.guide import BookError, Guide, interpreter
from course.book.listings import fenced
from course.book.normalise import READER_PORT

FINAL = "final"
READY_WITHIN = 10.0  # seconds
_OUT, _ERR = "server.out", "server.err"
# What the helper says, on stderr, before it becomes the server.
_NOTES = ("course: starting", "course: the board:", "course: the tasks:")
_READY = re.compile(r"^Taskflow listening on http://127\.0\.0\.1:(\d+)$", re.MULTILINE)


def server(
    guide: Guide,
    what: int | str | None = None,
    *args: str,
    ready: str = "",
    show: bool = True,
) -> str:
    """Start a server and show the command with the line it prints; an earlier one is stopped.

    ``what`` is a step (default: the guide's own), or "final", or the path of a script that listens
    on port 3000 by itself. A script is ready when it prints ``ready``, or, without it, when it
    accepts.
    """
    stop(guide)
    if isinstance(what, str) and what != FINAL:
        command = _start_script(guide, guide.file(what), args, ready)
        printed = _read(guide, _OUT) if ready else ""
    else:
        command = _start_step(guide, guide.step if what is None else what, args)
        printed = _read(guide, _OUT)
    if not show:
        return ""
    notes = [line for line in _read(guide, _ERR).splitlines() if line.startswith(_NOTES)]
    shown = guide.normaliser.shown("\n".join([*notes, printed]), guide.port)
    return fenced(f"$ {command}\n{shown}", "console")


def stop(guide: Guide) -> None:
    """Stop the guide's server and wait for its end."""
    if guide.port is not None:
        guide.run("kill $__server 2>/dev/null; wait $__server 2>/dev/null")
        guide.port = None


def _start_step(guide: Guide, step: int | str, args: tuple[str, ...]) -> str:
    """The command of the reader, with another port; it becomes the server, so a signal is its.

    The helper tells where the board of final is, and so has to know its port before it listens.
    """
    interpreter(guide.root, step)  # installs what the step needs now, not within the deadline
    words = ["python3", "-m", "course", "serve", str(step)]
    port = _free_port() if step == FINAL else 0
    _background(guide, guide.root, [*words, "--port", str(port), *args])
    guide.port = _wait_for(guide, lambda: _announced(guide))
    return shlex.join([*words, *args])


def _start_script(guide: Guide, script: Path, args: tuple[str, ...], ready: str) -> str:
    port = _free_port()
    text = re.sub(rf"\b{READER_PORT}\b", str(port), script.read_text(encoding="utf-8"))
    (guide.scratch / script.name).write_text(text, encoding="utf-8")
    _background(guide, guide.scratch, ["python3", script.name, *args])

    def accepts() -> int | None:
        return port if (ready in _read(guide, _OUT) if ready else _accepts(port)) else None

    guide.port = _wait_for(guide, accepts)
    shown = script.relative_to(guide.root).as_posix()
    return shlex.join(["python3", shown, *args])


def _background(guide: Guide, directory: Path, command: list[str]) -> None:
    """Start a command, its two streams going to two files; ``exec`` makes $! its own number."""
    out, err = (shlex.quote(str(guide.scratch / name)) for name in (_OUT, _ERR))
    where = shlex.quote(str(directory))
    guide.run(f"rm -f {out} {err}")  # or the words of the last server would be taken for this one's
    guide.run(f"(cd {where} && exec {shlex.join(command)} >{out} 2>{err}) & __server=$!")


def _wait_for(guide: Guide, attempt: Callable[[], int | None]) -> int:
    """The port, as soon as the server is ready on it."""
    end = time.monotonic() + READY_WITHIN
    while time.monotonic() < end:
        if (port := attempt()) is not None:
            return port
        if guide.run("kill -0 $__server 2>/dev/null").status != 0:
            break
        time.sleep(0.02)
    raise BookError(f"the server did not start\n{_read(guide, _ERR)}".rstrip())


def _announced(guide: Guide) -> int | None:
    return int(found[1]) if (found := _READY.search(_read(guide, _OUT))) else None


def _read(guide: Guide, name: str) -> str:
    file = guide.scratch / name
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _accepts(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
