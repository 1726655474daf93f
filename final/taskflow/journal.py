"""The journal: what has been acknowledged is on the disk, whatever happens to the process.

    store.apply ─► changed ─► pending ─► a batch ─► thread: one transaction ─► fsync
                                                                                 │
    writers: await committed ◄──────────────────────────────────────────────── done
    listeners: told of the changes, in order ◄──────────────────────────────────┘

Memory changes first and the disk follows. A request that changed something is answered when the
commit that holds its changes is done. Changes that come while one commit is on its way, or in the
turn of the event loop before it, share the next (group commit), so that 32 writers cost hardly
more than one. The event loop never waits for the disk; a thread does.

A commit that fails takes its batch back, and all that came after it, the last first: then memory
is again what the disk is, and those who waited are told that nothing was stored.
"""

import asyncio
import gc
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

from taskflow.database import Database
from taskflow.errors import ServiceUnavailable, TaskflowError
from taskflow.guards import READING
from taskflow.http import Handler, Request, Response
from taskflow.store import Store
from taskflow.tasks import Change

MAX_PENDING = 10_000  # writes that may wait for the disk, also of clients that have left

Listener = Callable[[Sequence[Change]], None]
Writes = list[tuple[Context, Sequence[Change]]]  # what was changed together, and on whose behalf


@dataclass(slots=True)
class Tally:
    """How many changes one request has made: most make one, an import makes many."""

    made: int = 0
    stored: int = 0


# Of the request on whose behalf the current asyncio task runs.
current_tally: ContextVar[Tally | None] = ContextVar("current_tally", default=None)


class NotStored(ServiceUnavailable):
    """The disk did not take changes, and they were taken back."""

    def __init__(self, tally: Tally) -> None:
        some = f"only {tally.stored} of {tally.made} changes were stored"
        what = some if tally.stored else "nothing was stored"
        super().__init__(f"the disk does not take changes now; {what}", stored=tally.stored)


def recover(store: Store, database: Database) -> None:
    """Fill a store with what is on the disk. O(n). Raises ConfigError.

    The cycle collector would look through the new tasks again and again and find nothing, for a
    third of the time: it is off meanwhile, and afterwards leaves alone what is there. Else it
    would hold the server for 0.2 s now and then, at 100,000 tasks.
    """
    gc.disable()
    try:
        store.load(database.load())
        gc.freeze()
    finally:
        gc.enable()


class Journal:
    """Takes the changes of a store to a database, in batches, and tells when they are there."""

    def __init__(self, store: Store, database: Database) -> None:
        self.failures = 0  # commits that were not made
        self.listeners: list[Listener] = []  # told of changes when they are on the disk
        self.observers: list[Callable[[float, int], None]] = []  # of seconds and changes of each
        self._store = store
        self._database = database
        self._thread = ThreadPoolExecutor(1, "journal")
        self._pending: Writes = []
        loop = asyncio.get_running_loop()
        self._next: asyncio.Future[bool] = loop.create_future()  # of the batch that is pending
        self._current: asyncio.Future[bool] = loop.create_future()  # of the one being written
        self._current.set_result(True)
        self._awake = asyncio.Event()
        self._failing = False  # the last commit was not made, and the log says so already
        self._stopping = False
        self._ended = False  # nothing is written any more

    def changed(self, changes: Sequence[Change]) -> None:
        """Take changes that the store has made; the store calls this. O(1)."""
        if (tally := current_tally.get()) is not None:
            tally.made += len(changes)
        self._pending.append((copy_context(), changes))
        self._awake.set()

    def check_room(self) -> None:
        """Raise ServiceUnavailable if so much waits for the disk that no more should be added."""
        if self._ended or len(self._pending) >= MAX_PENDING:
            raise ServiceUnavailable("too many changes wait for the disk; nothing was changed")

    async def committed(self) -> None:
        """Wait until all changes made so far are on the disk.

        Raises NotStored if a change of the current request was taken back; or, where it has made
        none, if one was that it may have seen. A waiter that is cancelled leaves the commit alone.
        """
        tally = current_tally.get() or Tally()
        waiting = self._next if self._pending else self._current
        fine = not self._ended and (waiting.done() or await asyncio.shield(waiting))
        if tally.stored < tally.made or not (fine or tally.made):
            raise NotStored(tally)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write what is changed until the block ends, and then the rest of it.

        A bug that ends the writing ends the block too, and is raised: a server that cannot store
        is better started anew than left half alive.
        """
        task = asyncio.create_task(self._run())
        task.add_done_callback(partial(self._check_end, asyncio.current_task()))
        try:
            yield
        finally:
            self._stopping = True
            self._awake.set()
            try:
                await task
            finally:
                self._thread.shutdown()  # waits for it, so the database may be closed then

    def _check_end(self, owner: asyncio.Task[Any] | None, task: asyncio.Task[None]) -> None:
        if not self._stopping and owner is not None:
            logging.getLogger(__name__).critical("the journal failed, and the server must end")
            owner.cancel()

    async def _run(self) -> None:
        try:
            while self._pending or not self._stopping:
                await self._awake.wait()
                if not self._stopping:
                    self._awake.clear()
                await asyncio.sleep(0)  # who comes a turn later shares it: a sixth more are served
                if self._pending:
                    await self._commit()
        finally:
            self._ended = True
            for waiting in self._current, self._next:
                if not waiting.done():
                    waiting.set_result(False)  # whatever ended it: nobody may wait on

    async def _commit(self) -> None:
        """Write what is pending in one transaction, and tell how that went."""
        loop = asyncio.get_running_loop()
        batch, self._pending = self._pending, []
        self._current, self._next = self._next, loop.create_future()
        changes = [change for _, together in batch for change in together]
        started = perf_counter()  # uvloop's clock counts whole milliseconds
        try:
            await loop.run_in_executor(self._thread, self._database.write, changes)
        except Exception as error:  # mostly of SQLite; but whatever it is, nothing was written
            self._log_failure(error)
            self._take_back(batch)
            self._current.set_result(False)
        else:
            self._log_success()
            self._current.set_result(True)
            self._tell(batch, perf_counter() - started)

    def _take_back(self, batch: Writes) -> None:
        """Undo a batch and all that has come after it, which may build on it."""
        self.failures += 1
        pending, self._pending = self._pending, []
        for _, together in reversed(batch + pending):
            self._store.undo(together)
        if pending:
            self._next.set_result(False)
            self._next = asyncio.get_running_loop().create_future()

    def _tell(self, batch: Writes, seconds: float) -> None:
        for context, together in batch:
            if (tally := context.get(current_tally)) is not None:
                tally.stored += len(together)
            for listener in self.listeners:
                _call(context.run, listener, together)
        for observer in self.observers:
            _call(observer, seconds, sum(len(together) for _, together in batch))

    def _log_failure(self, error: Exception) -> None:
        """Say it once, and not for each commit that a full disk refuses; a bug has a traceback."""
        if not self._failing:
            known = isinstance(error, sqlite3.Error)
            message = "changes cannot be stored, and are refused until they can: %s"
            logging.getLogger(__name__).error(message, error, exc_info=None if known else error)
        self._failing = True

    def _log_success(self) -> None:
        if self._failing:
            logging.getLogger(__name__).warning("changes are stored again")
        self._failing = False


def _call(listener: Callable[..., object], *arguments: object) -> None:
    try:
        listener(*arguments)
    except Exception:  # a bug of a listener may not end the journal
        logging.getLogger(__name__).exception("a listener failed")


@dataclass(frozen=True, slots=True)
class Durable:
    """Holds the answer to what writes until its changes are on the disk.

    Refusals are held too: that a task is not found may be due to a deletion that can still fail,
    and a client that deletes for the second time would take it for done.
    """

    journal: Journal
    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on, and wait for the commit. Raises NotStored, ServiceUnavailable."""
        if request.method in READING:
            return await self.next(request)
        self.journal.check_room()
        current_tally.set(Tally())
        try:
            response = await self.next(request)
        except TaskflowError:
            await self.journal.committed()
            raise
        await self.journal.committed()
        return response
