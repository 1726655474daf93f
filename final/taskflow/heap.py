"""A binary max-heap that knows where each of its items is.

    heap = PriorityHeap()
    heap.push("a", (1, -1))         O(log n)
    heap.push("b", (5, -2))
    heap.peek()                     "b", O(1)
    heap.update("a", (9, -1))       O(log n)
    heap.remove("b")                O(log n), from wherever it is
    heap.pop()                      "a", O(log n)

The heap is an array that is read as a tree: the children of the entry at `i` are at `2i + 1` and
`2i + 2`. Its invariant: no child has a greater key than its parent (Cormen et al., Introduction
to Algorithms, 6.1). Keys must be distinct, so that the order is total; the queue of tasks sees to
that by putting the task's number behind its priority.

`heapq` of the standard library has no position index: to find an item that is to be changed, one
would have to scan the array, which is O(n). Here each entry knows its own position.
"""

from dataclasses import dataclass

Key = tuple[int, int]


@dataclass(slots=True, eq=False)  # compared by identity
class Entry:
    """An item in the heap, and where in the array it is."""

    key: Key
    item: str
    position: int


class PriorityHeap:
    """Items by key, the greatest first. An item is in it at most once."""

    def __init__(self) -> None:
        self._array: list[Entry] = []
        self._entries: dict[str, Entry] = {}  # the position index: from an item to its entry

    def __len__(self) -> int:
        return len(self._array)

    def __contains__(self, item: str) -> bool:
        return item in self._entries

    def items(self) -> list[str]:
        """Return the items in the order of the array, the root first. O(n)."""
        return [entry.item for entry in self._array]

    def peek(self) -> str | None:
        """Return the item with the greatest key, None if there is none. O(1)."""
        return self._array[0].item if self._array else None

    def push(self, item: str, key: Key) -> None:
        """Add an item. O(log n). Raises ValueError if it is there already."""
        if item in self._entries:
            raise ValueError(f"{item!r} is in the heap already")
        entry = self._entries[item] = Entry(key, item, len(self._array))
        self._array.append(entry)
        self._sift_up(entry.position, entry)

    def pop(self) -> str:
        """Take out the item with the greatest key and return it. O(log n). Raises IndexError."""
        if not self._array:
            raise IndexError("pop from an empty heap")
        item = self._array[0].item
        self.remove(item)
        return item

    def remove(self, item: str) -> None:
        """Take an item out, from wherever it is. O(log n). Raises KeyError."""
        gone = self._entries.pop(item)
        last = self._array.pop()
        if last is not gone:  # the last entry of the array fills the hole
            self._fill(gone.position, last)

    def update(self, item: str, key: Key) -> None:
        """Give an item another key. O(log n). Raises KeyError."""
        entry = self._entries[item]
        if key != entry.key:
            entry.key = key
            self._fill(entry.position, entry)

    def _fill(self, hole: int, entry: Entry) -> None:
        """Let a hole sink to the bottom, then rise to where the entry belongs. O(log n).

        That may be above where the hole was: the entry can come from another branch of the tree.
        """
        self._sift_up(self._sift_down(hole), entry)

    def _sift_down(self, hole: int) -> int:
        """Let the hole sink to the bottom, the greater child rising each time; return where it is.

        Not comparing with the entry that will fill the hole saves one of two comparisons a level.
        The entry mostly comes from the bottom and belongs there, so it hardly rises again (Knuth,
        The Art of Computer Programming 3, 5.2.3, exercise 18; heapq does the same).
        """
        array, size = self._array, len(self._array)
        child = 2 * hole + 1
        while child < size:
            greater = array[child]
            right = child + 1
            if right < size and array[right].key > greater.key:
                child, greater = right, array[right]
            array[hole] = greater
            greater.position = hole
            hole = child
            child = 2 * hole + 1
        return hole

    def _sift_up(self, hole: int, entry: Entry) -> None:
        """Let the hole rise past every parent with a smaller key, then fill it with the entry."""
        array, key = self._array, entry.key
        while hole > 0:
            above = (hole - 1) // 2
            parent = array[above]
            if parent.key > key:
                break
            array[hole] = parent
            parent.position = hole
            hole = above
        array[hole] = entry
        entry.position = hole
