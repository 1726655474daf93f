"""What a task takes in memory, rounded: it depends a little on the version of Python."""

import psutil

from taskflow.store import Store

TASKS = 100_000


def main() -> None:
    """Fill a store with small tasks, and print what the process has grown by."""
    process, store = psutil.Process(), Store()
    before = process.memory_info().rss
    for number in range(TASKS):
        store.create({"title": f"Task {number}"})
    each = (process.memory_info().rss - before) / TASKS
    print(f"a small task: about {each / 1000:.0f} KB")
    print(f"a million of them: about {each / 1000:.0f} GB")


if __name__ == "__main__":
    main()
