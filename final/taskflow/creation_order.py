"""The tasks in order of creation, also those in one status alone, in blocks.

    order.apply(change)            follow a change of one task: O(1), and O(BLOCK) for the first
                                   change of a block after a snapshot
    order.after(number, status)    the tasks with higher numbers: O(log blocks) to begin
    order.snapshot()               all tasks as they are now: O(blocks)

A block holds the tasks of BLOCK consecutive numbers by their status. So a page of one status
passes whole blocks and never a task in another status, and a deleted task leaves nothing behind.
A snapshot shares the blocks. A change copies a block first if a snapshot shares it (copy on write).

The steps have a list instead, which a page of a rare status searches to its end: half a second at
a million tasks, in which no other request would be served.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from itertools import chain

from taskflow.tasks import Change, Status, Task

# Consecutive numbers in a block. A million tasks are a thousand blocks of a thousand tasks.
BLOCK = 1024

# Tasks by their numbers, for each status.
Block = dict[Status, dict[int, Task]]


class CreationOrder:
    """All tasks, found by their place in the order of creation."""

    def __init__(self) -> None:
        self._blocks: dict[int, Block] = {}

        # The keys of the blocks, in rising order.
        self._keys: list[int] = []

        # The keys of the blocks that a snapshot may share.
        self._shared: set[int] = set()

    def apply(self, change: Change) -> None:
        """Follow a change of one task. O(1), apart from blocks that begin, end or are shared."""
        before, after = change.before, change.after
        task = after or before
        assert task is not None
        key = task.number // BLOCK
        block = self._writable(key)
        if before is not None:
            del block[before.status][before.number]
        if after is not None:
            block[after.status][after.number] = after
        elif not any(block.values()):
            del self._blocks[key]
            del self._keys[bisect_left(self._keys, key)]

    def _writable(self, key: int) -> Block:
        """Return a block that no snapshot shares."""
        block = self._blocks.get(key)
        if block is None:
            block = {status: {} for status in Status}
            insort(self._keys, key)
        elif key in self._shared:
            block = {status: tasks.copy() for status, tasks in block.items()}
        self._blocks[key] = block
        self._shared.discard(key)
        return block

    def after(self, number: int, status: Status | None = None) -> Iterator[Task]:
        """Yield the tasks with higher numbers, in rising order, and only those with the status.

        O(log blocks) for the first block, then O(1) for each block passed, and O(BLOCK log BLOCK)
        for each block with such tasks. The order must not change meanwhile.
        """
        start = bisect_left(self._keys, number // BLOCK)
        for index in range(start, len(self._keys)):
            for task in _sorted(self._blocks[self._keys[index]], status):
                if task.number > number:
                    yield task

    def snapshot(self) -> Iterator[Task]:
        """Return an iterator over all tasks as they are now. O(blocks), then O(1) for each task."""
        self._shared.update(self._keys)
        blocks = [self._blocks[key] for key in self._keys]
        return chain.from_iterable(map(_sorted, blocks))


def _sorted(block: Block, status: Status | None = None) -> list[Task]:
    """Return the tasks of a block, or those with the status, by rising number."""
    if status is not None:
        tasks = block[status]
    else:
        tasks = {number: task for part in block.values() for number, task in part.items()}
    return [tasks[number] for number in sorted(tasks)]
