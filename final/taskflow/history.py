"""The history of requests: the last entries, in memory that does not grow."""

from collections import deque
from dataclasses import replace

from taskflow.logs import AccessEntry

# Entries.
HISTORY_LENGTH = 1_000

# Characters of a path that are kept.
MAX_PATH = 200


class History:
    """The last requests. A new one pushes the oldest out, in O(1)."""

    def __init__(self) -> None:
        self._entries: deque[AccessEntry] = deque(maxlen=HISTORY_LENGTH)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: AccessEntry) -> None:
        """Keep an entry. RequestLog calls this."""
        if len(entry.path) > MAX_PATH:
            entry = replace(entry, path=entry.path[:MAX_PATH])
        self._entries.append(entry)

    def latest(self, count: int) -> list[AccessEntry]:
        """Return up to `count` entries, the newest first. O(HISTORY_LENGTH)."""
        return list(self._entries)[: -count - 1 : -1]
