"""The database: what it keeps, and how it refuses a file that is not as it should be."""

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from taskflow.config import CannotStart
from taskflow.database import APPLICATION_ID, SCHEMA, Database
from taskflow.store import Store
from taskflow.tasks import Change, Status, Task, changed, new_task

NOBODY = 65534


def some_tasks(count: int) -> list[Task]:
    return [new_task(number, {"title": f"title {number}"}) for number in range(1, count + 1)]


def create(path: Path, tasks: list[Task]) -> None:
    """Make a database with these tasks."""
    with closing(Database(path)) as database:
        database.write([Change(None, task) for task in tasks])


def stored(path: Path) -> list[Task]:
    with closing(Database(path)) as database:
        tasks = database.load()
        database.begin()
        return tasks


def refusal(path: Path) -> str:
    """Return why the file is not taken; it is one line, and the file stays as it was."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(CannotStart) as caught:
        stored(path)
    assert (path.read_bytes() if path.is_file() else None) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tasks.db"


# What it keeps.


def test_a_new_file_has_no_tasks(path: Path) -> None:
    assert stored(path) == []
    assert stored(path) == []


def test_tasks_come_back_whole_and_in_order_of_creation(path: Path) -> None:
    first, second, third = some_tasks(3)
    second = changed(second, {"title": 'ü "\\ \u2028 𝄞', "priority": -5, "description": "a\nb"})
    first = changed(first, {"dependencies": (third.id, second.id), "status": Status.COMPLETED})
    create(path, [third, first, second])

    tasks = stored(path)

    assert tasks == [first, second, third]
    assert [task.json for task in tasks] == [first.json, second.json, third.json]


def test_the_last_of_many_changes_counts(path: Path) -> None:
    first, second, third = some_tasks(3)
    create(path, [first, second])
    again, once_more = changed(first, {"title": "again"}), changed(first, {"title": "once more"})
    with closing(Database(path)) as database:
        changes = [Change(first, again), Change(again, once_more), Change(second, None)]
        database.write([*changes, Change(None, third), Change(third, None)])

    assert stored(path) == [once_more]


def test_what_fails_midway_is_not_stored_at_all(path: Path) -> None:
    tasks = some_tasks(500)
    with closing(Database(path)) as database:
        database.write([Change(None, tasks[0])])
        database._connection.set_progress_handler(lambda: 1, 200)
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            database.write([Change(tasks[0], None), *(Change(None, task) for task in tasks[1:])])
        database._connection.set_progress_handler(None, 0)

        assert database.load() == tasks[:1]
        database.write([Change(tasks[0], None), Change(None, tasks[1])])
    assert stored(path) == [tasks[1]]


def test_every_commit_is_on_the_disk_before_it_returns(path: Path) -> None:
    with closing(Database(path)) as database:
        database.begin()
        run = database._connection.execute
        assert run("PRAGMA journal_mode").fetchone() == ("wal",)
        assert run("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert run("PRAGMA fullfsync").fetchone() == (1,)
        assert run("PRAGMA locking_mode").fetchone() == ("exclusive",)


def test_what_stands_in_the_wal_when_the_process_is_killed_comes_back(
    path: Path, tmp_path: Path
) -> None:
    (tmp_path / "copy").mkdir()
    copy = tmp_path / "copy" / "tasks.db"
    tasks = some_tasks(3)
    with closing(Database(path)) as database:
        database.write([Change(None, task) for task in tasks])
        for file in tmp_path.glob("tasks.db*"):  # as a kill leaves them
            shutil.copy(file, copy.with_name(file.name))
    wal = copy.with_name("tasks.db-wal")
    assert wal.stat().st_size > 0

    assert stored(copy) == tasks
    assert not wal.exists()


def test_a_half_written_commit_in_the_wal_is_left_out_whole(path: Path, tmp_path: Path) -> None:
    """Cut the WAL anywhere, as a kill in the middle of a write may."""
    (tmp_path / "copy").mkdir()
    copy = tmp_path / "copy" / "tasks.db"
    first, *others = some_tasks(200)
    with closing(Database(path)) as database:
        database.write([Change(None, first)])
        size = path.with_name("tasks.db-wal").stat().st_size
        database.write([Change(None, task) for task in others])
        wal = path.with_name("tasks.db-wal").read_bytes()
        for cut in range(size, len(wal), 1_000):
            shutil.copy(path, copy)
            copy.with_name("tasks.db-wal").write_bytes(wal[:cut])
            assert stored(copy) == [first]


@pytest.mark.parametrize("name", ["with a space ü.db", "file:odd?mode=ro", "a'b%20.db"])
def test_a_path_may_have_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    tasks = some_tasks(1)
    create(Path(name), tasks)
    assert stored(tmp_path / name) == tasks
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_link_leads_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    there, link = tmp_path / "there" / "tasks.db", tmp_path / "link.db"
    link.symlink_to(there)
    tasks = some_tasks(1)
    create(link, tasks)

    assert link.is_symlink()
    assert stored(there) == tasks
    with closing(Database(link)):
        assert "another program" in refusal(there)


def test_a_store_that_is_loaded_is_what_it_was(path: Path) -> None:
    before, after = Store(), Store()
    first, second, third = [before.create({"title": title, "priority": 5}) for title in "abc"]
    before.update(first.id, {"dependencies": (third.id,)})  # which has a later number
    before.update(second.id, {"priority": 1})
    before.update(second.id, {"priority": 5})
    create(path, before.snapshot())

    after.load(stored(path))

    assert after.snapshot() == before.snapshot()
    assert after.create({"title": "d", "priority": 5}).number == third.number + 1
    claimed = [after.claim() for _ in range(3)]
    assert [task and task.title for task in claimed] == ["b", "c", "d"]
    after.update(third.id, {"status": Status.COMPLETED})
    following = after.claim()
    assert following is not None
    assert following.id == first.id


# What it refuses.


def test_a_file_in_use_is_refused(path: Path) -> None:
    tasks = some_tasks(1)
    create(path, tasks)
    with closing(Database(path)):
        assert refusal(path) == f"cannot use {path}: another program is using it"
    assert stored(path) == tasks


def test_a_new_file_in_use_is_refused(path: Path) -> None:
    with closing(Database(path)):
        assert "another program" in refusal(path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "not there" / "tasks.db"
    assert refusal(path) == f"cannot use {path}: No such file or directory"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"cannot use {tmp_path}: Is a directory"


@contextmanager
def without_rights() -> Iterator[Path]:
    """Give a folder of somebody who may not do everything, and be that for the block."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = os.geteuid() == 0
        if root:
            os.chown(folder, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            folder.chmod(0o700)
            if root:
                os.seteuid(0)


needs_rights = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no rights of this kind")


@needs_rights
def test_a_file_that_must_not_be_written_is_refused() -> None:
    with without_rights() as folder:
        path = folder / "tasks.db"
        create(path, some_tasks(1))
        path.chmod(0o400)
        assert refusal(path) == f"cannot use {path}: Permission denied"


@needs_rights
def test_a_folder_that_must_not_be_written_is_refused() -> None:
    with without_rights() as folder:
        path = folder / "tasks.db"
        create(path, some_tasks(1))
        folder.chmod(0o500)
        assert refusal(path).startswith(f"cannot use {path}: its folder")
        assert "Permission denied" in refusal(folder / "new.db")


Damage = Callable[[bytes], bytes]
DAMAGES: dict[str, Damage] = {
    "no database": lambda data: b"# my notes\n" * 1_000,
    "a short text": lambda data: b"x",
    "zeros": lambda data: bytes(len(data)),
    "half of it": lambda data: data[: len(data) // 2],
    "part of the first page": lambda data: data[:1_000],
    "all but a byte": lambda data: data[:-1],
    "the header alone": lambda data: data[:100],
    "a header of nonsense": lambda data: data[:16] + b"\xff" * 50 + data[66:],
    "a page that is free and in use": lambda data: data[:32] + b"\0\0\0\3\0\0\0\1" + data[40:],
    "nonsense in the first page": lambda data: data[:100] + b"\xa5" * 3_996 + data[4_096:],
    "nonsense in the middle": lambda data: data[:30_000] + b"\xa5" * 5_000 + data[35_000:],
    "zeros in the middle": lambda data: data[:8_192] + bytes(4_096) + data[12_288:],
    "a page twice": lambda data: data[:8_192] + data[12_288:16_384] + data[12_288:],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_refused_and_left_as_it_is(path: Path, damage: Damage) -> None:
    create(path, some_tasks(500))
    path.write_bytes(damage(path.read_bytes()))
    assert refusal(path).startswith(f"{path} is damaged")


def test_a_file_that_was_emptied_beside_its_wal_is_refused(path: Path) -> None:
    wal = path.with_name("tasks.db-wal")
    wal.write_bytes(b"the last commits")
    for empty in False, True:
        if empty:
            path.write_bytes(b"")
        assert "it is empty, but" in refusal_of_empty(path)
        assert wal.read_bytes() == b"the last commits"


def refusal_of_empty(path: Path) -> str:
    with pytest.raises(CannotStart) as caught:
        Database(path)
    assert path.read_bytes() == b""
    return str(caught.value)


ROWS: dict[str, Any] = {
    "no JSON": b'{"id":',
    "no UTF-8": b'"\xff"',
    "no text": 5,
    "no object": b"[]",
    "too deep": b"[" * 100_000,
    "a key too few": b'{"id":"1"}',
    "a key too many": {"more": 1},
    "no title": {"title": 7},
    "no status": {"status": "lost"},
    "no priority": {"priority": "high"},
    "a dependency on nothing": {"dependencies": ["nothing"]},
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_a_damaged_row_is_refused(path: Path, row: Any) -> None:
    [task] = some_tasks(1)
    create(path, [task])
    data = json.dumps(json.loads(task.json) | row).encode() if isinstance(row, dict) else row
    by_hand(path, "INSERT INTO tasks VALUES (2, ?)", (data,))
    assert refusal(path).startswith(f"{path} is damaged: after ")


def test_an_id_that_is_there_twice_is_refused(path: Path) -> None:
    [task] = some_tasks(1)
    create(path, [task])
    by_hand(path, "INSERT INTO tasks SELECT 2, json FROM tasks")
    assert "two tasks have the same id" in refusal(path)


def by_hand(path: Path, *statement: Any) -> None:
    """Do something to the file that no Taskflow does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(*statement)


def test_a_task_that_an_older_version_stored_is_sent_on_one_line(path: Path) -> None:
    """Once it did not escape the characters that only some readers take for a line end."""
    title = "a\x85b\u2028c\u2029d"
    [task] = some_tasks(1)
    create(path, [task])
    old = json.dumps(json.loads(task.json) | {"title": title}, ensure_ascii=False).encode()
    by_hand(path, "UPDATE tasks SET json = ?", (old,))

    [loaded] = stored(path)

    assert loaded.title == json.loads(loaded.json)["title"] == title
    assert len(loaded.json.decode().splitlines()) == 1


def test_a_file_without_its_table_is_refused(path: Path) -> None:
    create(path, [])
    by_hand(path, "ALTER TABLE tasks RENAME TO others")
    assert "no such table: tasks" in refusal(path)


def test_a_file_of_a_newer_schema_is_refused(path: Path) -> None:
    create(path, some_tasks(1))
    by_hand(path, f"PRAGMA user_version = {SCHEMA + 1}")
    newer = f"was written by a newer Taskflow (schema {SCHEMA + 1}, this one knows {SCHEMA})"
    assert refusal(path) == f"{path} {newer}"


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_the_database_of_another_program_is_refused(path: Path, mode: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("CREATE TABLE tasks (number INTEGER PRIMARY KEY, json BLOB NOT NULL)")
        assert refusal(path) == f"{path} is a database of another program"  # also while in use
    assert refusal(path) == f"{path} is a database of another program"


def test_the_file_says_whose_it_is_though_its_first_server_was_killed(
    path: Path, tmp_path: Path
) -> None:
    with closing(Database(path)):
        header = path.read_bytes()[:100]
    assert int.from_bytes(header[68:72], "big") == APPLICATION_ID
