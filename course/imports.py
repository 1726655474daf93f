"""Which module of a package imports what, and which imports form a circle.

Every import counts, including those inside functions and under `if TYPE_CHECKING:`: a reader
follows them all the same. Nothing is imported here; the source is only parsed.
"""

import ast
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name, in full: `from taskflow import errors` imports `taskflow.errors`."""

    name: str
    line: int

    def is_of(self, module: str) -> bool:
        """Whether the name is this module or something inside it."""
        return self.name == module or self.name.startswith(f"{module}.")


# The full name of each module, and its imports in order.
Package = Mapping[str, tuple[Import, ...]]


def read(files: Mapping[str, bytes]) -> Package:
    """Return the imports of each module among `files`, by path from the folder of the package.

    Files that do not parse are left out.
    """
    package = {}
    for path, data in files.items():
        if path.endswith(".py"):
            try:
                tree = ast.parse(data)
            except (SyntaxError, ValueError):
                continue
            parts = path.removesuffix(".py").split("/")
            folder = parts[:-1]
            name = ".".join(folder if parts[-1] == "__init__" else parts)
            found = sorted(_imports(tree, folder), key=lambda one: (one.line, one.name))
            package[name] = tuple(found)
    return package


def _imports(tree: ast.AST, folder: list[str]) -> Iterator[Import]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (Import(alias.name, node.lineno) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                # One dot is the module's own folder, each further dot the folder above.
                start = folder[: len(folder) - level + 1] if level else []
                source = ".".join([*start, *([module] if module else [])])
                yield from (Import(f"{source}.{alias.name}", node.lineno) for alias in names)


def circles(package: Package) -> list[tuple[str, ...]]:
    """Return the circles of imports: for each module in one, a shortest circle through it.

    A circle begins with the first of its names in the alphabet, so it is listed once.
    """
    edges = {module: _targets(module, package) for module in package}
    found = set()
    for module in edges:
        if circle := _way_back(module, edges):
            least = circle.index(min(circle))
            found.add(circle[least:] + circle[:least])
    return sorted(found)


def _targets(module: str, package: Package) -> list[str]:
    """The other modules of the package that a module imports.

    The longest prefix of an imported name that is a module: `taskflow.errors.NotFound` leads to
    `taskflow.errors`, and to `taskflow` itself only what its `__init__` defines.
    """
    targets = set()
    for imported in package[module]:
        name = imported.name
        while name and name not in package:
            name = name.rpartition(".")[0]
        targets.add(name)
    return sorted(targets - {"", module})


def _way_back(start: str, edges: Mapping[str, list[str]]) -> tuple[str, ...]:
    """The shortest way from a module over its imports to itself, breadth first; () for none."""
    ways: deque[tuple[str, ...]] = deque([(start,)])
    seen: set[str] = set()
    while ways:
        way = ways.popleft()
        for target in edges[way[-1]]:
            if target == start:
                return way
            if target not in seen:
                seen.add(target)
                ways.append((*way, target))
    return ()
