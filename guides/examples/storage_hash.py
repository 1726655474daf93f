"""A hash table small enough to draw, that finds its slots by the rule of CPython's dict.

The rule is that of `Objects/dictobject.c`: the low bits of the hash say where to look first;
while a slot is taken by another key, the next one is computed from the slot, from more bits of
the hash, and from nothing else. So a look-up goes the same way as the insertion did.

The guide is made with PYTHONHASHSEED=0. Without it Python gives each process other hashes.
"""

from collections.abc import Iterable, Iterator

SMALLEST = 8  # slots
WORD = 2**64 - 1  # hashes have 64 bits
PERTURB_SHIFT = 5  # bits of the hash that join in with each further probe

TITLES = ("wash", "iron", "fold", "cook", "shop")
GONE = "×"


def probes(key: str, size: int) -> Iterator[int]:
    """Yield the slots in which a key may stand, the first choice first; without end."""
    perturb = hash(key) & WORD
    slot = perturb % size
    while True:
        yield slot
        perturb >>= PERTURB_SHIFT
        slot = (slot * 5 + perturb + 1) % size


class Table:
    """The keys of a dict, in slots. No values: they would stand beside the keys."""

    def __init__(self) -> None:
        self.slots: list[str] = [""] * SMALLEST
        self.keys: list[str] = []  # in the order in which they came

    def insert(self, key: str) -> list[int]:
        """Add a new key, in a larger table if this one is full; return the slots looked at."""
        if len(self.keys) >= len(self.slots) * 2 // 3:
            self.grow()
        self.keys.append(key)
        return self.place(key)

    def place(self, key: str) -> list[int]:
        """Write a key into the first free slot of its way; return the slots looked at."""
        way = self.look_up(key)
        self.slots[way[-1]] = key
        return way

    def look_up(self, key: str) -> list[int]:
        """Return the slots looked at, the last of which holds the key or is free."""
        way = []
        for slot in probes(key, len(self.slots)):
            way.append(slot)
            if self.slots[slot] in ("", key):
                break
        return way

    def grow(self) -> None:
        """Move all keys into a table of twice the size."""
        self.slots = [""] * (2 * len(self.slots))
        for key in self.keys:
            self.place(key)


def filled(keys: Iterable[str]) -> Table:
    """Return a table with these keys in it."""
    table = Table()
    for key in keys:
        table.insert(key)
    return table


def drawn(table: Table) -> str:
    """Return the slots as one line."""
    return " ".join(f"{key or '·':4}" for key in table.slots).rstrip()


def numbers(size: int) -> str:
    """Return the numbers of the slots, to head what `drawn` returns."""
    return " ".join(f"{slot:<4}" for slot in range(size)).rstrip()


def ways(way: Iterable[int]) -> str:
    """Return the slots of a way as text."""
    return " → ".join(str(slot) for slot in way)


def insertions() -> None:
    """Print the table after each insertion."""
    table = Table()
    print(f"{'key':5}{'hash':>21}  {'& 7':<5}{'looks at':11}{numbers(SMALLEST)}")
    for key in TITLES:
        way = table.insert(key)
        print(f"{key:5}{hash(key):>21}  {hash(key) % SMALLEST:<5}{ways(way):11}{drawn(table)}")


def look_ups(*keys: str) -> None:
    """Print where each look-up goes in the table of five, and what it says there."""
    table = filled(TITLES)
    for key in keys:
        way = table.look_up(key)
        found = "found" if table.slots[way[-1]] == key else "free: not in the table"
        print(f"{key}: slot {ways(way)}, {found}")


def deletion() -> None:
    """Print what a look-up finds when a key before it on its way is deleted, in two manners."""
    for mark in ("", GONE):
        table = filled(TITLES)
        table.slots[table.look_up("fold")[-1]] = mark
        way = table.look_up("cook")
        found = "found" if table.slots[way[-1]] == "cook" else "not found"
        print(f"{drawn(table)}    cook: slot {ways(way)}, {found}")


def growth() -> None:
    """Print the table in which a sixth key finds its place."""
    table = filled(TITLES)
    before = len(table.slots)
    table.insert("mend")
    print(f"{before} slots became {len(table.slots)}:\n")
    print(numbers(len(table.slots)))
    print(drawn(table))


def averages() -> None:
    """Print how many slots a look-up looks at, for tables of more and more keys."""
    print("| keys | slots | full to | slots looked at, on average | at most |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for n in (10, 100, 1_000, 10_000, 100_000):
        keys = [f"task {number}" for number in range(n)]
        table = filled(keys)
        lengths = [len(table.look_up(key)) for key in keys]
        size, average = len(table.slots), sum(lengths) / n
        print(f"| {n:,} | {size:,} | {n / size:.0%} | {average:.2f} | {max(lengths)} |")
