"""Cuts functions, classes, methods and constants out of a Python file, exactly as they stand.

`ast` says where a definition begins and ends; the text comes from the file, so comments and
layout are kept. Comments and decorators directly above a definition belong to it.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator

from course.book.guide import BookError

type_with_body = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def cut(text: str, name: str, *, docstring: bool = True) -> str:
    """The source of ``push``, ``PriorityHeap.push`` or ``MAX_TASKS``, moved to the left margin."""
    lines = text.splitlines()
    node = find(ast.parse(text), name)
    first, last = _extent(node, lines)
    dropped = set() if docstring else set(_docstring_lines(node))
    kept = [lines[at - 1] for at in range(first, last + 1) if at not in dropped]
    return textwrap.dedent("\n".join(kept))


def find(tree: ast.Module, name: str) -> ast.stmt:
    """The statement that defines a dotted name."""
    body, found = tree.body, None
    for part in name.split("."):
        found = next((node for node in _statements(body) if part in _defined(node)), None)
        if found is None:
            raise BookError(f"{name} is not defined there")
        body = found.body if isinstance(found, type_with_body) else []
    assert found is not None
    return found


def between(text: str, start: str, end: str) -> str:
    """The lines from the one that holds ``start`` to the next that holds ``end``, both included."""
    lines = text.splitlines()
    starts = [at for at, line in enumerate(lines) if start in line]
    if len(starts) != 1:
        raise BookError(f"{start!r} stands in {len(starts)} lines, and must stand in one")
    for at in range(starts[0], len(lines)):
        if end in lines[at]:
            return textwrap.dedent("\n".join(lines[starts[0] : at + 1]))
    raise BookError(f"no line with {end!r} follows the one with {start!r}")


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements, also those under ``if TYPE_CHECKING`` and the like."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _statements([*node.body, *node.orelse])


def _defined(node: ast.stmt) -> set[str]:
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            return {node.name}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.Assign(targets=targets):
            names = (name for target in targets for name in ast.walk(target))
            return {name.id for name in names if isinstance(name, ast.Name)}
    return set()


def _extent(node: ast.stmt, lines: list[str]) -> tuple[int, int]:
    """First and last line, counted from 1."""
    first = node.lineno
    if isinstance(node, type_with_body) and node.decorator_list:
        first = min(first, *(decorator.lineno for decorator in node.decorator_list))
    margin = " " * node.col_offset + "#"
    while first > 1 and lines[first - 2].startswith(margin):
        first -= 1
    return first, node.end_lineno or node.lineno


def _docstring_lines(node: ast.stmt) -> Iterator[int]:
    """The lines of all docstrings in a definition, with the blank line that follows each."""
    for inner in ast.walk(node):
        if isinstance(inner, type_with_body) and ast.get_docstring(inner) is not None:
            if len(inner.body) == 1:
                continue  # nothing else would be left of it
            end = inner.body[0].end_lineno or inner.body[0].lineno
            yield from range(inner.body[0].lineno, end + 1)
            if inner.body[1].lineno > end + 1 and isinstance(inner, type_with_body):
                yield end + 1
