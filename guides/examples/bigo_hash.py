"""A dict with good keys, with bad keys, and with keys that somebody has chosen."""

import sys

SIZES = (100, 1_000, 3_000)


class GoodKey:
    """A key that counts how often it is compared with another."""

    compared = 0

    def __init__(self, name: str) -> None:
        self.name = name

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        GoodKey.compared += 1
        return isinstance(other, GoodKey) and self.name == other.name


class BadKey(GoodKey):
    """Correct: equal keys have equal hashes. And slow: so have all others."""

    def __hash__(self) -> int:
        return len(self.name)


def comparisons(kind: type[GoodKey], n: int) -> int:
    """Put n different keys into a dict; return how often keys were compared."""
    keys = [kind(f"task {number:08}") for number in range(n)]
    GoodKey.compared = 0
    assert len(dict.fromkeys(keys)) == n
    return GoodKey.compared


def filling() -> None:
    """Print how many comparisons it takes to put n keys into a dict."""
    print("| keys | `GoodKey` | `BadKey` | for each key |")
    print("| ---: | ---: | ---: | ---: |")
    for n in SIZES:
        bad = comparisons(BadKey, n)
        print(f"| {n:,} | {comparisons(GoodKey, n)} | {bad:,} | {bad / n:,.1f} |")


def chosen() -> None:
    """Print the hashes of some whole numbers, which are no secret."""
    prime = sys.hash_info.modulus
    for number in (1, 2, prime, prime + 1, 2 * prime + 1):
        print(f"hash({number:19}) = {hash(number)}")
