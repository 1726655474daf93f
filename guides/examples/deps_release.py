"""The seven tasks of a small release, and what each waits for: the example of guide 4."""

from taskflow.dependencies import DependencyGraph
from taskflow.tasks import Change, Status, Task

RELEASE: dict[str, tuple[str, ...]] = {
    "code": (),
    "test": ("code",),
    "docs": ("code",),
    "build": ("code",),
    "package": ("build", "docs"),
    "notes": (),
    "publish": ("test", "package", "notes"),
}


def task(name: str, *prerequisites: str, status: Status = Status.PENDING) -> Task:
    """Return a task that is called by its name, so that a graph of such can be read."""
    then = "2026-01-01T12:00:00.000Z"
    return Task(
        id=name,
        number=1,
        title=name,
        status=status,
        dependencies=prerequisites,
        created_at=then,
        updated_at=then,
    )


def release() -> DependencyGraph:
    """Return the graph of the seven tasks."""
    graph = DependencyGraph()
    for name, prerequisites in RELEASE.items():
        graph.apply(Change(None, task(name, *prerequisites)))
    return graph


def chain_edges(length: int) -> dict[str, tuple[str, ...]]:
    """Return a chain: each task is called by a number and depends on the one before it."""
    edges: dict[str, tuple[str, ...]] = {"1": ()}
    for number in range(2, length + 1):
        edges[str(number)] = (str(number - 1),)
    return edges


def chain(length: int) -> DependencyGraph:
    """Return the graph of a chain."""
    graph = DependencyGraph()
    for name, prerequisites in chain_edges(length).items():
        graph.apply(Change(None, task(name, *prerequisites)))
    return graph


def row(*cells: object) -> None:
    """Print one line of a Markdown table."""
    print(f"| {' | '.join(str(cell) for cell in cells)} |")


def table(*heads: str) -> None:
    """Print the head of a Markdown table."""
    row(*heads)
    row(*("---" for _ in heads))
