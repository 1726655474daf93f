"""The journal: on a disk that waits and fails on command, then on a real one."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import SETTINGS, Client, code_of, details_of, error_of, new_client
from over_socket import PATIENCE, until

from taskflow.config import Settings
from taskflow.database import Database
from taskflow.errors import CycleDetected, ServiceUnavailable, TaskNotFound
from taskflow.events import Events, current_request
from taskflow.http import Handler, Request, Response
from taskflow.journal import Journal, NotStored, recover
from taskflow.middleware import Durable
from taskflow.routes import TaskRoutes
from taskflow.store import Store
from taskflow.tasks import Change, Status, Task

FULL = sqlite3.OperationalError("database or disk is full")


class Disk(Database):
    """A database that has no file, holds each commit until it is let go, and fails when told."""

    def __init__(self) -> None:
        self.batches: list[list[Change]] = []  # that were begun
        self.errors: list[Exception | None] = []  # of the next commits; then there are none

        # The errors of the next attempts to overwrite a failed commit; then they succeed.
        self.tail_errors: list[Exception] = []

        # What is wrong with the files.
        self.file_error: Exception | None = None
        self._go = threading.Semaphore(0)
        self._is_free = True

    def write(self, changes: Sequence[Change]) -> None:
        self.batches.append(list(changes))
        if not self._is_free:
            assert self._go.acquire(timeout=PATIENCE)
        if error := self.errors.pop(0) if self.errors else None:
            raise error

    def check_files(self) -> None:
        if self.file_error:
            raise self.file_error

    def overwrite_tail(self) -> None:
        self.check_files()
        if self.tail_errors:
            raise self.tail_errors.pop(0)

    def hold(self) -> None:
        """Let no commit end from now on."""
        self._is_free = False

    def release(self, commits: int = 1) -> None:
        """Let one commit end."""
        self._go.release(commits)

    def free(self) -> None:
        """Let all commits end from now on."""
        self._is_free = True
        self._go.release(9)

    @property
    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.batches]


@asynccontextmanager
async def journaled(disk: Database) -> AsyncIterator[tuple[Store, Journal]]:
    """Give a store whose changes go to the disk."""
    store = Store()
    journal = Journal(store, disk)
    store.listeners.append(journal.changed)
    async with journal.running():
        try:
            yield store, journal
        finally:
            if isinstance(disk, Disk):
                disk.free()


def writing(journal: Journal) -> "asyncio.Task[None]":
    """Return a task that waits for what has been changed so far."""
    return asyncio.create_task(journal.committed())


async def fates(writers: "Sequence[asyncio.Task[None]]") -> list[bool]:
    """Return which of the writers were told that all is stored."""
    results = await asyncio.gather(*writers, return_exceptions=True)
    assert all(result is None or isinstance(result, NotStored) for result in results)
    return [result is None for result in results]


def shape(store: Store) -> list[Any]:
    """Return all that a store answers, in a form that does not depend on how it came about."""
    fresh = Store()
    fresh.load(store.snapshot())
    for one in store, fresh:
        order = one.resolve()
        assert len(order) == len(one) == len(one.page(len(one) + 1))
        assert {task.id for task in one.queued()} == ready(one)
        assert one.next_ready() == max(one.queued(), default=None, key=urgency)
    for task in store.snapshot():
        dependents = set(store._graph.dependents(task.id))
        assert dependents == set(fresh._graph.dependents(task.id))
    assert store.page(len(store) + 1) == store.snapshot()
    return [(task, task.json) for task in store.snapshot()]


def urgency(task: Task) -> tuple[int, int]:
    return task.priority, -task.number


def ready(store: Store) -> set[str]:
    """Return what is ready, by looking at all."""
    done = {task.id for task in store.snapshot() if task.status is Status.COMPLETED}
    pending = [task for task in store.snapshot() if task.status is Status.PENDING]
    return {task.id for task in pending if done.issuperset(task.dependencies)}


# Commits.


async def test_a_writer_waits_for_its_commit_while_others_read() -> None:
    disk = Disk()
    async with journaled(disk) as (store, journal):
        disk.hold()
        task = store.create({"title": "x"})
        writer = writing(journal)
        await until(lambda: disk.batches)

        assert store.get(task.id) is task
        assert not writer.done()
        disk.release()
        await writer
    assert disk.batches == [[Change(None, task)]]


async def test_a_writer_that_comes_a_turn_later_shares_the_commit() -> None:
    disk = Disk()
    async with journaled(disk) as (store, journal):
        store.create({"title": "first"})
        await asyncio.sleep(0)
        store.create({"title": "second"})
        await journal.committed()
    assert disk.sizes == [2]


async def test_writers_that_come_during_a_commit_share_the_next() -> None:
    disk = Disk()
    async with journaled(disk) as (store, journal):
        disk.hold()
        store.create({"title": "first"})
        writers = [writing(journal)]
        await until(lambda: disk.batches)
        for number in range(32):
            store.create({"title": f"{number}"})
            writers.append(writing(journal))
            await asyncio.sleep(0)
        assert disk.sizes == [1]

        disk.release()
        await until(lambda: len(disk.batches) == 2 and writers[0].done())
        assert not any(writer.done() for writer in writers[1:])
        disk.release()
        assert all(await fates(writers))

    assert disk.sizes == [1, 32]
    titles = [change.after.title for change in disk.batches[1] if change.after]
    assert titles == [f"{number}" for number in range(32)]


async def test_who_has_changed_nothing_waits_for_what_it_may_have_seen() -> None:
    disk = Disk()
    async with journaled(disk) as (store, journal):
        await journal.committed()  # nothing to wait for
        disk.hold()
        store.create({"title": "x"})
        await until(lambda: disk.batches)
        reader = writing(journal)
        await asyncio.sleep(0)
        assert not reader.done()
        disk.free()
        await reader
        await journal.committed()
    assert disk.sizes == [1]


async def test_a_writer_that_is_cancelled_leaves_its_commit_alone() -> None:
    disk = Disk()
    async with journaled(disk) as (store, journal):
        told: list[Change] = []
        journal.listeners.append(told.extend)
        disk.hold()
        writers = []
        for title in "abc":  # the first commit, and two changes that wait for the next
            store.create({"title": title})
            writers.append(writing(journal))
            await until(lambda: disk.batches)
        for writer in writers[:2]:
            writer.cancel()
        await asyncio.wait(writers[:2])
        disk.free()
        await writers[2]

    assert [writer.cancelled() for writer in writers] == [True, True, False]
    assert disk.sizes == [1, 2]
    assert [change.after and change.after.title for change in told] == ["a", "b", "c"]
    assert len(store) == 3


async def test_the_end_of_the_block_stores_the_rest() -> None:
    disk = Disk()
    async with journaled(disk) as (store, journal):
        disk.hold()
        store.create({"title": "a"})
        writers = [writing(journal)]
        await until(lambda: disk.batches)
        store.create({"title": "b"})
        writers.append(writing(journal))
    assert disk.sizes == [1, 1]
    assert await fates(writers) == [True, True]


async def test_what_comes_after_the_end_is_refused_and_waits_for_nothing() -> None:
    disk = Disk()
    async with journaled(disk) as (store, journal):
        pass
    store.create({"title": "too late"})
    with pytest.raises(NotStored):
        await journal.committed()
    with pytest.raises(ServiceUnavailable):
        journal.begin()
    assert disk.batches == []


# Commits that fail.


async def test_a_commit_that_fails_takes_back_its_batch_and_all_after_it() -> None:
    disk = Disk()
    async with journaled(disk) as (store, journal):
        kept = store.create({"title": "kept"})
        await journal.committed()
        before = shape(store)
        told: list[Change] = []
        journal.listeners.append(told.extend)
        disk.hold()
        disk.errors = [FULL]

        lost = store.create({"title": "lost"})
        writers = [writing(journal)]
        await until(lambda: len(disk.batches) == 2)
        store.update(kept.id, {"dependencies": (lost.id,)})
        writers.append(writing(journal))
        store.update(lost.id, {"status": Status.COMPLETED})
        writers.append(writing(journal))
        store.delete(lost.id)
        writers.append(writing(journal))
        await asyncio.sleep(0)
        disk.free()

        assert await fates(writers) == [False] * 4
        assert shape(store) == before
        assert disk.sizes == [1, 1]  # what built on it was not even tried
        await journal.committed()  # who comes later is not told of what others have lost
        assert (journal.failures, told) == (1, [])
        again = store.create({"title": "again"})
        await journal.committed()
        assert [change.task_id for change in told] == [again.id]
        assert again.number > lost.number


async def test_what_was_stored_before_a_failing_commit_stays() -> None:
    disk = Disk()
    async with journaled(disk) as (store, journal):
        disk.hold()
        disk.errors = [None, FULL]
        first = store.create({"title": "first"})
        writers = [writing(journal)]
        await until(lambda: disk.batches)
        store.create({"title": "second"})
        writers.append(writing(journal))
        disk.free()
        assert await fates(writers) == [True, False]
        assert store.snapshot() == [first]


async def test_a_deletion_with_dependents_and_a_claim_are_taken_back_whole() -> None:
    disk = Disk()
    async with journaled(disk) as (store, journal):
        done = store.create({"title": "done", "status": Status.COMPLETED})
        root = store.create({"title": "root"})
        for number in range(5):
            store.create({"title": f"{number}", "dependencies": (done.id, root.id)})
        store.create({"title": "urgent", "priority": 9})
        await journal.committed()
        before = shape(store)
        disk.errors = [FULL]

        claimed = store.claim()
        store.delete(done.id)
        store.delete(root.id)
        assert store.next_ready() != claimed
        with pytest.raises(NotStored):
            await journal.committed()

        assert shape(store) == before
        assert claimed is not None
        again = store.claim()
        assert again is not None
        assert again.id == claimed.id


async def test_a_bug_while_writing_is_a_commit_that_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    disk = Disk()
    disk.errors = [ZeroDivisionError("a bug")]
    async with journaled(disk) as (store, journal):
        store.create({"title": "lost"})
        with pytest.raises(NotStored):
            await journal.committed()
        store.create({"title": "kept"})
        await journal.committed()
    assert "ZeroDivisionError: a bug" in caplog.text
    assert "Traceback" in caplog.text


async def test_a_disk_that_fails_for_long_is_told_of_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskflow.journal.RETRY_SECONDS", 0)
    disk = Disk()
    disk.errors = [FULL]
    disk.tail_errors = [FULL] * 5
    async with journaled(disk) as (store, journal):
        store.create({"title": "x"})
        with pytest.raises(NotStored):
            await journal.committed()
        await until(lambda: not journal.refusal)
        for _ in range(2):
            store.create({"title": "x"})
            await journal.committed()
    assert [(record.levelno, record.exc_info) for record in caplog.records] == [
        (logging.ERROR, None),
        (logging.WARNING, None),
    ]
    assert "database or disk is full" in caplog.text
    assert disk.tail_errors == []
    assert journal.failures == 1


async def test_a_bug_that_ends_the_journal_ends_the_server_and_nobody_waits(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk()
    disk.errors = [FULL]
    writers = []

    def bug(self: Store, changes: Sequence[Change]) -> None:
        raise ZeroDivisionError("a bug")

    async def serve() -> None:
        async with journaled(disk) as (store, journal):
            disk.hold()
            store.create({"title": "x"})
            writers.append(writing(journal))
            await until(lambda: disk.batches)
            store.create({"title": "y"})
            writers.append(writing(journal))
            await asyncio.sleep(0)
            disk.free()
            async with patience:
                await asyncio.Event().wait()  # as a server waits for a signal

    patience = asyncio.timeout(PATIENCE)
    monkeypatch.setattr(Store, "undo", bug)
    with pytest.raises(ZeroDivisionError):
        await serve()
    assert not patience.expired()
    assert await fates(writers) == [False, False]
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.CRITICAL]


# Events.


async def test_events_come_after_the_commit_in_order_with_the_id_of_their_request() -> None:
    disk, events = Disk(), Events()
    async with journaled(disk) as (store, journal):
        journal.listeners.append(events.changed)
        disk.hold()

        async def request(name: str) -> None:
            current_request.set(name)
            parent = store.create({"title": name})
            store.create({"title": name, "dependencies": (parent.id,)})
            store.delete(parent.id)
            await journal.committed()

        writers = [asyncio.create_task(request(name)) for name in ("a", "b", "c")]
        await until(lambda: disk.batches)
        assert list(events.history) == []
        disk.free()
        await asyncio.gather(*writers)

    kinds = b"task.created", b"task.created", b"task.updated", b"task.deleted"
    expected = [(kind, name) for name in (b"a", b"b", b"c") for kind in kinds]
    assert len(events.history) == len(expected)
    for event, (kind, name) in zip(events.history, expected, strict=True):
        assert b'"type":"' + kind in event.message
        assert b'"requestId":"' + name in event.message


async def test_a_listener_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Change] = []

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    async with journaled(Disk()) as (store, journal):
        journal.listeners += [fail, told.extend]
        for _ in range(2):
            store.create({"title": "x"})
            await journal.committed()
    assert len(told) == 2
    assert caplog.text.count("a listener failed") == 2


# Requests.


async def asked(app: Handler, method: str = "POST") -> Response:
    """Answer a request in a task of its own, as a server does."""
    return await asyncio.create_task(_awaited(app(Request(method, "/tasks"))))


async def _awaited(answer: Any) -> Response:
    response = await answer
    assert isinstance(response, Response)
    return response


async def test_who_reads_waits_for_nobody() -> None:
    disk = Disk()
    async with journaled(disk) as (store, journal):
        disk.hold()
        store.create({"title": "x"})
        await until(lambda: disk.batches)

        async def read(request: Request) -> Response:
            return Response(200)

        for method in "GET", "HEAD":
            assert (await asked(Durable(journal, read), method)).status == 200


async def test_a_refusal_waits_for_what_it_is_due_to() -> None:
    """A client that deletes for the second time, and is told 404, takes it for done."""
    disk = Disk()
    async with journaled(disk) as (store, journal):
        task = store.create({"title": "x"})
        await journal.committed()

        async def delete(request: Request) -> Response:
            store.delete(task.id)
            return Response(204)

        for error, outcome in (FULL, NotStored), (None, TaskNotFound):
            disk.hold()
            disk.errors = [error]
            first = asyncio.create_task(_awaited(Durable(journal, delete)(Request("DELETE"))))
            await until(lambda: not journal._pending)  # its commit has begun
            second = asyncio.create_task(_awaited(Durable(journal, delete)(Request("DELETE"))))
            await asyncio.sleep(0)
            assert not second.done()
            disk.free()
            results = await asyncio.gather(first, second, return_exceptions=True)
            assert isinstance(results[1], outcome)
            assert isinstance(results[0], NotStored if error else Response)
            await until(lambda: not journal.refusal)


async def test_a_commit_that_failed_before_a_request_changed_anything_is_none_of_its_business() -> (
    None
):
    disk = Disk()
    async with journaled(disk) as (store, journal):
        body_comes = asyncio.Event()

        async def create(request: Request) -> Response:
            await body_comes.wait()
            store.create({"title": "mine"})
            return Response(201)

        slow = asyncio.create_task(_awaited(Durable(journal, create)(Request("POST"))))
        await asyncio.sleep(0)
        disk.errors = [FULL]
        store.create({"title": "of another"})
        with pytest.raises(NotStored):
            await journal.committed()
        body_comes.set()
        assert (await slow).status == 201
    assert [task.title for task in store.snapshot()] == ["mine"]


async def test_when_too_much_waits_for_the_disk_no_more_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("taskflow.journal.MAX_PENDING", 3)
    disk = Disk()
    async with journaled(disk) as (store, journal):
        disk.hold()

        async def create(request: Request) -> Response:
            store.create({"title": "x"})
            return Response(201)

        app = Durable(journal, create)
        writers = []
        for _ in range(4):  # one whose commit has begun, and three that wait
            writers.append(asyncio.create_task(_awaited(app(Request("POST")))))
            await until(lambda: disk.batches)
        await asyncio.sleep(0)
        for writer in writers[2:]:
            writer.cancel()  # who leaves makes no room
        with pytest.raises(ServiceUnavailable, match="nothing was changed"):
            await asked(app)
        disk.free()
        await asyncio.wait(writers)
        assert (await asked(app)).status == 201
    assert len(store) == 5


# Imports.


def importing(store: Store, journal: Journal, lines: Sequence[bytes]) -> Any:
    """Return the answer to an import of these lines, which come all at once."""
    pieces = [b"\n".join(lines), b""]

    async def receive() -> bytes:
        return pieces.pop(0)

    request = Request("POST", "/tasks/import", receive=receive)
    return Durable(journal, TaskRoutes(store, journal.committed).import_tasks)(request)


async def test_an_import_never_has_more_than_a_hundred_lines_that_wait_for_the_disk() -> None:
    disk, lines = Disk(), [b'{"title":"x"}'] * 1_050
    async with journaled(disk) as (store, journal):
        response = await importing(store, journal, lines)
    assert response.body == b'{"created":1050,"failedCount":0,"failed":[]}'
    assert disk.sizes == [100] * 10 + [50]


async def test_an_import_ends_when_the_disk_is_full_and_says_what_is_stored() -> None:
    disk, lines = Disk(), [b'{"title":"x"}'] * 1_000
    async with journaled(disk) as (store, journal):

        def fill(changes: Sequence[Change]) -> None:
            if sum(disk.sizes) > 200:
                disk.errors = [FULL] * 99

        journal.listeners.append(fill)
        with pytest.raises(NotStored) as caught:
            await importing(store, journal, lines)
        assert len(store) == 300
        assert caught.value.details == {"stored": 300}
        assert "only 300 of 400 changes were stored" in str(caught.value)
        assert caught.value.status == 503


async def test_an_import_that_was_not_hit_itself_goes_on() -> None:
    disk = Disk()
    async with journaled(disk) as (store, journal):
        more = asyncio.Event()
        pieces = [b'{"title":"x"}\n' * 100, b'{"title":"x"}\n', b""]

        async def receive() -> bytes:
            if len(pieces) == 2:
                await more.wait()
            return pieces.pop(0)

        routes = TaskRoutes(store, journal.committed)
        request = Request("POST", "/tasks/import", receive=receive)
        task = asyncio.create_task(_awaited(Durable(journal, routes.import_tasks)(request)))
        await until(lambda: disk.batches)
        await journal.committed()
        disk.errors = [FULL]
        store.create({"title": "of another"})
        with pytest.raises(NotStored):
            await journal.committed()
        more.set()
        assert (await task).body == b'{"created":101,"failedCount":0,"failed":[]}'
        assert len(store) == 101


async def test_an_import_that_has_lost_something_says_so_though_the_rest_was_stored() -> None:
    disk = Disk()
    async with journaled(disk) as (store, journal):
        disk.errors = [FULL]
        pieces = [b'{"title":"lost"}\n' * 50, b'{"title":"kept"}', b""]

        async def receive() -> bytes:
            if len(pieces) == 2:
                await until(lambda: journal.failures)  # while the import waits for its body
            return pieces.pop(0)

        routes = TaskRoutes(store, journal.committed)
        request = Request("POST", "/tasks/import", receive=receive)
        with pytest.raises(NotStored, match="only 1 of 51 changes were stored"):
            await Durable(journal, routes.import_tasks)(request)
        assert [task.title for task in store.snapshot()] == ["kept"]


# On a real disk.


async def test_a_full_disk_answers_503_and_reads_go_on_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Database] = []

    class Remembered(Database):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            opened.append(self)

    monkeypatch.setattr("taskflow.app.Database", Remembered)
    path = tmp_path / "tasks.db"
    large = {"title": "x", "description": "x" * 10_000}
    async with new_client(_settings(path)) as client:
        created = await client.created(title="before", dependencies=[])
        child = await client.created(title="child", dependencies=[created["id"]])
        run = opened[0]._connection.execute
        pages = run("PRAGMA page_count").fetchone()[0]
        run(f"PRAGMA max_page_count = {pages}")

        response = await client.ask("POST", "/tasks", large)
        assert (response.status, code_of(response)) == (503, "SERVICE_UNAVAILABLE")
        assert error_of(response) == "the disk does not take changes now; nothing was stored"
        assert await client.shown("/tasks") == [created, child]
        await until_ready(client)
        response = await client.ask("PATCH", f"/tasks/{child['id']}", large)
        assert response.status == 503
        assert await client.shown(f"/tasks/{child['id']}") == child
        await until_ready(client)
        lines = b'{"title":"x"}\n' * 150 + b'{"title":"x","description":"%s"}\n' % (b"x" * 9_000)
        response = await client.ask(
            "POST", "/tasks/import", body=lines, content_type="application/x-ndjson"
        )
        assert response.status == 503
        kept = await client.shown("/tasks")
        assert details_of(response) == {"stored": len(kept) - 2}

        await until_ready(client)
        run(f"PRAGMA max_page_count = {pages + 1_000}")
        kept.append(await client.created(**large))
        assert (await client.ask("DELETE", f"/tasks/{created['id']}")).status == 204
        kept = await client.shown("/tasks")
    async with new_client(_settings(path)) as client:
        assert await client.shown("/tasks") == kept


async def until_ready(client: Client) -> None:
    """Return when the server takes changes."""
    async with asyncio.timeout(PATIENCE):
        while (await client.ask("GET", "/ready")).status != 200:  # noqa: ASYNC110  it is polled
            await asyncio.sleep(0)


def _settings(path: Path) -> Settings:
    return replace(SETTINGS, data=str(path))


def test_in_memory_there_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use() -> None:
        async with new_client() as client:
            await client.created()

    monkeypatch.chdir(tmp_path)
    asyncio.run(use())
    assert list(tmp_path.iterdir()) == []


async def test_the_file_is_let_go_of_when_it_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    with closing(Database(path)) as database:
        database._connection.execute("INSERT INTO tasks VALUES (1, x'00')")
    for _ in range(2):  # the second would find it in use
        with pytest.raises(Exception, match="is damaged"):
            async with new_client(_settings(path)):
                pass


# Any operations, on a disk that fails now and then.

INDEX = st.integers(0, 7)
STATUSES = st.sampled_from(Status)
OPERATIONS = st.one_of(
    st.tuples(st.just("create"), st.integers(-2, 2), st.lists(INDEX, max_size=2)),
    st.tuples(st.just("depend"), INDEX, st.lists(INDEX, max_size=2)),
    st.tuples(st.just("update"), INDEX, st.integers(-2, 2), STATUSES),
    st.tuples(st.just("delete"), INDEX),
    st.tuples(st.just("claim")),
    st.tuples(st.just("turn"), st.integers(1, 20)),
    st.tuples(st.just("settle")),
    st.tuples(st.just("fail"), st.sampled_from([1, 2, 5, 20, 50, 100])),
    st.tuples(st.just("heal")),
)


def act(store: Store, operation: tuple[Any, ...]) -> None:
    """Change the store, or be refused; the numbers stand for tasks, in order of creation."""
    tasks = store.snapshot()

    def ids(indexes: Sequence[int]) -> tuple[str, ...]:
        found = dict.fromkeys(tasks[index % len(tasks)].id for index in indexes if tasks)
        return tuple(found)

    match operation:
        case "create", priority, indexes:
            store.create({"title": "x", "priority": priority, "dependencies": ids(indexes)})
        case "claim", *_:
            store.claim()
        case _ if not tasks:
            pass
        case "depend", index, indexes:
            with suppress(CycleDetected):
                store.update(ids([index])[0], {"dependencies": ids(indexes)})
        case "update", index, priority, status:
            store.update(ids([index])[0], {"priority": priority, "status": status})
        case "delete", index:
            store.delete(ids([index])[0])


class Failing(Database):
    """A file whose writes fail when a test says so, at one of many places."""

    steps = 0  # of SQLite's machine that a statement may take; 0 lets it take all that it needs

    def write(self, changes: Sequence[Change]) -> None:
        # Not amid a write: a COMMIT that met this there would be made, and called failed.
        self._connection.set_progress_handler((lambda: 1) if self.steps else None, self.steps)
        try:
            super().write(changes)
        finally:
            self._connection.set_progress_handler(None, 0)


async def play(database: Failing, operations: Sequence[tuple[Any, ...]]) -> None:
    """Do all operations; whenever all is settled, memory and disk must be what was promised."""
    database._connection.execute("PRAGMA synchronous = OFF")  # only for the speed of this test
    async with journaled(database) as (store, journal):
        promised = shape(store)
        writers: list[asyncio.Task[list[Any]]] = []

        async def write(operation: tuple[Any, ...]) -> list[Any]:
            act(store, operation)
            seen = shape(store)
            await journal.committed()
            return seen

        async def settle() -> None:
            nonlocal promised
            for outcome in await asyncio.gather(*writers, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    assert isinstance(outcome, NotStored)
                else:
                    promised = outcome
            writers.clear()
            database.steps = 0
            assert shape(store) == promised
            assert [(task, task.json) for task in database.load()] == promised

        for operation in operations:
            match operation:
                case "turn", turns:
                    for _ in range(turns):
                        await asyncio.sleep(0)
                case "settle", *_:
                    await settle()
                case "fail", steps:
                    database.steps = steps
                case "heal", *_:
                    database.steps = 0
                case _:
                    writers.append(asyncio.create_task(write(operation)))
        await settle()


@given(operations=st.lists(OPERATIONS, max_size=40))
def test_memory_is_what_the_disk_is_whatever_fails(
    operations: Sequence[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("play") / "tasks.db"
    with closing(Failing(path)) as database:
        asyncio.run(play(database, operations))
        before = database.load()
    with closing(Database(path)) as database:
        store = Store()
        recover(store, database)
    assert store.snapshot() == before
