"""Three ways to walk over all tasks while others change them, and what each export is worth."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from taskflow.importing import Import
from taskflow.store import Store
from taskflow.streaming import ndjson
from taskflow.tasks import Task

COUNT = 2_000
PAGE = 500


async def over_the_dict(store: Store) -> AsyncGenerator[bytes, None]:
    """Walk over the dict itself."""
    for task in store._tasks.values():
        yield task.json + b"\n"


async def page_by_page(store: Store) -> AsyncGenerator[bytes, None]:
    """Ask for a page, and for the next when that is sent."""
    last = 0
    while page := store.page(PAGE, last):
        yield b"".join(task.json + b"\n" for task in page)
        last = page[-1].number


def of_a_snapshot(store: Store) -> AsyncGenerator[bytes, None]:
    """Walk over a list that was made at the start, as the step does."""
    return ndjson(task.json for task in store.snapshot())


def full_store() -> tuple[Store, list[Task]]:
    """Return a store whose first task depends on its last."""
    store = Store()
    tasks = [store.create({"title": f"Task {number}"}) for number in range(COUNT)]
    store.update(tasks[0].id, {"dependencies": (tasks[-1].id,)})
    return store, tasks


async def lines(text: bytes) -> AsyncGenerator[bytes, None]:
    """Yield the lines of an export, as an import reads them."""
    for line in text.split(b"\n"):
        yield line


async def export(walk: Callable[[Store], AsyncGenerator[bytes, None]]) -> str:
    """Export, and let somebody delete the last task after the first piece."""
    store, tasks = full_store()
    text = b""
    try:
        async with aclosing(walk(store)) as pieces:
            async for piece in pieces:
                if not text:
                    store.delete(tasks[-1].id)  # what another request does while this one waits
                text += piece
    except RuntimeError as error:
        return f"RuntimeError: {error}"
    report = await Import(Store()).run(lines(text))
    count = text.count(b"\n")
    return f"{count:,} tasks, of which an import takes {report['created']:,}"


def compare() -> None:
    """Print what becomes of an export in each way."""
    print("| the export walks over | while the last task is deleted |")
    print("| --- | --- |")
    for name, walk in (
        ("the dict", over_the_dict),
        ("pages of 500", page_by_page),
        ("a snapshot", of_a_snapshot),
    ):
        print(f"| {name} | {asyncio.run(export(walk))} |")
