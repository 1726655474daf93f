"""What the cache of step 7 holds after each call, for guide 7."""

from deps_release import row, table

from taskflow.cache import BoundedCache

CALLS = ("put a", "put b", "put c", "get a", "put d", "get b", "put c", "put e", "get a")


def evictions() -> None:
    """Print a cache with room for three, from the least to the most recently used."""
    cache: BoundedCache[bytes] = BoundedCache(3)
    table("call", "answer", "in the cache, next to go first", "evicted")
    for call in CALLS:
        before = list(cache._entries)
        name, key = call.split()
        answer = ""
        if name == "put":
            cache.put(key, key.upper().encode())
        else:
            value = cache.get(key)
            answer = "None" if value is None else f"`{value!r}`"
        gone = [one for one in before if one not in cache._entries]
        evicted = f"**{gone[0]}**" if gone else ""
        row(
            f'`{name}("{key}"{", …" if name == "put" else ""})`',
            answer,
            " ".join(cache._entries),
            evicted,
        )
