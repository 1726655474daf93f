"""What counts as a line of code: no blank lines, no comments, no docstrings.

The size laws are about what a reader must understand, and prose helps with
that: it must never be cheaper to leave a comment out. So both sides of a
comparison are reduced to their pure code first. A bare string statement is
prose wherever it stands, since nothing reads it: docstrings of modules,
classes and functions, and the strings under the fields of a dataclass.
"""

import ast
import io
import tokenize
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True, slots=True)
class Count:
    """One file, measured in lines; a line may hold both code and a comment."""

    code: int
    prose: int
    filled: int  # all that are not blank


def code_of(path: str, data: bytes) -> tuple[str, ...]:
    """The lines of code of a file; of one that is not Python, its lines that are not blank.

    Python that does not parse is treated like any other text: a learner may
    look at the diff of half-written work. `integrity` refuses it elsewhere.
    """
    if path.endswith(".py"):
        try:
            return code_lines(data.decode())
        except (SyntaxError, ValueError):
            pass
    if b"\0" in data:
        return ()
    return tuple(line for line in data.decode(errors="replace").splitlines() if line.strip())


def code_lines(source: str) -> tuple[str, ...]:
    """The lines of Python that hold code, without the comments at their ends.

    Raises SyntaxError or ValueError (NUL bytes) for what is not Python.
    """
    return tuple(numbered_code(source).values())


@cache
def numbered_code(source: str) -> Mapping[int, str]:
    """The same lines by their number in the source, which counts from 1."""
    prose = _prose_rows(source)
    rows: set[int] = set()
    comments: dict[int, int] = {}  # row → column
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        (row, column), (last, _) = token.start, token.end
        if token.type == tokenize.COMMENT:
            comments[row] = column
        elif token.type not in _LAYOUT and not (token.type == tokenize.STRING and row in prose):
            rows.update(range(row, last + 1))
    # As tokenize does, this splits at line feeds only, never at \f.
    lines = io.StringIO(source).readlines()
    kept = {row: lines[row - 1][: comments.get(row)].rstrip() for row in sorted(rows)}
    return {row: line for row, line in kept.items() if line}


def measure(source: str) -> Count:
    """Lines of code, of comments and docstrings, and of both, in Python source."""
    lines = io.StringIO(source).readlines()
    prose = {row for row in _prose_rows(source) if lines[row - 1].strip()}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            prose.add(token.start[0])
    filled = sum(1 for line in lines if line.strip())
    return Count(len(code_lines(source)), len(prose), filled)


def changed(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """Lines added and deleted on the shortest way from `old` to `new`."""
    same = longest_common_subsequence(old, new)
    return len(new) - same, len(old) - same


def longest_common_subsequence(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines can stay, in O(m log n) for m pairs of equal lines.

    Hunt and Szymanski (1977): the places of equal lines, read from the last to
    the first for each line of `old`; their longest rising run is the answer.
    `ends[k]` is the earliest place where a run of length k + 1 can end.
    """
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, line in enumerate(new):
        places[line].append(place)
    ends: list[int] = []
    for line in old:
        for place in reversed(places.get(line, [])):
            at = bisect_left(ends, place)
            ends[at : at + 1] = [place]
    return len(ends)


@cache
def _prose_rows(source: str) -> frozenset[int]:
    """The rows of all strings that are statements of their own."""
    rows: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str()), lineno=first, end_lineno=int(last)):
                rows.update(range(first, last + 1))
    return frozenset(rows)
