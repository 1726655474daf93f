"""Readiness: whether changes are taken, for a load balancer to ask."""

import json
import sqlite3

import pytest
from in_process import Client, new_client
from over_socket import until
from test_journal import FULL, Disk, journaled

from taskflow.errors import ServiceUnavailable
from taskflow.http import Request
from taskflow.journal import NotStored
from taskflow.readiness import Readiness


async def test_in_memory_it_is_always_ready_and_asks_for_no_token() -> None:
    async with new_client() as client:
        stranger = Client(client.app, token="")
        response = await stranger.ask("GET", "/ready")
    assert (response.status, json.loads(response.body)) == (200, {"status": "ready"})


async def test_it_is_not_ready_while_the_journal_fails() -> None:
    disk = Disk()
    disk.errors = [FULL]
    disk.file_error = FULL
    async with journaled(disk) as (store, journal):
        readiness = Readiness()
        readiness.journal = journal
        assert (await readiness.show(Request("GET"))).status == 200
        store.create({"title": "x"})
        with pytest.raises(NotStored):
            await journal.committed()

        with pytest.raises(ServiceUnavailable, match="database or disk is full"):
            await readiness.show(Request("GET"))

        disk.file_error = None
        await until(lambda: not journal.refusal)
        assert (await readiness.show(Request("GET"))).status == 200


async def test_the_reason_says_nothing_of_a_bug() -> None:
    disk = Disk()
    disk.errors = [ZeroDivisionError("a secret")]
    disk.file_error = sqlite3.OperationalError("disk I/O error")
    async with journaled(disk) as (store, journal):
        store.create({"title": "x"})
        with pytest.raises(NotStored):
            await journal.committed()
        assert "a secret" not in journal.refusal
        disk.file_error = None


async def test_it_is_not_ready_while_too_many_changes_wait_for_the_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("taskflow.journal.MAX_PENDING", 1)
    disk = Disk()
    async with journaled(disk) as (store, journal):
        readiness = Readiness()
        readiness.journal = journal
        disk.hold()
        store.create({"title": "begun"})
        await until(lambda: disk.batches)
        store.create({"title": "waits"})
        with pytest.raises(ServiceUnavailable, match="too many changes"):
            await readiness.show(Request("GET"))


async def test_it_is_not_ready_while_the_server_stops() -> None:
    readiness = Readiness()
    readiness.stop()
    with pytest.raises(ServiceUnavailable, match="the server stops"):
        await readiness.show(Request("GET"))
