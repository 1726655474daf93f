"""Depth-first order as a textbook puts it: a function that calls itself."""

import sys
from collections.abc import Mapping, Sequence

from deps_release import RELEASE, chain_edges


def recursive_order(prerequisites: Mapping[str, Sequence[str]], root: str) -> list[str]:
    """Return the root and all tasks below it, each after everything that it depends on."""
    seen: set[str] = set()
    order: list[str] = []

    def visit(task_id: str) -> None:
        seen.add(task_id)
        for prerequisite in prerequisites[task_id]:
            if prerequisite not in seen:
                visit(prerequisite)
        # Everything below the task is in the order.
        order.append(task_id)

    visit(root)
    return order


def show_release() -> None:
    """Print the order of the release."""
    print(" → ".join(recursive_order(RELEASE, "publish")))


def main() -> None:
    """Resolve a chain of as many tasks as the command line says."""
    length = int(sys.argv[1])
    prerequisites = chain_edges(length)
    try:
        order = recursive_order(prerequisites, str(length))
    except RecursionError as error:
        print(f"{length} tasks: {type(error).__name__}")
    else:
        print(f"{length} tasks: in order, from {order[0]} to {order[-1]}")


if __name__ == "__main__":
    main()
