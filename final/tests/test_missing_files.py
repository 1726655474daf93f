"""The files of the database: deleted, moved or replaced while a server uses them."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from as_process import Running, refused, running

from taskflow.database import Database
from taskflow.tasks import Change, Task, new_task


def until_ready_is(server: Running, status: int) -> str:
    """Return the body of `/ready` when it has this status."""
    while True:
        answer, body = server.ask("GET", "/ready")
        if answer == status:
            return body.decode()


def move_away(folder: Path) -> None:
    (folder / "taskflow.db").rename(folder / "moved.db")


def replace(folder: Path) -> None:
    """Put an older copy in the place of the database, as someone who restores a backup does."""
    with closing(Database(folder / "older.db")) as older:
        older.write([Change(None, new_task(1, {"title": "older"}))])
    (folder / "older.db").rename(folder / "taskflow.db")


def delete(folder: Path) -> None:
    (folder / "taskflow.db").unlink()


@pytest.mark.parametrize("harm", [delete, move_away, replace])
def test_a_data_file_that_is_gone_is_noticed_and_no_change_is_taken(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    with running(tmp_path) as server:
        assert server.ask("POST", "/tasks", {"title": "acknowledged"})[0] == 201
        harm(tmp_path)

        status, body = server.ask("POST", "/tasks", {"title": "refused"})
        assert status == 503, body
        assert "taskflow.db was deleted, moved or replaced" in until_ready_is(server, 503)
        assert [task["title"] for task in server.shown("/tasks")] == ["acknowledged"]
    assert server.log.read_text().count("was deleted, moved or replaced") == 1


@pytest.mark.parametrize("name", ["taskflow.db", "taskflow.db-wal"])
def test_a_file_that_is_cut_off_is_noticed_and_no_change_is_taken(
    tmp_path: Path, name: str
) -> None:
    with running(tmp_path) as server:
        for title in "ab":
            assert server.ask("POST", "/tasks", {"title": title})[0] == 201
        os.truncate(tmp_path / name, 0)

        assert server.ask("POST", "/tasks", {"title": "refused"})[0] == 503
        assert f"{name} was cut off" in until_ready_is(server, 503)
        assert [task["title"] for task in server.shown("/tasks")] == ["a", "b"]


def test_a_data_file_that_is_gone_is_noticed_without_a_write(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        until_ready_is(server, 200)
        move_away(tmp_path)
        until_ready_is(server, 503)
        (tmp_path / "moved.db").rename(tmp_path / "taskflow.db")
        until_ready_is(server, 200)
        assert server.ask("POST", "/tasks", {"title": "x"})[0] == 201


def test_a_file_that_replaced_the_data_file_is_left_as_it_is(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.ask("POST", "/tasks", {"title": "acknowledged"})[0] == 201
        replace(tmp_path)
        until_ready_is(server, 503)
        before = (tmp_path / "taskflow.db").read_bytes()
    assert (tmp_path / "taskflow.db").read_bytes() == before


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_wal_that_is_gone_is_noticed_and_what_it_held_is_saved(
    tmp_path: Path, ending: signal.Signals
) -> None:
    with running(tmp_path) as server:
        assert server.ask("POST", "/tasks", {"title": "acknowledged"})[0] == 201
        (tmp_path / "taskflow.db-wal").unlink()
        assert server.ask("POST", "/tasks", {"title": "refused"})[0] == 503
        assert "taskflow.db-wal was deleted" in until_ready_is(server, 503)
        server.end(ending)
    with running(tmp_path) as server:
        assert [task["title"] for task in server.shown("/tasks")] == ["acknowledged"]


# At the start.


@pytest.mark.parametrize("is_missing", [True, False])
def test_a_wal_that_is_missing_after_a_kill_is_reported(tmp_path: Path, is_missing: bool) -> None:
    with running(tmp_path) as server:
        assert server.ask("POST", "/tasks", {"title": "x"})[0] == 201
        server.end(signal.SIGKILL)
    if is_missing:
        (tmp_path / "taskflow.db-wal").unlink()
    server.log.unlink()
    with running(tmp_path) as server:
        tasks = server.shown("/tasks")
    log = server.log.read_text()
    assert ("taskflow.db-wal is missing: changes may be lost" in log) == is_missing
    assert len(tasks) == (0 if is_missing else 1)


def test_a_copy_of_a_data_file_in_use_is_reported_if_its_wal_was_left_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "tasks.db"
    copy = tmp_path / "copy.db"
    with closing(Database(path)) as database:
        database.write([Change(None, new_task(1, {"title": "x"}))])
        copy.write_bytes(path.read_bytes())
    Database(copy).close()
    assert "copy.db-wal is missing" in caplog.text


def test_nothing_is_reported_about_a_file_that_was_closed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "tasks.db"
    for number in range(1, 4):
        with closing(Database(path)) as database:
            database.load()
            database.begin()
            database.write([Change(None, new_task(number, {"title": "x"}))])
    assert caplog.records == []
    assert len(stored(path)) == 3


def stored(path: Path) -> list[Task]:
    """Return the tasks in a file."""
    with closing(Database(path)) as database:
        return database.load()


# Other programs.

READER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
connection.execute(sys.argv[2])
print(connection.execute(sys.argv[3]).fetchone())
print("has it", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    "statement", ["SELECT count(*) FROM tasks", "DELETE FROM tasks", "PRAGMA wal_checkpoint"]
)
def test_another_program_neither_reads_nor_writes_the_file_of_a_server(
    tmp_path: Path, statement: str
) -> None:
    """So no reader that stays for long lets the WAL grow."""
    with running(tmp_path) as server:
        assert server.ask("POST", "/tasks", {"title": "x"})[0] == 201
        arguments = [str(tmp_path / "taskflow.db"), "BEGIN", statement]
        done = subprocess.run(
            [sys.executable, "-c", READER, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert "database is locked" in done.stderr
        assert server.ask("POST", "/tasks", {"title": "y"})[0] == 201
        assert len(server.shown("/tasks")) == 2


@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_file_that_another_program_reads_or_writes_is_refused(tmp_path: Path, begin: str) -> None:
    with running(tmp_path) as server:
        assert server.ask("POST", "/tasks", {"title": "x"})[0] == 201
    path = str(tmp_path / "taskflow.db")
    words = [sys.executable, "-c", READER, path, begin, "SELECT count(*) FROM tasks"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert [other.stdout.readline(), other.stdout.readline()] == ["(1,)\n", "has it\n"]
        line = refused(tmp_path)
        assert line == "cannot use taskflow.db: another program is using it"
        other.communicate()
    with running(tmp_path) as server:
        assert len(server.shown("/tasks")) == 1


def test_the_wal_stays_small_however_many_changes_it_has_taken(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    with closing(Database(path)) as database:
        database.begin()
        run = database._connection.execute
        run("PRAGMA synchronous = OFF")  # only for the speed of this test
        for number in range(1, 3_000):
            database.write([Change(None, new_task(number, {"title": "x" * 200}))])
        size = path.with_name("tasks.db-wal").stat().st_size
    assert size < 8 * 1024 * 1024
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM tasks").fetchone() == (2_999,)
