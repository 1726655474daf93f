"""Shows what the heap of step 3 does with its array, write by write.

The heap is the step's own. Only its array is another: a list that tells what is written to it.

    PYTHONPATH=step03_heap python3 guides/examples/heap_trace.py 3 1 4 1 5
"""

import sys
from typing import Any

from taskflow.heap import Entry, Key, PriorityHeap

HOLE = "·"
CHORES = {"wash": 5, "post": 7, "cook": 8, "iron": 5, "rent": 9, "mend": 6, "shop": 1}

compared: list[str] = []  # the comparisons since the last write


class WatchedKey(tuple[int, int]):
    """A key that writes down what it is compared with."""

    name: str

    def __gt__(self, other: object) -> bool:
        assert isinstance(other, WatchedKey)
        greater = super().__gt__(other)
        self._note(other, greater)
        return greater

    def __lt__(self, other: object) -> bool:
        assert isinstance(other, WatchedKey)
        less = super().__lt__(other)
        self._note(other, not less)
        return less

    def _note(self, other: "WatchedKey", greater: bool) -> None:
        # `_place` and `_sift_up` compare the same two keys. A table shows that once.
        turned = f"{other.name} {'<' if greater else '>'} {self.name}"
        if turned not in compared:
            compared.append(f"{self.name} {'>' if greater else '<'} {other.name}")


class WatchedArray(list[Entry]):
    """An array that writes down what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.story: list[tuple[list[str], str]] = []  # the cells after each write, and why

    def tell(self, hole: int | None, text: str) -> None:
        """Write down how the array is now."""
        cells = [HOLE if at == hole else label(entry) for at, entry in enumerate(self)]
        self.story.append((cells, text))
        compared.clear()

    def append(self, entry: Entry) -> None:
        super().append(entry)
        self.tell(entry.position, f"a hole at {entry.position}, the end of the array")

    def __setitem__(self, position: Any, entry: Any) -> None:
        old = entry.position
        moves = old != position and old < len(self) and self[old] is entry
        super().__setitem__(position, entry)
        if moves:
            way = "rises" if position < old else "goes down"
            self.tell(old, f"{', '.join(compared)}: {entry.item} {way} to {position}")
        else:
            # An entry that was compared with nothing has come to an end of its path.
            end = "a leaf has no children" if position else "the root has no parent"
            why = ", ".join(compared) or end
            self.tell(None, f"{why}: {entry.item} fills the hole at {position}")


class WatchedHeap(PriorityHeap):
    """The heap of the step, with an array that is watched."""

    def __init__(self) -> None:
        super().__init__()
        self._array: WatchedArray = WatchedArray()
        self._number = 0

    def add(self, name: str, priority: int) -> None:
        """Push an item as the store does: numbered, so that the older of two equal ones wins."""
        self._number += 1
        self.push(name, watched(name, priority, self._number))

    def raise_to(self, name: str, priority: int) -> None:
        """Update an item as the store does: another priority, the same number."""
        entry = self._entries[name]
        self._array.tell(entry.position, f"{name} is lifted out and gets priority {priority}")
        self.update(name, watched(name, priority, -entry.key[1]))

    def take(self, name: str) -> None:
        """Remove an item."""
        gone, last = self._entries[name], self._array[-1]
        self._array.tell(gone.position, f"{name} leaves a hole at {gone.position}")
        if last is not gone:
            self._array.tell(gone.position, f"{last.item} is taken from the end, to fill it")
            self._array.story[-1][0].pop()
        self.remove(name)

    def story(self) -> list[tuple[list[str], str]]:
        """Return what was written down since the last time."""
        story, self._array.story = self._array.story, []
        return story

    def entries(self) -> list[Entry]:
        """Return the entries in the order of the array."""
        return list(self._array)


def watched(name: str, priority: int, number: int) -> Key:
    """Return the key of a task, which knows whose it is."""
    key = WatchedKey((priority, -number))
    key.name = name
    return key


def label(entry: Entry) -> str:
    """Return how an entry is shown: its name and its priority."""
    return f"{entry.item} {entry.key[0]}"


def chores(*names: str) -> WatchedHeap:
    """Return a heap with these chores in it, or all."""
    heap = WatchedHeap()
    for name in names or CHORES:
        heap.add(name, CHORES[name])
    heap.story()
    return heap


def table(heap: WatchedHeap) -> None:
    """Print what was written down: a line for each write, a column for each place."""
    story = heap.story()
    size = max(len(cells) for cells, _ in story)
    print("| " + " | ".join(map(str, range(size))) + " | what happens |")
    print("|" + " --- |" * (size + 1))
    before: list[str] = []
    for cells, text in story:
        same = [*before, *[""] * size]
        shown = [
            f"**{cell}**" if before and cell not in (HOLE, same[at]) else cell
            for at, cell in enumerate(cells)
        ]
        shown += [""] * (size - len(cells))
        print("| " + " | ".join(shown) + f" | {text} |")
        before = cells


def tree(heap: WatchedHeap) -> None:
    """Print the heap as a tree, one level a line."""
    cells = [label(entry) for entry in heap.entries()]
    width = max(map(len, cells)) + 2
    levels = len(cells).bit_length()
    for level in range(levels):
        row = cells[2**level - 1 : 2 ** (level + 1) - 1]
        print("".join(cell.center(width * 2 ** (levels - 1 - level)) for cell in row).rstrip())


def push() -> None:
    """Push one chore onto the first four."""
    heap = chores("wash", "post", "cook", "iron")
    heap.add("rent", CHORES["rent"])
    table(heap)


def all_chores() -> None:
    """The heap after all pushes, as a tree."""
    tree(chores())


def pop() -> None:
    """Pop the most urgent of all."""
    heap = chores()
    heap.take("rent")
    table(heap)


def update() -> None:
    """After the pop, make one more urgent than all others."""
    heap = chores()
    heap.take("rent")
    heap.story()
    heap.raise_to("iron", 10)
    table(heap)


def remove() -> None:
    """After the update, remove one from the middle."""
    heap = chores()
    heap.take("rent")
    heap.raise_to("iron", 10)
    heap.story()
    heap.take("cook")
    table(heap)


def other_branch() -> WatchedHeap:
    """A heap whose last entry is greater than the parent of another leaf."""
    heap = WatchedHeap()
    for name, priority in [("a", 9), ("b", 4), ("c", 8), ("d", 1), ("e", 2), ("f", 3), ("g", 6)]:
        heap.add(name, priority)
    heap.story()
    return heap


def branches() -> None:
    """That heap, as a tree."""
    tree(other_branch())


def rise() -> None:
    """Remove an item that is filled from another branch, so that the filler has to rise."""
    heap = other_branch()
    heap.take("d")
    table(heap)


def picture() -> None:
    """The heap as array, tree and position index, in Mermaid."""
    entries = chores().entries()
    print("```mermaid\nflowchart TB")
    print('    index["the position index, a dict:<br/>…<br/>iron → its entry, at 3<br/>…"]')
    for entry in entries:
        print(f'    p{entry.position}["[{entry.position}] {label(entry)}"]')
    for entry in entries[1:]:
        print(f"    p{(entry.position - 1) // 2} --- p{entry.position}")
    print(f"    index -. finds .-> p{next(e.position for e in entries if e.item == 'iron')}\n```\n")
    print("The same seven entries as they lie in memory:\n")
    print("| " + " | ".join(f"[{entry.position}]" for entry in entries) + " |")
    print("|" + " :---: |" * len(entries))
    print("| " + " | ".join(map(label, entries)) + " |")


def places() -> None:
    """Where the parent and the children of a place are."""
    print("| place | parent: `(i - 1) // 2` | children: `2i + 1`, `2i + 2` | entry | its parent |")
    print("| ---: | ---: | --- | --- | --- |")
    entries = chores().entries()
    for at, entry in enumerate(entries):
        below = [str(child) for child in (2 * at + 1, 2 * at + 2) if child < len(entries)]
        up = (at - 1) // 2
        above = (str(up), label(entries[up])) if at else ("none", "none, this is the root")
        children = ", ".join(below) or "none, this is a leaf"
        print(f"| {at} | {above[0]} | {children} | {label(entry)} | {above[1]} |")


def main(priorities: list[int]) -> None:
    """Push these priorities, then pop one, and show the array after every write."""
    heap = WatchedHeap()
    for number, priority in enumerate(priorities, start=1):
        heap.add(f"#{number}", priority)
        print(f"push #{number} with priority {priority}")
        _rows(heap)
    first = heap.items()[0]
    print(f"pop, which gives {first}")
    heap.take(first)
    _rows(heap)
    if heap:
        tree(heap)


def _rows(heap: WatchedHeap) -> None:
    story = heap.story()
    width = max((len(cell) for cells, _ in story for cell in cells), default=0) + 2
    size = max((len(cells) for cells, _ in story), default=0)
    for cells, text in story:
        print("  " + "".join(cell.ljust(width) for cell in cells).ljust(width * size) + text)
    print()


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [3, 1, 4, 1, 5])
