"""The deadlines of step 6, told the time: what `Deadline` says, call by call."""

from taskflow.deadlines import MIN_BODY_BYTES, Deadline, Timeouts, Waiting

Call = tuple[float, str, object, str]  # seconds, method, argument, what happens

HEAD: list[Call] = [
    (0.0, "set", Waiting.REQUEST, "the client connects"),
    (3.0, "received", 9, "the first bytes of a head"),
    (3.0, "set", Waiting.HEAD, "the head is not complete"),
    (8.0, "received", 4, "four bytes more"),
    (8.0, "set", Waiting.HEAD, "still not complete"),
    (12.9, "missed", None, "the sweeper looks"),
    (13.1, "missed", None, "the sweeper looks again"),
]

BODY: list[Call] = [
    (0.0, "set", Waiting.BODY, "the handler wants the body"),
    (4.0, "received", 700, "700 bytes of it"),
    (9.0, "received", 700, "700 more"),
    (10.1, "missed", None, "1,400 bytes in ten seconds"),
    (15.0, "received", 700, "and 700 more"),
    (20.0, "missed", None, "the ten seconds began at 10.1"),
    (20.2, "missed", None, "only 700 bytes in ten seconds"),
]

WRITE: list[Call] = [
    (0.0, "set", Waiting.WRITE, "the client takes no more"),
    (25.0, "taken", None, "it has taken a little"),
    (30.1, "missed", None, "the sweeper looks"),
    (55.1, "missed", None, "nothing since 25.0"),
]


def trace(calls: list[Call]) -> None:
    """Print a table of the calls, and what each answers."""
    deadline = Deadline(Timeouts())
    print("| seconds | what happens | call | answer |")
    print("| ---: | --- | --- | --- |")
    for now, method, argument, what in calls:
        answer = ""
        match method, argument:
            case "set", Waiting():
                deadline.set(argument, now)
            case "received", int():
                deadline.received(argument)
            case "taken", _:
                deadline.taken(now)
            case _:
                answer = deadline.missed(now).name
        shown = [argument.name if isinstance(argument, Waiting) else argument, now]
        words = [str(s) for s in shown if s is not None and not (method == "received" and s is now)]
        bold = f"**{answer}**" if answer not in {"", "NOTHING"} else answer
        print(f"| {now} | {what} | `{method}({', '.join(words)})` | {bold} |")


def head() -> None:
    """A head that comes too slowly."""
    trace(HEAD)


def body() -> None:
    """A body that moves, and then too slowly."""
    trace(BODY)


def write() -> None:
    """A client that takes its answer in small sips, and then not at all."""
    trace(WRITE)


def slowest(size: int = 1024 * 1024) -> None:
    """The longest that a body of this size may take, if each period brings just enough."""
    deadline, timeouts = Deadline(Timeouts()), Timeouts()
    now, left = 0.0, size
    deadline.set(Waiting.BODY, now)
    while left > 0:
        deadline.received(MIN_BODY_BYTES)
        left -= MIN_BODY_BYTES
        now += timeouts.body
        if left > 0:
            assert deadline.missed(now) is Waiting.NOTHING
    print(f"{size:,} bytes may take {now:,.0f} s")
