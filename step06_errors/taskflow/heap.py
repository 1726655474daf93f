"""A binary max-heap that knows the position of each of its items.

    heap = PriorityHeap()
    heap.push("a", (1, -1))         O(log n)
    heap.push("b", (5, -2))
    heap.peek()                     "b", O(1)
    heap.update("a", (9, -1))       O(log n)
    heap.remove("b")                O(log n), wherever it is
    heap.pop()                      "a", O(log n)

The heap is an array that is read as a tree: the children of the entry at position `i` are at
`2i + 1` and `2i + 2`. The invariant is that no child has a greater key than its parent (Cormen et
al., Introduction to Algorithms, 6.1). Keys must be distinct, so that the order is total. The
store sees to that: its keys contain the number of the task.

`heapq` in the standard library has no position index. To find an item that is to be changed, its
callers must scan the array, which is O(n). Here each entry knows its own position.
"""

from dataclasses import dataclass

Key = tuple[int, int]


# Entries are compared by identity.
@dataclass(slots=True, eq=False)
class Entry:
    """An item in the heap, with its key and its position in the array."""

    key: Key
    item: str
    position: int


class PriorityHeap:
    """Items by key, the greatest first. Each item is in the heap at most once."""

    def __init__(self) -> None:
        self._array: list[Entry] = []

        # The position index: from an item to its entry.
        self._entries: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._array)

    def __contains__(self, item: str) -> bool:
        return item in self._entries

    def items(self, limit: int | None = None) -> list[str]:
        """Return the first items in the order of the array, or all, the root first. O(limit)."""
        return [entry.item for entry in self._array[:limit]]

    def peek(self) -> str | None:
        """Return the item with the greatest key, or None if the heap is empty. O(1)."""
        return self._array[0].item if self._array else None

    def push(self, item: str, key: Key) -> None:
        """Add an item. O(log n). Raises ValueError if it is in the heap already."""
        if item in self._entries:
            raise ValueError(f"{item!r} is in the heap already")
        entry = Entry(key, item, len(self._array))
        self._entries[item] = entry
        self._array.append(entry)
        self._sift_up(entry.position, entry)

    def pop(self) -> str:
        """Remove the item with the greatest key and return it. O(log n). Raises IndexError."""
        if not self._array:
            raise IndexError("pop from an empty heap")
        item = self._array[0].item
        self.remove(item)
        return item

    def remove(self, item: str) -> None:
        """Remove an item, wherever it is. O(log n). Raises KeyError."""
        removed = self._entries.pop(item)
        last = self._array.pop()
        # The last entry of the array moves to the place that became free.
        if last is not removed:
            self._place(removed.position, last)

    def update(self, item: str, key: Key) -> None:
        """Give an item another key. O(log n). Raises KeyError."""
        entry = self._entries[item]
        entry.key = key
        self._place(entry.position, entry)

    def _place(self, hole: int, entry: Entry) -> None:
        """Put an entry into the hole, or above or below it, where its key belongs. O(log n)."""
        if hole > 0 and entry.key > self._array[(hole - 1) // 2].key:
            self._sift_up(hole, entry)
        else:
            self._sift_down(hole, entry)

    def _sift_up(self, hole: int, entry: Entry) -> None:
        """Move the hole above every parent with a smaller key, then fill it with the entry."""
        array = self._array
        while hole > 0:
            position = (hole - 1) // 2
            parent = array[position]
            if parent.key > entry.key:
                break
            array[hole] = parent
            parent.position = hole
            hole = position
        array[hole] = entry
        entry.position = hole

    def _sift_down(self, hole: int, entry: Entry) -> None:
        """Move the hole below every child with a greater key, then fill it with the entry."""
        array = self._array
        size = len(array)
        child = 2 * hole + 1
        while child < size:
            # Of two children, the greater one must rise, or it would be above a greater sibling.
            if child + 1 < size and array[child + 1].key > array[child].key:
                child += 1
            if array[child].key < entry.key:
                break
            array[hole] = array[child]
            array[hole].position = hole
            hole = child
            child = 2 * hole + 1
        array[hole] = entry
        entry.position = hole
