"""Draws growth curves with matplotlib, the same bytes from the same numbers.

Nothing random and no date goes into the file. Each curve has a marker of its own and its name at
its end, so colour is never the only way to tell two apart.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter, NullLocator

from course.book.guide import BookError
from course.book.plot import Plot
from course.book.results import Row
from course.book.svg import GRID, INK, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# At least 3:1 against white and against the dark background alike (WCAG 2, 1.4.11).
COLOURS = ("#2f81f7", "#d1660a", "#1a8f3c", "#c2379b", "#8a63d2", "#6e7781")
MARKERS = ("o", "s", "^", "D", "v", "P")

_LABEL_HEIGHT = 15.0  # pixels between two names at the ends of curves
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "taskflow",
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

Curve = tuple[list[float], list[float]]


def draw(plot: Plot, rows: Iterable[Row], unit: str) -> str:
    """The text of the plot's SVG file."""
    curves = _curves(plot, rows)
    with pyplot.rc_context(_SETTINGS):
        figure, axes = pyplot.subplots(figsize=(7.2, 4.2))
        try:
            for number, (name, (x, y)) in enumerate(curves.items()):
                colour, marker = COLOURS[number % 6], MARKERS[number % 6]
                axes.plot(x, y, color=colour, marker=marker, label=name, linewidth=2)
            _scales(axes, plot.xlabel, unit)
            figure.subplots_adjust(left=0.14, right=0.77, top=0.93, bottom=0.13)
            figure.canvas.draw()
            _name_curves(axes, curves)
            buffer = io.StringIO()
            metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
            figure.savefig(buffer, format="svg", transparent=True, metadata=metadata)
        finally:
            pyplot.close(figure)
    return finish(buffer.getvalue(), plot.title, plot.alt)


def _curves(plot: Plot, rows: Iterable[Row]) -> dict[str, Curve]:
    """The points of each series, in order of x."""
    points: dict[str, list[tuple[float, float]]] = {name: [] for name in plot.only}
    for row in rows:
        name = str(row[plot.series])
        if not plot.only or name in points:
            points.setdefault(name, []).append((float(row[plot.x]), float(row[plot.y])))
    if not points or not all(points.values()):
        raise BookError(f"{plot.results} has no numbers for {plot.only or 'any series'}")
    return {
        name: ([x for x, _ in sorted(found)], [y for _, y in sorted(found)])
        for name, found in points.items()
    }


def _scales(axes: Axes, xlabel: str, unit: str) -> None:
    """Logarithmic scales, so that a power of n is a straight line and its exponent the slope."""
    seconds = unit in ("s", "seconds")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.yaxis.set_major_formatter(EngFormatter(unit="s" if seconds else ""))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
        axis.set_minor_locator(NullLocator())
    lowest, highest = axes.get_ylim()
    if highest < 100 * lowest:  # powers of ten alone would be one or two lines
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.set_xlabel(xlabel)
    axes.set_ylabel("time" if seconds else unit)
    axes.grid(visible=True, linewidth=0.8)


def _name_curves(axes: Axes, curves: Mapping[str, Curve]) -> None:
    """Write each curve's name at its right end, apart from those that end beside it."""
    ends = {name: (x[-1], y[-1]) for name, (x, y) in curves.items()}
    heights = {name: float(axes.transData.transform(end)[1]) for name, end in ends.items()}
    for number, (name, end) in enumerate(ends.items()):
        beside = {other: heights[other] for other in ends if ends[other][0] == end[0]}
        moved = spread(beside)[name] - heights[name]
        axes.annotate(
            name,
            xy=end,
            xytext=(10, moved * 72 / axes.figure.dpi),
            textcoords="offset points",
            color=COLOURS[number % 6],
            verticalalignment="center",
            annotation_clip=False,
        )


def spread(heights: Mapping[str, float], gap: float = _LABEL_HEIGHT) -> dict[str, float]:
    """Heights moved as little as needed to stand ``gap`` apart, in the same order.

    Names that would overlap form a group, which is centred on where they belong; groups that
    touch become one.
    """
    groups: list[list[str]] = []

    def lowest(group: list[str]) -> float:
        return sum(heights[name] for name in group) / len(group) - gap * (len(group) - 1) / 2

    for name in sorted(heights, key=heights.__getitem__):
        groups.append([name])
        while len(groups) > 1 and lowest(groups[-2]) + gap * len(groups[-2]) > lowest(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    return {
        name: lowest(group) + gap * place for group in groups for place, name in enumerate(group)
    }
