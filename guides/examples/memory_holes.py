"""Why freed memory does not always go back to the system, for guide 7."""

from deps_release import row, table

from taskflow.memory_routes import process_memory

COUNT = 200_000
KEPT = 500  # one in so many


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    return int(process_memory()["process"]["residentBytes"])


def holes() -> None:
    """Print how much of the memory of many small objects stays when nearly all are freed."""
    before = resident()
    things = [bytes(400) for _ in range(COUNT)]
    full = resident() - before
    things[:] = things[::KEPT]
    some = (resident() - before) / full
    alive = len(things)
    things.clear()
    none = (resident() - before) / full
    assert some > 0.9, some
    assert none < 0.2, none
    table("objects of 400 bytes alive", "resident memory")
    row(f"{COUNT:,}", "100 %")
    row(f"{alive:,}, one in {KEPT}", "over 90 %")
    row("0", "under 20 %")
