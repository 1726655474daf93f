"""A histogram: how often values fell between bounds, in memory that does not grow."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


class Histogram:
    """The number of values between each two bounds, and their sum. A new value is O(log bounds)."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        # The last is for values over all bounds.
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value. A value that equals a bound counts as below it, as in Prometheus."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def add(self, other: "Histogram") -> None:
        """Count the values of another with the same bounds."""
        self.counts = [sum(pair) for pair in zip(self.counts, other.counts, strict=True)]
        self.sum += other.sum

    @property
    def count(self) -> int:
        """The number of values."""
        return sum(self.counts)

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """Each bound, with the number of values that are not over it."""
        bounds = [*map(str, self.bounds), "+Inf"]
        return list(zip(bounds, accumulate(map(float, self.counts)), strict=True))
