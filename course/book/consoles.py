"""``shell()`` and ``question()``: commands, run in the guide's one bash, with what they print."""

from __future__ import annotations

import re
from collections.abc import Mapping

from course.book.guide import BookError, Guide
from course.book.listings import fenced
from course.book.normalise import names_port
from course.book.snippets import python as run_python

SKIPPED = "*Not run by the checks:"


def shell(  # noqa: PLR0913 - keywords, each an author's choice
    guide: Guide,
    *commands: str,
    status: int = 0,
    skip: str = "",
    head: int | None = None,
    durations: bool = False,
    replace: Mapping[str, str] | None = None,
) -> str:
    """Commands and what they print.

    ``status`` is the exit status that the last one must have; the others must have 0. ``head``
    shows only so many lines of each output. ``durations=True`` hides how long things took;
    ``replace`` maps patterns to what is shown for them. ``skip="reason"`` runs nothing and says so.
    """
    if not commands:
        raise BookError("shell() needs a command")
    if skip:
        block = fenced("\n".join(f"$ {command}" for command in commands), "console")
        return f"{block}\n\n{SKIPPED} {skip}.*"
    shown = ""
    for number, command in enumerate(commands, start=1):
        output = _run(guide, command, status if number == len(commands) else 0, durations)
        for pattern, instead in (replace or {}).items():
            output = re.sub(pattern, instead, output)
        part = f"$ {command}\n{shortened(output, head)}".rstrip("\n")
        shown += f"{part}\n\n" if "\n" in part else f"{part}\n"
    return fenced(shown, "console")


def question(  # noqa: PLR0913 - keywords, each an author's choice
    guide: Guide,
    text: str,
    *commands: str,
    answer: str,
    python: str = "",
    step: int | str | None = None,
    status: int = 0,
    head: int | None = None,
    durations: bool = False,
) -> str:
    """A question whose answer stays hidden until it is opened, and comes from a run."""
    guide.questions += 1
    number = guide.questions
    blocks = []
    if commands:
        blocks.append(shell(guide, *commands, status=status, head=head, durations=durations))
    if python:
        blocks.append(run_python(guide, python, step=step, status=status, durations=durations))
    if not blocks:
        raise BookError("a question needs a command, or python=, that answers it")
    shown = "\n\n".join(blocks)
    return (
        f"**{number}.** {text}\n\n<details>\n<summary>Run it and see</summary>\n\n"
        f"{shown}\n\n{answer}\n\n</details>"
    )


def shortened(text: str, head: int | None) -> str:
    """The first lines of a text, and a sign that there was more."""
    lines = text.splitlines()
    if head is None or len(lines) <= head:
        return text
    return "\n".join([*lines[:head], "…"])


def _run(guide: Guide, command: str, expected: int, durations: bool) -> str:
    if names_port(command) and guide.port is None:
        raise BookError(f"no server runs yet, start one with server(): {command}")
    finished = guide.run(guide.normaliser.real(command, guide.port))
    output = guide.normaliser.shown(finished.output, guide.port, durations=durations)
    if finished.status != expected:
        problem = f"exit status {finished.status}, not {expected}: {command}\n{output}"
        raise BookError(problem.rstrip())
    return output
