"""``python()`` and ``generated()``: Python that is run beside a snapshot, in a fresh interpreter.

All snapshots call their package ``taskflow``, so each run is a process of its own with the step
first on its path.
"""

from __future__ import annotations

import shlex
import subprocess
import textwrap

from course.book.guide import EXAMPLES, BookError, Guide
from course.book.listings import fenced
from course.book.terminal import DEADLINE


def python(  # noqa: PLR0913 - keywords, each an author's choice
    guide: Guide,
    source: str,
    *,
    step: int | str | None = None,
    code: bool = True,
    status: int = 0,
    durations: bool = False,
) -> str:
    """A short piece of Python and what it prints; ``code=False`` shows the output alone."""
    source = textwrap.dedent(source).strip("\n")
    script = guide.scratch / "snippet.py"
    script.write_text(guide.normaliser.real(source, guide.port) + "\n", encoding="utf-8")
    printed = _run(guide, guide.python(step, script.name), status, durations)
    blocks = [fenced(source, "python")] if code else []
    if printed.strip():
        blocks.append(fenced(printed, "text"))
    return "\n\n".join(blocks)


def generated(  # noqa: PLR0913 - keywords, each an author's choice
    guide: Guide,
    module: str,
    function: str,
    *arguments: object,
    step: int | str | None = None,
    fence: str | None = None,
    durations: bool = False,
) -> str:
    """What a function of ``guides/examples/MODULE.py`` prints, as Markdown or in a fence."""
    guide.file(f"{EXAMPLES}/{module}.py")
    values = ", ".join(repr(argument) for argument in arguments)
    call = f"import {module}; {module}.{function}({values})"
    printed = _run(guide, guide.python(step, "-c", call), 0, durations)
    if not printed.strip():
        raise BookError(f"{module}.{function}() printed nothing")
    return fenced(printed, fence) if fence else printed


def _run(
    guide: Guide, python: tuple[list[str], dict[str, str]], status: int, durations: bool
) -> str:
    command, environment = python
    try:
        finished = subprocess.run(
            command,
            cwd=guide.scratch,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=DEADLINE,
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        raise BookError(f"still running after {DEADLINE:.0f} s: {shlex.join(command)}") from None
    output = guide.normaliser.shown(finished.stdout, guide.port, durations=durations)
    if finished.returncode != status:
        raise BookError(f"exit status {finished.returncode}, not {status}\n{output}".rstrip())
    return output
