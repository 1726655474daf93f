"""Leak 2: a listener that is never removed, found by asking who holds the object.

PYTHONPATH=step07_memory python3 guides/examples/memory_leak_listener.py
"""

import gc
from collections.abc import Sequence
from types import FrameType

from taskflow.store import Store
from taskflow.tasks import Change


class Board:
    """What one client sees of the tasks; it wants to hear of each change."""

    def __init__(self, store: Store) -> None:
        self.picture = b"x" * 1_000_000
        store.listeners.append(self.changed)

    def changed(self, changes: Sequence[Change]) -> None:
        """Draw the changes."""


def boards() -> list[Board]:
    """Return all boards that are alive."""
    return [thing for thing in gc.get_objects() if isinstance(thing, Board)]


def holder_of(thing: object) -> object:
    """Return an object that holds this one, and is no frame that runs."""
    found = [one for one in gc.get_referrers(thing) if not isinstance(one, FrameType)]
    return found[0]


def main() -> None:
    """Let a hundred clients come and go, and find out why they stay."""
    store = Store()
    for _ in range(100):
        Board(store)  # a client comes, and is gone at once
    gc.collect()
    alive = boards()
    print(f"boards alive: {len(alive)}")
    thing: object = alive.pop()
    del alive
    while not isinstance(thing, Store):
        holder = holder_of(thing)
        print(f"a {type(thing).__name__} is held by a {type(holder).__name__}")
        thing = holder
    names = [name for name, value in vars(store).items() if isinstance(value, list)]
    print(f"the lists of a Store: {', '.join(names)}")
    store.listeners.clear()
    del holder
    print(f"without its listeners: {len(boards())} alive")


if __name__ == "__main__":
    main()
