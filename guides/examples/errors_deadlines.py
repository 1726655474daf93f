"""The deadlines of step 6, told the time: what `Deadline` says, call by call."""

from taskflow.deadlines import MIN_BODY_BYTES, Deadline, Timeouts, Waiting

# Seconds, what the client has moved by then in bytes, what is waited for (None: the sweeper only
# looks), and what happens.
Call = tuple[float, int, Waiting | None, str]

HEAD: list[Call] = [
    (0.0, 0, Waiting.REQUEST, "the client connects"),
    (3.0, 9, Waiting.HEAD, "the first bytes of a head"),
    (8.0, 13, Waiting.HEAD, "four bytes more"),
    (12.9, 13, None, "the sweeper looks"),
    (13.1, 13, None, "the sweeper looks again"),
]

BODY: list[Call] = [
    (0.0, 150, Waiting.BODY, "the handler wants the body, after a head of 150 bytes"),
    (4.0, 850, Waiting.BODY, "700 bytes of it"),
    (9.0, 1_550, Waiting.BODY, "700 more"),
    (10.1, 1_550, None, "1,400 bytes in ten seconds"),
    (15.0, 2_250, Waiting.BODY, "and 700 more"),
    (20.0, 2_250, None, "the ten seconds began at 10.1"),
    (20.2, 2_250, None, "only 700 bytes in ten seconds"),
]

WRITE: list[Call] = [
    (0.0, 0, Waiting.WRITE, "the client takes no more"),
    (25.0, 100_000, Waiting.WRITE, "it has taken 100,000 bytes"),
    (30.1, 100_000, None, "which is over 64 KiB"),
    (45.0, 101_000, Waiting.WRITE, "it has taken 1,000 more"),
    (60.2, 101_000, None, "which is too little for thirty seconds"),
]


def trace(calls: list[Call]) -> None:
    """Print a table of the calls, and what each returns."""
    deadline = Deadline(Timeouts())
    print("| seconds | what happens | call | result |")
    print("| ---: | --- | --- | --- |")
    for now, moved, waiting, what in calls:
        if waiting is not None:
            deadline.set(waiting, now, moved)
            print(f"| {now} | {what} | `set({waiting.name}, {now}, {moved})` |  |")
        else:
            missed = deadline.missed(now, moved)
            result = missed.name if missed is Waiting.NOTHING else f"**{missed.name}**"
            print(f"| {now} | {what} | `missed({now}, {moved})` | {result} |")


def head() -> None:
    """A head that comes too slowly."""
    trace(HEAD)


def body() -> None:
    """A body that moves, and then too slowly."""
    trace(BODY)


def write() -> None:
    """A client that takes enough of its response, and then too little."""
    trace(WRITE)


def slowest(size: int = 1024 * 1024) -> None:
    """The longest that a body of this size may take, if each period brings just enough."""
    deadline, timeouts = Deadline(Timeouts()), Timeouts()
    now, moved = 0.0, 0
    deadline.set(Waiting.BODY, now)
    while moved < size:
        moved += MIN_BODY_BYTES
        now += timeouts.body
        if moved < size:
            assert deadline.missed(now, moved) is Waiting.NOTHING
    print(f"{size:,} bytes may take {now:,.0f} s")
