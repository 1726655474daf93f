"""Looks into `order` and `find_cycle` while they run.

Python calls a trace function before each line of a function (`sys.settrace`). Ours writes down the
local variables at the few lines that matter, so the tables of the guide are made by the code of
the step itself. A table that misses a task is an error: then the step has other lines than these.
"""

import linecache
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from deps_release import RELEASE, release, row, table

from taskflow.dependencies import DependencyGraph, Node

GO_DOWN = "path.append((task_id, edge.next))"
PASS_BY = "edge = edge.next"
GIVE_OUT = "yield task_id"


def watch(
    code: CodeType, run: Callable[[], object], seen: Callable[[str, dict[str, Any]], None]
) -> None:
    """Run something; before each line of this code call `seen` with its text and the variables."""

    def at_line(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code is not code:
            return None
        if event == "line":
            line = linecache.getline(code.co_filename, frame.f_lineno)
            seen(line.partition("#")[0].strip(), frame.f_locals)
        return at_line

    before = sys.gettrace()
    sys.settrace(at_line)
    try:
        run()
    finally:
        sys.settrace(before)


def place(task_id: str, edge: Node | None) -> str:
    """Show a place: a task and the edge to follow from there."""
    return f"{task_id} ▸ {edge.task_id if edge else 'end'}"


def order_table() -> None:
    """Print what `order` does for the release, step by step."""
    steps: list[tuple[str, str, str]] = []

    def seen(line: str, local: dict[str, Any]) -> None:
        if line not in (GO_DOWN, PASS_BY, GIVE_OUT):
            return
        task_id, edge, path = local["task_id"], local["edge"], local["path"]
        if line == GO_DOWN:
            what = f"go down to {edge.task_id}"
        elif line == PASS_BY:
            what = f"pass by {edge.task_id}, seen before"
        else:
            what = f"**give out {task_id}**" + (", go up" if path else ", done")
        steps.append((place(task_id, edge), what, ", ".join(place(*one) for one in path) or "–"))

    graph = release()
    watch(DependencyGraph.order.__code__, lambda: list(graph.order(["publish"])), seen)
    assert sum("give out" in what for _, what, _ in steps) == len(RELEASE)
    table("", "at ▸ next edge", "what happens", "path, from the root down")
    for number, step in enumerate(steps, start=1):
        row(number, *step)


def cycle_table() -> None:
    """Print what `find_cycle` visits when code is to depend on publish."""
    steps: list[tuple[str, str, str]] = []
    known = {"code"}

    def seen(line: str, local: dict[str, Any]) -> None:
        if not line.startswith("while to_visit") or "current" not in local:
            return
        came_from, to_visit = local["came_from"], local["to_visit"]
        new = [f"{found} from {came_from[found]}" for found in came_from if found not in known]
        known.update(came_from)
        steps.append((local["current"], ", ".join(new) or "nothing new", ", ".join(to_visit)))

    graph = release()
    found: list[list[str] | None] = []
    code = DependencyGraph.find_cycle.__code__
    watch(code, lambda: found.append(graph.find_cycle("code", ["publish"])), seen)
    cycle = found[0]
    assert cycle is not None
    assert steps
    table("visit", "added to `came_from`", "`to_visit` after that")
    for step in steps:
        row(*step)
    row(cycle[1], "nothing: it is in `forbidden`", "")
    print(f"\nThe path, read off `came_from`: {' → '.join(f'`{one}`' for one in cycle)}.")
