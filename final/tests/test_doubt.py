"""Commits that may come back: what the writers, the readers and the listeners learn of them."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO

import pytest
from over_socket import Serving, message, serving, until
from over_websocket import FakeTransport, messages_of
from test_journal import FULL, Disk, journaled

from taskflow.app import Parts, connect
from taskflow.database import CommitInDoubt
from taskflow.errors import ServiceUnavailable
from taskflow.http import Request, Response
from taskflow.hub import Hub
from taskflow.journal import Journal, NotStored, OutcomeUnknown
from taskflow.logs import AccessEntry, LogWriter
from taskflow.middleware import Durable, ErrorBoundary, RequestLog
from taskflow.routes import TaskRoutes
from taskflow.store import Store
from taskflow.websocket import WebSocket

IN_DOUBT = CommitInDoubt("disk I/O error")
IO_ERROR = sqlite3.OperationalError("disk I/O error")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskflow.journal.RETRY_SECONDS", 0)


def never_overwritten(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Return a disk whose commits are in doubt for good, until its `file_error` is cleared."""
    monkeypatch.setattr("taskflow.journal.MAX_DOUBT_SECONDS", 0)
    disk = Disk()
    disk.errors = [IN_DOUBT]
    disk.file_error = IO_ERROR
    return disk


def creating(store: Store, journal: Journal) -> "asyncio.Task[None]":
    """Return an asyncio task that creates a task, as a request does."""

    async def create() -> None:
        journal.begin()
        store.create({"title": "x"})
        await journal.committed()

    return asyncio.create_task(create())


async def test_a_commit_in_doubt_is_undone_at_once_and_refused_when_it_is_overwritten() -> None:
    disk = Disk()
    disk.errors = [IN_DOUBT]
    disk.file_error = IO_ERROR
    async with journaled(disk) as (store, journal):
        writer = creating(store, journal)
        await until(lambda: journal.refusal)
        await until(lambda: len(store) == 0)
        assert not writer.done()

        disk.file_error = None
        with pytest.raises(NotStored, match="nothing was stored"):
            await writer
        store.create({"title": "again"})
        await journal.committed()
    assert len(store) == 1


async def test_new_changes_do_not_begin_until_the_disk_takes_a_transaction() -> None:
    disk = Disk()
    disk.errors = [FULL]
    disk.file_error = FULL
    async with journaled(disk) as (store, journal):
        store.create({"title": "x"})
        with pytest.raises(NotStored):
            await journal.committed()
        with pytest.raises(ServiceUnavailable, match=r"is full\); nothing was changed"):
            journal.begin()

        disk.file_error = None
        await until(lambda: not journal.refusal)
        journal.begin()


async def test_a_request_that_began_before_the_failure_is_refused_after_it() -> None:
    disk = Disk()
    disk.errors = [IN_DOUBT]
    disk.file_error = IO_ERROR
    async with journaled(disk) as (store, journal):
        writer = creating(store, journal)
        await until(lambda: journal.refusal)
        store.create({"title": "began earlier"})
        with pytest.raises(NotStored):
            await journal.committed()
        assert len(store) == 0
        assert not writer.done()
        disk.file_error = None
        with pytest.raises(NotStored):
            await writer
    assert disk.sizes == [1]


async def test_writers_of_a_commit_that_stays_in_doubt_get_no_response(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = never_overwritten(monkeypatch)
    async with answering(disk) as (served, journal, entries):
        wire = await served.connect()
        await wire.send(message("POST", "/tasks"))
        assert await wire.rest() == b""
        await until(lambda: entries)
        assert [(entry.method, entry.status, entry.sent) for entry in entries] == [("POST", 444, 0)]

        wire = await served.connect()
        await wire.send(message("POST", "/tasks"))
        assert (await wire.answer()).status == 503
        disk.file_error = None
        await until(lambda: not journal.refusal)
        await wire.send(message("POST", "/tasks"))
        assert (await wire.answer()).status == 201


async def test_an_import_of_which_a_part_is_in_doubt_gets_no_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = never_overwritten(monkeypatch)
    async with journaled(disk) as (store, journal):
        pieces = [b'{"title":"in doubt"}\n' * 50, b'{"title":"refused"}\n' * 60, b""]

        async def receive() -> bytes:
            if len(pieces) == 2:
                await until(lambda: journal.refusal)
            return pieces.pop(0)

        routes = TaskRoutes(store, journal.committed)
        request = Request("POST", "/tasks/import", receive=receive)
        with pytest.raises(OutcomeUnknown):
            await Durable(journal, routes.import_tasks)(request)
        assert len(store) == 0


async def test_a_stop_does_not_wait_for_a_disk_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = never_overwritten(monkeypatch)
    async with journaled(disk) as (store, journal):
        writer = creating(store, journal)
        await until(lambda: journal.refusal)
    with pytest.raises(OutcomeUnknown):
        await writer


async def test_files_that_are_gone_are_noticed_while_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("taskflow.journal.LOOK_SECONDS", 0)
    disk = Disk()
    async with journaled(disk) as (_, journal):
        disk.file_error = sqlite3.OperationalError("tasks.db was deleted")
        await until(lambda: journal.refusal)
        assert "tasks.db was deleted" in journal.refusal
        disk.file_error = None
        await until(lambda: not journal.refusal)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


# Readers.


class Listener(WebSocket):
    """A client of the hub that keeps what it is sent."""

    def __init__(self) -> None:
        self._transport = FakeTransport()
        self.taken = bytearray()

    def send(self, frame: bytes) -> bool:
        self.taken += frame
        return True

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in messages_of(self.taken)]


async def test_clients_learn_that_a_change_which_they_may_have_read_was_taken_back() -> None:
    disk = Disk()
    async with wired(disk) as (parts, journal):
        kept = parts.store.create({"title": "kept"})
        await journal.committed()
        client = joined(parts.hub, "reports")
        disk.hold()
        disk.errors = [FULL]
        phantom = parts.store.create({"title": "phantom"})
        await until(lambda: len(disk.batches) == 2)
        assert parts.store.get(phantom.id) is phantom

        disk.free()
        with pytest.raises(NotStored):
            await journal.committed()

        gap = messages_of(client.taken)[-1]
        assert gap["type"] == "history.gap"
        assert (gap["epoch"], gap["seq"]) == (parts.events.epoch, parts.events.seq)
        assert parts.store.snapshot() == [kept]
        assert client.types.count("history.gap") == 1


async def test_a_client_that_was_away_when_a_change_was_taken_back_learns_of_it() -> None:
    disk = Disk()
    async with wired(disk) as (parts, journal):
        place = {"since": parts.events.seq, "epoch": parts.events.epoch}
        disk.errors = [FULL]
        parts.store.create({"title": "phantom"})
        with pytest.raises(NotStored):
            await journal.committed()

        client = joined(parts.hub, "tasks")
        again = {"type": "subscribe", "rooms": ["tasks"], **place}
        parts.hub.received(client, json.dumps(again))
        assert client.types[-1] == "history.gap"

        await until(lambda: not journal.refusal)
        place["since"] = parts.events.seq
        parts.store.create({"title": "stored"})
        await journal.committed()
        parts.hub.received(client, json.dumps({**again, **place}))
        assert [message["type"] for message in messages_of(client.taken)[-2:]] == [
            "subscription.confirmed",
            "task.created",
        ]


async def test_a_commit_that_succeeds_makes_no_gap() -> None:
    async with wired(Disk()) as (parts, journal):
        client = joined(parts.hub, "tasks")
        parts.store.create({"title": "x"})
        await journal.committed()
        assert client.types == ["connection.ready", "subscription.confirmed", "task.created"]


@asynccontextmanager
async def wired(disk: Disk) -> AsyncIterator[tuple[Parts, Journal]]:
    """Give the parts of an application, wired as it wires them, on this disk."""
    parts = Parts(LogWriter(BytesIO()))
    journal = Journal(parts.store, disk)
    connect(parts, journal)
    async with journal.running():
        try:
            yield parts, journal
        finally:
            disk.free()


def joined(hub: Hub, room: str) -> Listener:
    """Return a client in this room."""
    client = Listener()
    hub.join(client)
    hub.received(client, json.dumps({"type": "subscribe", "rooms": [room]}))
    return client


# Clients that leave.


@asynccontextmanager
async def answering(disk: Disk) -> AsyncIterator[tuple[Serving, Journal, list[AccessEntry]]]:
    """Serve a handler that creates a task, and give what the access log is given."""
    entries: list[AccessEntry] = []
    async with journaled(disk) as (store, journal):

        async def create(request: Request) -> Response:
            store.create({"title": "x"})
            return Response(201)

        app = RequestLog([entries.append], ErrorBoundary(Durable(journal, create)))
        async with serving(app) as served:
            yield served, journal, entries


async def test_a_client_that_leaves_before_its_commit_gets_an_access_line() -> None:
    disk = Disk()
    async with answering(disk) as (served, journal, entries):
        disk.hold()
        wire = await served.connect()
        await wire.send(message("POST", "/tasks"))
        await until(lambda: disk.batches)
        assert entries == []

        wire.reset()
        await until(lambda: entries)

        assert [(entry.method, entry.status, entry.sent) for entry in entries] == [("POST", 499, 0)]
        disk.free()
        await journal.committed()
    assert disk.sizes == [1]
