"""The names that a marker in a guide can use, and how what they return gets into the guide."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from course.book import consoles, diffs, listings, path, plots, results, servers, snippets
from course.book.guide import Guide
from course.errors import CourseError

# Each takes the guide first and returns Markdown, which is put where the marker stands.
TOOLS: tuple[Callable[..., str], ...] = (
    listings.listing,
    consoles.shell,
    consoles.question,
    servers.server,
    snippets.python,
    snippets.generated,
    diffs.diff_table,
    path.path_table,
    results.bench_table,
    results.say,
    plots.plot,
)


def toolbox(
    guide: Guide, write: Callable[[str], None], report: Callable[[str], None]
) -> dict[str, Any]:
    """The globals of a guide's markers.

    ``write`` takes the Markdown of a tool, ``report`` the message of one that failed: the rest of
    the guide is still made, so that one run finds all that is wrong.
    """
    names: dict[str, Any] = {
        tool.__name__: _writing(functools.partial(tool, guide), write, report) for tool in TOOLS
    }
    names["number"] = functools.partial(results.number, guide)
    return names


def _writing(
    tool: Callable[..., str], write: Callable[[str], None], report: Callable[[str], None]
) -> Callable[..., None]:
    def call(*args: Any, **kwargs: Any) -> None:
        try:
            text = tool(*args, **kwargs).strip("\n")
        except CourseError as error:
            report(str(error))
            return
        if text:
            write(f"\n{text}\n")

    return call
