"""Cog over a guide, in memory: what it says now, what it would say if it were made anew."""

from __future__ import annotations

import difflib
import re
import sys
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from cogapp.cogapp import Cog, CogError  # type: ignore[import-untyped]

from course.book.guide import ROOT, Guide
from course.book.markers import BEGIN, END, END_OUTPUT, code_beside_begin
from course.book.toolbox import toolbox

# Cog calls the code of the marker in line 12 of a guide "<cog 03-heap.md:12>".
_MARKER = re.compile(r"<cog .*:(\d+)>")
_LINE_IN_TRACE = re.compile(r'File "[^"]*", line (\d+)')

_CODE_BESIDE = f"code of several lines begins in the line below {BEGIN}"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong, and where; sorts by file and line."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Woven:
    """A guide before and after, and what went wrong on the way."""

    path: Path
    old: str
    new: str
    findings: tuple[Finding, ...]

    def changes(self, name: str) -> list[Finding]:
        """Where the guide is out of date: the first line of each difference, with its diff."""
        if self.old == self.new:
            return []
        return [
            Finding(name, first, f"out of date, python -m course.book write\n{text}")
            for first, text in differences(self.old, self.new)
        ]


def weave(path: Path, root: Path = ROOT) -> Woven:
    """Evaluate all markers of a guide. Nothing is written."""
    old = path.read_text(encoding="utf-8")
    name = path.relative_to(root).as_posix()
    findings = [Finding(name, line, _CODE_BESIDE) for line in code_beside_begin(old)]
    cog = Cog()
    cog.options.begin_spec, cog.options.end_spec = BEGIN, END
    new = StringIO()

    def report(message: str) -> None:
        findings.append(Finding(name, _calling_line(old), message))

    def write(text: str) -> None:
        if BEGIN in text or END_OUTPUT in text:
            report("the output holds a marker of Cog, which would end it")
        else:
            cog.cogmodule.out(text)

    with Guide(path, root) as guide:
        try:
            names = toolbox(guide, write, report)
            cog.process_file(StringIO(old), new, fname=name, globals=names)
        except (CogError, SyntaxError) as error:
            findings.append(_failure(name, error, old))
    if findings:
        return Woven(path, old, old, tuple(findings))
    return Woven(path, old, _blank_before_end(new.getvalue()), ())


def differences(old: str, new: str) -> list[tuple[int, str]]:
    """The hunks of the diff between two texts, each with the line of the old one it begins at."""
    before, after = old.splitlines(), new.splitlines()
    hunks: list[tuple[int, str]] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for group in matcher.get_grouped_opcodes(2):
        lines: list[str] = []
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [f"      {line}" for line in before[i1:i2]]
            else:
                lines += [f"    - {line}" for line in before[i1:i2]]
                lines += [f"    + {line}" for line in after[j1:j2]]
        first = next(i1 for tag, i1, *_ in group if tag != "equal")
        hunks.append((first + 1, "\n".join(lines)))
    return hunks


def _calling_line(text: str) -> int:
    """The line of the guide whose code is being evaluated."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        if found := _MARKER.fullmatch(frame.f_code.co_filename):
            return _line_in_guide(text, int(found[1]), frame.f_lineno)
        frame = frame.f_back
    return 1


def _line_in_guide(text: str, first: int, line: int) -> int:
    """Cog puts one line before the code; code beside its marker is one line nearer than below."""
    beside = END in text.splitlines()[first - 1]
    return first if beside else first + line - 1


def _failure(name: str, error: CogError | SyntaxError, text: str) -> Finding:
    if isinstance(error, SyntaxError):
        found = _MARKER.fullmatch(error.filename or "")
        first = int(found[1]) if found else 1
        return Finding(name, _line_in_guide(text, first, error.lineno or 2), f"{error.msg}")
    message = str(error)
    place = re.match(r"(?P<file>.*)\((?P<line>\d+)\): (?P<what>.*)", message)
    if place:
        return Finding(name, int(place["line"]), place["what"])
    found = _LINE_IN_TRACE.search(message)
    line = int(found[1]) if found else 1  # as if the code stood below its marker
    beside = line > 1 and END in text.splitlines()[line - 2]
    return Finding(name, line - beside, message.splitlines()[-1])


def _blank_before_end(text: str) -> str:
    """A blank line before each end marker: some viewers need it to end a table or a list."""
    end = re.escape(END_OUTPUT)
    return re.sub(rf"(?<=[^\n])\n([ \t]*<!-- {end} -->)", r"\n\n\1", text)
