"""The database: one SQLite file with the tasks, each by its number in the order of creation.

What is wrong with a file is found when it is opened, and said in one line: a file that is damaged,
or not ours, is left as it is, and never taken for an empty one.

Blocks, and is used by one thread at a time. WAL with `synchronous=FULL` has every commit on the
disk before it returns, also if the power fails (https://sqlite.org/wal.html). What was committed
may still stand in the `-wal` file next to the database after a kill; opening it brings it home.
"""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from taskflow.codec import in_one_line
from taskflow.config import CannotStart
from taskflow.tasks import Change, Task, check_fields

MAGIC = b"SQLite format 3\0"  # how a database begins (https://sqlite.org/fileformat2.html, 1.3)
APPLICATION_ID = 0x5461736B  # "Task", so that no other program's file is taken for ours
SCHEMA = 1  # what this program reads and writes; kept in the file as user_version
TABLE = "CREATE TABLE tasks (number INTEGER PRIMARY KEY, json BLOB NOT NULL)"
BUSY_SECONDS = 0.2  # how long a server that stops may still hold the file


class Database:
    """The open file, which nobody else can use meanwhile."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises CannotStart with what is wrong with it."""
        self._path = path
        try:
            self._check_header()
            self._connection = sqlite3.connect(
                path.resolve(),  # a relative path may look like a URI, with options
                isolation_level=None,
                check_same_thread=False,
                timeout=BUSY_SECONDS,
            )
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise
        except OSError as error:
            raise CannotStart(f"cannot use {path}: {error.strerror}") from None
        except sqlite3.Error as error:
            raise CannotStart(_in_words(path, error)) from None

    def _check_header(self) -> None:
        """Look whether the file may be ours, before SQLite does: it would put others in order.

        Opened for appending, the file is made if there is none, and must be one we may write to.
        """
        with self._path.open("a+b") as file:
            file.seek(0)
            header = file.read(100)
        wal = Path(f"{self._path.resolve()}-wal")
        if not header and wal.exists() and wal.stat().st_size:  # SQLite would delete it
            raise CannotStart(f"{self._path} is damaged: it is empty, but {wal} is not")
        if header and not header.startswith(MAGIC):
            raise CannotStart(f"{self._path} is damaged, or no database")
        if header and int.from_bytes(header[68:72], "big") != APPLICATION_ID:
            raise CannotStart(f"{self._path} is a database of another program")

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")  # one server at a time
        run("PRAGMA synchronous = FULL")
        run("PRAGMA fullfsync = ON")  # macOS: fsync alone does not reach the disk
        run("BEGIN IMMEDIATE")  # fails here and now if another server has the file
        if not run("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            run(TABLE)
            run(f"PRAGMA application_id = {APPLICATION_ID}")
            run(f"PRAGMA user_version = {SCHEMA}")
        run("COMMIT")
        if (schema := run("PRAGMA user_version").fetchone()[0]) > SCHEMA:
            newer = f"was written by a newer Taskflow (schema {schema}, this one knows {SCHEMA})"
            raise CannotStart(f"{self._path} {newer}")
        if (found := run("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise CannotStart(f"{self._path} is damaged: {' '.join(found.split())}")
        run("PRAGMA journal_mode = WAL")  # last, so that the file itself says whose it is

    def load(self) -> list[Task]:
        """Return all tasks in order of creation. O(n). Raises CannotStart if one is damaged."""
        tasks: list[Task] = []
        try:
            rows = self._connection.execute("SELECT number, json FROM tasks ORDER BY number")
            tasks.extend(_task(number, data) for number, data in rows)
            known = {task.id for task in tasks}
            if len(known) < len(tasks):
                raise ValueError("two tasks have the same id")
            if not known.issuperset(item for task in tasks for item in task.dependencies):
                raise ValueError("a task depends on one that is not there")
        except Exception as error:  # of SQLite, or of whatever a row may hold
            what = f"after {len(tasks)} good tasks, {type(error).__name__}: {error}"
            raise CannotStart(f"{self._path} is damaged: {what}") from None
        return tasks

    def write(self, changes: Sequence[Change]) -> None:
        """Make changes in one transaction. Raises sqlite3.Error, and then has made none of them."""
        rows: dict[int, bytes | None] = {}  # the last word on each
        for change in changes:
            task = change.after or change.before
            assert task is not None
            rows[task.number] = change.after.json if change.after else None
        put = [(number, data) for number, data in rows.items() if data is not None]
        drop = [(number,) for number, data in rows.items() if data is None]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO tasks VALUES (?, ?)", put)
            self._connection.executemany("DELETE FROM tasks WHERE number = ?", drop)
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # what has failed may have been rolled back already
                self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _in_words(path: Path, error: sqlite3.Error) -> str:
    if "malformed" in str(error) or "not a database" in str(error):
        return f"{path} is damaged: {error}"
    what = str(error)
    if "locked" in what:
        what = "another server is using it"
    elif "readonly" in what:  # not the file, which has been opened for writing
        what = "its folder, where a second file would stand, cannot be written"
    return f"cannot use {path}: {what}"


def _task(number: int, data: bytes) -> Task:
    text = data.decode()
    values = json.loads(text)
    return Task(
        id=values.pop("id"),
        number=number,
        created_at=values.pop("createdAt"),
        updated_at=values.pop("updatedAt"),
        # Files of older versions may hold line ends that are escaped now.
        encoded=in_one_line(text).encode(),
        **check_fields(values, required=("title",)),  # type: ignore[arg-type]  # checked, as ever
    )
