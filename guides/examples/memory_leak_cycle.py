"""Leak 3: objects in a cycle that own something, while the collector does not run.

python3 guides/examples/memory_leak_cycle.py
"""

import gc
from collections import Counter
from weakref import ref

opened = 0


class Owner:
    """Owns a file, a socket or a lock, and gives it back when it is freed."""

    def __init__(self) -> None:
        global opened  # noqa: PLW0603 - counted for all
        opened += 1

    def __del__(self) -> None:
        global opened  # noqa: PLW0603
        opened -= 1


class Connection(Owner):
    """Knows its session, which knows its connection: a cycle."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(self)


class Session:
    """Belongs to a connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection


class CarefulConnection(Owner):
    """The same, but the way back is a weak reference."""

    def __init__(self) -> None:
        super().__init__()
        self.session = CarefulSession(self)


class CarefulSession:
    """Belongs to a connection, and does not keep it."""

    def __init__(self, connection: CarefulConnection) -> None:
        self.connection = ref(connection)


def main() -> None:
    """Make a thousand, drop them, and look; then see what the collector finds."""
    gc.collect()
    gc.disable()
    for _ in range(1_000):
        CarefulConnection()
    print(f"careful connections, all dropped: {opened:,} still open")
    for _ in range(1_000):
        Connection()
    print(f"connections in a cycle, all dropped: {opened:,} still open")
    gc.set_debug(gc.DEBUG_SAVEALL)  # keep what is found in gc.garbage, to look at it
    gc.collect()
    gc.set_debug(0)
    kinds = Counter(type(thing).__name__ for thing in gc.garbage)
    print("found by gc.collect():", *(f"{count:,} {name}" for name, count in kinds.items()))
    gc.garbage.clear()
    gc.collect()
    print(f"after gc.collect(): {opened:,} still open")
    gc.enable()


if __name__ == "__main__":
    main()
