"""Depth-first order as a textbook puts it: a function that calls itself."""

import sys

from deps_release import chain, release

from taskflow.dependencies import DependencyGraph


def recursive_order(graph: DependencyGraph, root: str) -> list[str]:
    """Return the root and all below it, each after everything that it depends on."""
    seen: set[str] = set()
    order: list[str] = []

    def visit(task_id: str) -> None:
        seen.add(task_id)
        for prerequisite in graph.prerequisites(task_id):
            if prerequisite not in seen:
                visit(prerequisite)
        order.append(task_id)  # all below it is done

    visit(root)
    return order


def show_release() -> None:
    """Print the order of the release."""
    print(" → ".join(recursive_order(release(), "publish")))


def main() -> None:
    """Resolve a chain of as many tasks as the command line says."""
    length = int(sys.argv[1])
    graph = chain(length)
    try:
        order = recursive_order(graph, str(length))
    except RecursionError as error:
        print(f"{length} tasks: {type(error).__name__}")
    else:
        print(f"{length} tasks: in order, from {order[0]} to {order[-1]}")


if __name__ == "__main__":
    main()
