"""The journal: a change that has been acknowledged is on the disk, whatever happens to the process.

    store.apply ─► changed ─► pending ─► a batch ─► thread: one transaction ─► fsync
                                                                                 │
    writers: await committed ◄───────────────────────────────────────────────────┤
    listeners: called with the changes, in order ◄───────────────────────────────┘

Memory changes first, and the disk follows. The response to a write is sent after the commit that
contains its changes. Changes that are made while a commit is under way, or in the turn of the
event loop before it, share the next one (group commit), so 32 writers cost hardly more than one.
The event loop never waits for the disk; a thread does.

A commit that fails undoes its batch and all changes since, the last ones first. Memory is then
again what the disk is, and the writers learn that nothing was stored. The commit may be whole in
the file all the same, for example if only its fsync has failed. Then it is in doubt, and its
writers learn nothing until it has been overwritten, or until they have waited too long for that
and their connections are closed. After any failure, no new change begins before a tiny
transaction has succeeded.
"""

import asyncio
import gc
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

from taskflow.database import CommitInDoubt, Database
from taskflow.errors import NoResponse, ServiceUnavailable
from taskflow.histogram import Histogram
from taskflow.store import Store
from taskflow.tasks import Change

# Writes that may wait for the disk, including those of clients that have left.
MAX_PENDING = 10_000

# Seconds from one attempt to overwrite a failed commit to the next.
RETRY_SECONDS = 0.25

# Seconds until the writers of a commit that is in doubt wait no longer.
MAX_DOUBT_SECONDS = 10.0

# Seconds from one look at the files to the next, while nothing is written.
LOOK_SECONDS = 1.0

# The bounds by which commits are counted: their seconds, and the changes that shared them.
COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
COMMIT_CHANGES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 1_000.0, 10_000.0)

logger = logging.getLogger(__name__)

Listener = Callable[[Sequence[Change]], None]

# Changes that were made together, and the context of the request that made them.
Writes = list[tuple[Context, Sequence[Change]]]


@dataclass(slots=True)
class Tally:
    """The number of changes that one request has made. Most make one; an import makes many."""

    made: int = 0
    stored: int = 0

    # Some of them were in a commit that failed and may come back.
    in_doubt: bool = False


# The tally of the request for which the current asyncio task works.
current_tally: ContextVar[Tally | None] = ContextVar("current_tally", default=None)


class NotStored(ServiceUnavailable):
    """The disk did not take the changes, and they have been undone."""

    def __init__(self, tally: Tally) -> None:
        result = "nothing was stored"
        if tally.stored:
            result = f"only {tally.stored} of {tally.made} changes were stored"
        super().__init__(f"the disk does not take changes now; {result}", stored=tally.stored)


class OutcomeUnknown(NoResponse):
    """A commit failed, and its changes may be there or not after the next start."""


def recover(store: Store, database: Database) -> None:
    """Fill a store with the tasks on the disk, and begin to take changes. O(n). Raises CannotStart.

    The cycle collector would search the new tasks again and again, for a third of the time, and
    find nothing. So it is off meanwhile, and afterwards it leaves these tasks alone. Otherwise it
    would now and then hold the event loop for 0.2 s at 100,000 tasks.
    """
    gc.disable()
    try:
        store.load(database.load())
        gc.freeze()
    finally:
        gc.enable()
    database.begin()


class Journal:
    """Takes the changes of a store to a database, in batches, and reports when they are there."""

    def __init__(self, store: Store, database: Database) -> None:
        # Commits that failed.
        self.failures = 0

        # Commits that succeeded. The thread counts them.
        self.commit_seconds = Histogram(COMMIT_SECONDS)
        self.commit_changes = Histogram(COMMIT_CHANGES)

        # Called with changes when they are on the disk.
        self.listeners: list[Listener] = []

        # Called when changes that others may have read were undone.
        self.undo_listeners: list[Callable[[], None]] = []
        self._store = store
        self._database = database
        self._thread = ThreadPoolExecutor(1, "journal")
        self._pending: Writes = []

        # The results of the batch that is pending, and of the one that is being written.
        loop = asyncio.get_running_loop()
        self._next: asyncio.Future[bool] = loop.create_future()
        self._current: asyncio.Future[bool] = loop.create_future()
        self._current.set_result(True)
        self._awake = asyncio.Event()

        # Why the last commit failed, until a transaction succeeds. The log has a line about it.
        self._failure = ""
        self._stopping = False

        # Nothing is written any more.
        self._ended = False

    def changed(self, changes: Sequence[Change]) -> None:
        """Take changes that have been made. The store calls this. O(1)."""
        tally = current_tally.get()
        if tally is not None:
            tally.made += len(changes)
        self._pending.append((copy_context(), changes))
        self._awake.set()

    @property
    def refusal(self) -> str:
        """Why no change may begin now, or an empty string. O(1)."""
        if self._failure:
            return f"the disk does not take changes now ({self._failure})"
        if self._stopping or self._ended:
            return "the server stops"
        if len(self._pending) >= MAX_PENDING:
            return "too many changes wait for the disk"
        return ""

    def begin(self) -> None:
        """Begin to count the changes of the current request.

        Raises ServiceUnavailable if the disk fails, or if so many writes wait for it that no more
        should be added.
        """
        if self.refusal:
            raise ServiceUnavailable(f"{self.refusal}; nothing was changed")
        current_tally.set(Tally())

    async def committed(self) -> None:
        """Wait until all changes so far are on the disk.

        Raises NotStored if a change of the current request was undone or, for a request without
        changes, if one was undone that it may have seen. Raises OutcomeUnknown if a change was
        undone that may come back. Cancelling a waiter leaves the commit alone.
        """
        tally = current_tally.get() or Tally()
        result = self._next if self._pending else self._current
        is_stored = not self._ended and (result.done() or await asyncio.shield(result))
        if tally.in_doubt and not self._current.done():
            await asyncio.shield(self._current)
        if tally.in_doubt:
            raise OutcomeUnknown
        if tally.stored < tally.made or not (is_stored or tally.made):
            raise NotStored(tally)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write changes until the block ends, and then the rest of them.

        A bug that ends the writing also ends the block, and is raised: a server that cannot store
        is better restarted than left half alive.
        """
        writing = asyncio.create_task(self._run())
        writing.add_done_callback(partial(self._check_end, asyncio.current_task()))
        try:
            yield
        finally:
            self._stopping = True
            self._awake.set()
            try:
                await writing
            finally:
                # Waits for the thread, so that the database may be closed after it.
                self._thread.shutdown()

    def _check_end(self, owner: asyncio.Task[Any] | None, writing: asyncio.Task[None]) -> None:
        if not self._stopping and owner is not None:
            logger.critical("the journal failed, so the server must end")
            owner.cancel()

    async def _run(self) -> None:
        try:
            while self._pending or not self._stopping:
                await self._wait_for_changes()
                if not self._stopping:
                    self._awake.clear()
                # Changes of the next turn can share the commit: a sixth more requests are served.
                await asyncio.sleep(0)
                if self._pending:
                    await self._commit()
        finally:
            self._ended = True
            # Whatever ended the writing, no request may wait for ever.
            for result in self._current, self._next:
                if not result.done():
                    result.set_result(False)

    async def _wait_for_changes(self) -> None:
        """Wait until there are changes or the server stops, and look at the files meanwhile."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._awake.wait()
                return
            try:
                await self._in_thread(self._database.check_files)
            except Exception as error:
                self._note_failure(error)
                await self._overwrite([])

    async def _in_thread(self, function: Callable[..., None], *arguments: object) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, function, *arguments)

    async def _commit(self) -> None:
        """Write what is pending in one transaction, and report the result."""
        batch = self._pending
        self._pending = []
        self._current = self._next
        self._next = asyncio.get_running_loop().create_future()
        changes = [change for _, together in batch for change in together]
        try:
            await self._in_thread(self._write, changes)
        except Exception as error:
            self._note_failure(error)
            self.failures += 1
            self._undo(batch)
            if isinstance(error, CommitInDoubt):
                set_in_doubt(batch, True)
            else:
                self._current.set_result(False)
            await self._overwrite(batch)
        else:
            self._current.set_result(True)
            self._report(batch)

    async def _overwrite(self, batch: Writes) -> None:
        """Overwrite what a failed commit may have left, and try until that succeeds.

        Requests that had begun before the failure may make more changes meanwhile. These are
        undone too. Returns without success only when the server stops.
        """
        loop = asyncio.get_running_loop()
        patience = loop.call_later(MAX_DOUBT_SECONDS, self._give_up)
        while True:
            try:
                await self._in_thread(self._database.overwrite_tail)
            except Exception as error:
                self._note_failure(error)
                if self._pending:
                    self._undo([])
            else:
                set_in_doubt(batch, False)
                self._failure = ""
                logger.warning("changes are stored again")
                break
            if self._stopping:
                break
            await asyncio.sleep(RETRY_SECONDS)
        patience.cancel()
        self._give_up()

    def _give_up(self) -> None:
        """Let the writers of the commit that failed wait no longer."""
        if not self._current.done():
            self._current.set_result(False)

    def _write(self, changes: Sequence[Change]) -> None:
        """Write changes in one transaction, and count it. Called in the thread."""
        started = perf_counter()
        self._database.write(changes)
        self.commit_seconds.observe(perf_counter() - started)
        self.commit_changes.observe(len(changes))

    def _undo(self, batch: Writes) -> None:
        """Undo a batch and all changes since, which may depend on it."""
        pending = self._pending
        self._pending = []
        for _, together in reversed(batch + pending):
            self._store.undo(together)
        if pending:
            self._next.set_result(False)
            self._next = asyncio.get_running_loop().create_future()
        for listener in self.undo_listeners:
            call_listener(listener)

    def _report(self, batch: Writes) -> None:
        for context, together in batch:
            tally = context.get(current_tally)
            if tally is not None:
                tally.stored += len(together)
            for listener in self.listeners:
                call_listener(context.run, listener, together)

    def _note_failure(self, error: Exception) -> None:
        """Take no changes, and log the first of several failures, a bug with its traceback."""
        is_known = isinstance(error, sqlite3.Error)
        if not self._failure:
            message = "changes cannot be stored, and are refused until they can: %s"
            logger.error(message, error, exc_info=None if is_known else error)
        self._failure = str(error) if is_known else "the log has the details"


def set_in_doubt(batch: Writes, in_doubt: bool) -> None:
    """Note in the tallies of a batch whether its changes may come back."""
    for context, _ in batch:
        tally = context.get(current_tally)
        if tally is not None:
            tally.in_doubt = in_doubt


def call_listener(listener: Callable[..., None], *arguments: object) -> None:
    """Call a listener whose bugs must not end the journal."""
    try:
        listener(*arguments)
    except Exception:
        logger.exception("a listener failed")
