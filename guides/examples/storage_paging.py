"""Two ways to page while another client deletes."""

from collections.abc import Callable, Iterator

from taskflow.store import Store
from taskflow.tasks import Task

Page = Callable[[Store, list[Task]], list[Task]]


def by_offset(store: Store, seen: list[Task]) -> list[Task]:
    """Return the page that begins at a position: as many tasks further as were seen."""
    everything = store.page(limit=len(store))
    return everything[len(seen) : len(seen) + 3]


def after_the_last(store: Store, seen: list[Task]) -> list[Task]:
    """Return the page that begins after the last task that was seen."""
    return store.page(limit=3, after=seen[-1].number if seen else 0)


def read_all(next_page: Page) -> Iterator[str]:
    """Read nine tasks in pages of three. After the first page, delete the second task."""
    store = Store()
    tasks = [store.create({"title": f"{number}"}) for number in range(1, 10)]
    seen: list[Task] = []
    while page := next_page(store, seen):
        yield " ".join(task.title for task in page)
        seen += page
        if len(seen) == len(page):
            store.delete(tasks[1].id)


def shifting() -> None:
    """Print the pages that a client reads in either way."""
    for name, next_page in {"by offset": by_offset, "after": after_the_last}.items():
        print(f"{name + ':':11}" + "  |  ".join(read_all(next_page)))
