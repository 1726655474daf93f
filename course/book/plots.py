"""The plots of the guides, each declared here, drawn from committed results.

``plot("heap-growth")`` in a guide shows ``guides/plots/heap-growth.svg``. The check draws every
plot again and compares the files byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from course.book.guide import BookError, Guide
from course.book.plot import Plot
from course.book.results import RESULTS, load, select

DIRECTORY = "guides/plots"


PLOTS: dict[str, Plot] = {
    "list-against-dict": Plot(
        results="list_dict",
        title="One look-up by id among n tasks",
        alt="The list rises in a straight line, ten times as long for ten times as many tasks. "
        "The dict rises a little where the tasks outgrow the processor's cache.",
        xlabel="tasks",
        where={"operation": "average"},
    ),
    "heap-push-pop": Plot(
        results="heap",
        title="One push and one pop in a queue of n items",
        alt="Four lines that rise slowly. heapq, in C, is lowest; then comes ours, and above it "
        "heapdict and pqdict.",
        xlabel="items",
        only=("ours", "heapq", "heapdict", "pqdict"),
        where={"operation": "push and pop"},
    ),
    "heap-remove": Plot(
        results="heap",
        title="Removing one item from the middle of a queue of n items",
        alt="heapq, which has to look for the item, rises in a straight line. The three queues "
        "with a position index rise slowly, far below it, and heapdict is the highest of them.",
        xlabel="items",
        only=("ours", "heapq", "heapdict", "pqdict"),
        where={"operation": "remove"},
    ),
    "next-task": Plot(
        results="next_task",
        title="Taking the most urgent of n tasks",
        alt="Sorting all tasks each time and looking at all of them rise in straight lines. "
        "The heap rises slowly, far below.",
        xlabel="tasks",
    ),
    "resolve": Plot(
        results="resolve",
        title="The order of n tasks with two prerequisites each",
        alt="Three straight lines, side by side: all grow with the number of tasks. Ours is the "
        "lowest.",
        xlabel="tasks",
        where={"operation": "order", "shape": "mixed"},
    ),
    "growth-shapes": Plot(
        results="growth",
        title="Five questions about n tasks",
        alt="Five curves. All pairs is a straight line, twice as steep as sort and max, which are "
        "nearly parallel. Bisect and the look-up in a dict rise little, far below.",
        xlabel="tasks",
        where={"operation": "shape"},
    ),
    "growth-place": Plot(
        results="growth",
        title="Where the page after a task begins, among n tasks",
        alt="The scan rises in a straight line, ten times as long for ten times as many tasks. "
        "Bisect rises slowly, far below.",
        xlabel="tasks",
        where={"operation": "place"},
    ),
    "growth-front": Plot(
        results="growth",
        title="One item in at the end of a queue of n, one out at the front",
        alt="The deque is a level line. The list is level up to a hundred items, and then rises in "
        "a straight line.",
        xlabel="items in the queue",
        where={"operation": "front"},
    ),
    "growth-hash": Plot(
        results="growth",
        title="One of n keys put into a dict",
        alt="With a good hash the line is nearly level. With one hash for all keys it rises "
        "in a straight line.",
        xlabel="keys",
        where={"operation": "hash"},
    ),
    "growth-walk": Plot(
        results="growth",
        title="One of n objects passed in a loop",
        alt="In the order in which they were made the line is level. Shuffled, it begins at the "
        "same height, and rises between a thousand and a hundred thousand objects.",
        xlabel="objects",
        where={"operation": "walk"},
    ),
}


def plot(guide: Guide, name: str) -> str:
    """A plot, with its description and a link to its numbers."""
    declared = _declared(name)
    picture = guide.link(f"{DIRECTORY}/{name}.svg")
    numbers = guide.link(f"{RESULTS}/{declared.results}.json")
    return f"![{declared.alt}]({picture})\n\n*{declared.title}. [The raw numbers]({numbers}).*"


def draw_all(root: Path) -> Iterator[tuple[str, str | BookError]]:
    """The path and the text of each declared plot, or what stands in the way of drawing it."""
    # Here, since importing matplotlib takes a second that a guide without plots can save.
    from course.book.drawing import draw  # noqa: PLC0415

    for name, declared in PLOTS.items():
        path = f"{DIRECTORY}/{name}.svg"
        try:
            results = load(root, declared.results)
            rows = select(results, declared.where)
            yield path, draw(declared, rows, results["unit"])
        except BookError as error:
            yield path, error


def stale(root: Path) -> Iterator[tuple[str, str]]:
    """The plots that are not as they would be drawn now, and those that nobody declares."""
    for path, drawn in draw_all(root):
        file = root / path
        if isinstance(drawn, BookError):
            yield path, str(drawn)
        elif not file.is_file() or file.read_text(encoding="utf-8") != drawn:
            yield path, "out of date: python -m course.book write"
    for file in sorted((root / DIRECTORY).glob("*.svg")):
        if file.stem not in PLOTS:
            yield f"{DIRECTORY}/{file.name}", "no plot of this name is declared"


def write(root: Path) -> Iterator[tuple[str, str]]:
    """Draw all plots into their files; yields what could not be drawn."""
    for path, drawn in draw_all(root):
        if isinstance(drawn, BookError):
            yield path, str(drawn)
        else:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(drawn, encoding="utf-8")


def _declared(name: str) -> Plot:
    if name not in PLOTS:
        raise BookError(f"no plot {name} is declared in course/book/plots.py")
    return PLOTS[name]
