"""The journal at work: how writers share commits, and what becomes of a commit that fails."""

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from taskflow.database import Database
from taskflow.journal import Journal, NotStored
from taskflow.store import Store
from taskflow.tasks import Change, Status

WRITES = 320


async def commits(writers: int) -> int:
    """Make WRITES tasks, by so many writers that each wait for the disk; return the commits."""
    with TemporaryDirectory() as folder:
        store, database = Store(), Database(Path(folder, "tasks.db"))
        journal = Journal(store, database)
        store.listeners.append(journal.changed)

        async def write() -> None:
            for _ in range(WRITES // writers):
                store.create({"title": "Wash"})
                await journal.committed()

        try:
            async with journal.running(), asyncio.TaskGroup() as group:
                for _ in range(writers):
                    group.create_task(write())
        finally:
            database.close()
    assert journal.commit_changes.sum == WRITES
    return journal.commit_changes.count


def table() -> None:
    """Print how many commits there are for the same number of writes."""
    print("| writers at once | tasks written | commits |\n| ---: | ---: | ---: |")
    for writers in 1, 8, 32:
        print(f"| {writers} | {WRITES} | {asyncio.run(commits(writers))} |")


class FullDisk(Database):
    """A database that takes nothing more."""

    def write(self, changes: Sequence[Change]) -> None:
        raise sqlite3.OperationalError("database or disk is full")


def shown(store: Store) -> str:
    """Return the tasks in memory."""
    return ", ".join(f"{task.title} ({task.status})" for task in store.snapshot())


async def refused() -> None:
    """Let three changes build on each other, and fail."""
    with TemporaryDirectory() as folder:
        store, database = Store(), FullDisk(Path(folder, "tasks.db"))
        journal = Journal(store, database)
        try:
            async with journal.running():
                wash = store.create({"title": "Wash"})  # it was there before
                store.listeners.append(journal.changed)
                store.update(wash.id, {"status": Status.COMPLETED})
                store.create({"title": "Iron", "dependencies": (wash.id,)})
                store.delete(wash.id)
                print("before:", shown(store))
                try:
                    await journal.committed()
                except NotStored as error:
                    print("answer:", error.status, error)
                print("after: ", shown(store))
        finally:
            database.close()


def take_back() -> None:
    """Print what is in memory before and after a commit that fails."""
    logging.disable()  # The log reports it too.
    asyncio.run(refused())
