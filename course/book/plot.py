"""One plot of the guides as it is declared: its numbers, its axes and its words."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Plot:
    """One growth curve for each series: ``y`` over ``x``, both on logarithmic scales."""

    results: str  # benchmarks/results/NAME.json
    title: str
    alt: str  # what a reader who cannot see it should know
    xlabel: str
    x: str = "n"
    y: str = "value"
    series: str = "label"
    only: tuple[str, ...] = ()  # the series to show, default all
    where: dict[str, object] = field(default_factory=dict)
