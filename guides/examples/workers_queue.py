"""A worker gets more jobs than it can do, for an hour: with a queue of any length, and a bound.

No clock and no luck: the times are computed. Each job takes a second, and one comes every half
second. A client waits half a minute for its answer, and goes.
"""

JOB = 1.0  # seconds
BETWEEN = 0.5  # seconds from one job to the next
PATIENCE = 30.0  # seconds
HOUR = 3600.0  # seconds


def hour(bound: int | None) -> tuple[int, int, int, float]:
    """Return jobs done in time, done too late, refused, and the longest wait, in seconds."""
    in_time = late = refused = 0
    longest = free_at = 0.0  # when the worker is through with all that it has taken
    for number in range(int(HOUR / BETWEEN)):
        now = number * BETWEEN
        waiting = max(0.0, free_at - now - JOB) / JOB  # jobs that have not begun
        if bound is not None and waiting >= bound:
            refused += 1
            continue
        free_at = max(now, free_at) + JOB
        longest = max(longest, free_at - now)
        if free_at <= HOUR:
            in_time += free_at - now <= PATIENCE
            late += free_at - now > PATIENCE
    return in_time, late, refused, longest


def table() -> None:
    """Print an hour with each queue."""
    print("| queue | answers in time | done for nobody | refused at once | longest wait |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, bound in {"any length": None, "at most 20": 20}.items():
        in_time, late, refused, longest = hour(bound)
        print(f"| {name} | {in_time:,} | {late:,} | {refused:,} | {longest / 60:.1f} min |")
