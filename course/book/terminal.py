"""One bash process for a guide, so that a variable set by one command is there in the next.

A command arrives in a file that bash sources: nothing has to be quoted, and a syntax error ends
the command, not the shell. Behind each one bash prints a line with a secret word and the exit
status; what came before that line is the output.

If the process that makes the guides dies, bash reads the end of its input and its EXIT trap stops
what still runs in the background, so no server is left over.
"""

from __future__ import annotations

import os
import re
import secrets
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

DEADLINE = 60.0  # seconds, for one command

# curl draws its progress when its output goes to a pipe, as it does here and not for the reader.
_START = """exec 2>&1
trap 'kill $(jobs -p) 2>/dev/null' EXIT
curl() { command curl --silent --show-error "$@"; }
"""


class TerminalError(Exception):
    """The shell ended, or a command did not."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command printed, on both streams, and its exit status."""

    output: str
    status: int


class Terminal:
    """A bash in ``directory``; `close` it, and whatever was started in it ends too."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._word = secrets.token_hex(16)
        self._script = Path(environment["TMPDIR"]) / "command.sh"
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=dict(environment),
            start_new_session=True,
        )
        self._send(_START)

    def run(self, command: str, deadline: float = DEADLINE) -> Finished:
        """Run one command, however many lines it has, and wait for its end."""
        self._script.write_text(command + "\n", encoding="utf-8")
        # The subshell at the end gives $? back, so that a command can ask for it.
        self._send(
            f'. "{self._script}" </dev/null\n'
            f"__status=$?; printf '\\n%s %d\\n' {self._word} $__status; (exit $__status)\n"
        )
        return self._answer(command, time.monotonic() + deadline)

    def close(self) -> None:
        """Stop what runs in the background, politely, then everything that is left."""
        with suppress(TerminalError):
            self.run("kill $(jobs -p) 2>/dev/null; wait", deadline=10)
        self._kill()
        for stream in (self._bash.stdin, self._bash.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()

    def _kill(self) -> None:
        if self._bash.returncode is None:  # not reaped yet, so the group is still ours
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._bash.pid, signal.SIGKILL)
            self._bash.wait()

    def _send(self, text: str) -> None:
        assert self._bash.stdin is not None
        try:
            self._bash.stdin.write(text.encode())
            self._bash.stdin.flush()
        except (OSError, ValueError):
            raise TerminalError("the shell of this guide has ended") from None

    def _answer(self, command: str, end: float) -> Finished:
        assert self._bash.stdout is not None
        closing = re.compile(rb"\n" + self._word.encode() + rb" (\d+)\n")
        received = b""
        searched = 0
        while not (found := closing.search(received, searched)):
            searched = max(0, len(received) - 64)
            if not select.select([self._bash.stdout], [], [], max(0, end - time.monotonic()))[0]:
                self._kill()
                raise TerminalError(f"still running at its deadline: {command}")
            if not (piece := os.read(self._bash.stdout.fileno(), 65536)):
                raise TerminalError(f"the shell ended with: {command}")
            received += piece
        return Finished(received[: found.start()].decode(errors="replace"), int(found[1]))
