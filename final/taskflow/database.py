"""The database: one SQLite file with the tasks, each by its number in the order of creation.

What is wrong with a file is found when it is opened, and said in one line: a file that is damaged,
or not ours, is left as it is, and never taken for an empty one.

Blocks, and is used by one thread at a time. WAL with `synchronous=FULL` has every commit on the
disk before it returns, also if the power fails (https://sqlite.org/wal.html). What was committed
may still stand in the `-wal` file next to the database after a kill; opening it brings it home.

A file that is closed leaves WAL mode. So a file in WAL mode whose `-wal` file is missing may have
lost its last changes, and a warning reports it.
"""

import json
import logging
import os
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

# The read version in a file's header, at byte 19, of a database in WAL mode (1.3.3 there).
WAL_VERSION = 2

# Errors of a COMMIT that come before its last frame is complete, so it can never come back.
CERTAIN_ERRORS = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_BUSY})

logger = logging.getLogger(__name__)


class CommitInDoubt(sqlite3.OperationalError):
    """A commit that failed, but may be whole in the `-wal` file, and so come back after a kill."""


class FileGone(sqlite3.OperationalError):
    """A file of the database is no longer in its place, though this process can still use it."""


class Database:
    """The open file, which nobody else can use meanwhile."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises CannotStart with what is wrong with it."""
        self._path = path
        self._wal = Path(f"{path.resolve()}-wal")

        # What was last known about each file. It must stay in its place, and never shrinks.
        self._files: dict[Path, os.stat_result] = {}
        try:
            self._check_header()
            self._connection = sqlite3.connect(
                path.resolve(),  # a relative path may look like a URI, with options
                isolation_level=None,
                check_same_thread=False,
                timeout=BUSY_SECONDS,
            )
            self._files[path] = path.stat()
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
        if not header and self._wal.exists() and self._wal.stat().st_size:
            # SQLite would delete it.
            raise CannotStart(f"{self._path} is damaged: it is empty, but {self._wal} is not")
        if header and not header.startswith(MAGIC):
            raise CannotStart(f"{self._path} is damaged, or no database")
        if header and int.from_bytes(header[68:72], "big") != APPLICATION_ID:
            raise CannotStart(f"{self._path} is a database of another program")
        if header[19:20] == bytes([WAL_VERSION]) and not self._wal.exists():
            message = "%s is in WAL mode, as after a kill, but %s is missing: changes may be lost"
            logger.warning(message, self._path, self._wal.name)

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")  # one server at a time
        run("PRAGMA synchronous = FULL")
        run("PRAGMA fullfsync = ON")  # macOS: fsync alone does not reach the disk
        run("BEGIN EXCLUSIVE")  # fails here and now if another program has the file
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

    def begin(self) -> None:
        """Begin to take changes: turn the WAL on. Raises CannotStart.

        Not when the file is opened, because one that is damaged would not stay as it is.
        """
        try:
            self._turn_wal_on()
        except sqlite3.Error as error:
            raise CannotStart(_in_words(self._path, error)) from None

    def _turn_wal_on(self) -> None:
        [mode] = self._connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise sqlite3.OperationalError(f"{self._path.name} cannot be used in WAL mode")
        # The first transaction makes the file.
        self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        self._files |= {file: file.stat() for file in (self._path, self._wal)}

    def check_files(self) -> None:
        """See whether the files are still in their places and whole. Raises sqlite3.Error.

        What is written to a deleted file is gone when the process ends. What the WAL holds is
        saved here, if it alone is gone.
        """
        self._check_file(self._path)
        try:
            if self._wal in self._files:
                self._check_file(self._wal)
        except FileGone:
            self._connection.execute("PRAGMA wal_checkpoint").fetchone()
            raise

    def _check_file(self, file: Path) -> None:
        before = self._files[file]
        try:
            now = file.stat()
        except OSError:
            now = None
        if now is None or not os.path.samestat(now, before):
            raise FileGone(f"{file.name} was deleted, moved or replaced")
        if now.st_size < before.st_size:
            raise sqlite3.OperationalError(f"{file.name} was cut off")
        self._files[file] = now

    def overwrite_tail(self) -> None:
        """Overwrite what a failed commit may have left in the WAL. Raises sqlite3.Error.

        A tiny transaction, which changes nothing, takes the place of the first frame that the
        commit left. The checksum of a frame covers all frames before it, so those that follow are
        no longer valid (https://sqlite.org/fileformat2.html, 4.3).
        """
        self._prepare_write()
        self._connection.execute(f"PRAGMA user_version = {SCHEMA}")

    def _prepare_write(self) -> None:
        if self._wal not in self._files:
            self._turn_wal_on()
        self.check_files()

    def write(self, changes: Sequence[Change]) -> None:
        """Make changes in one transaction.

        Raises CommitInDoubt if they may come back after a kill, unless `overwrite_tail` succeeds
        first, and another sqlite3.Error if they cannot.
        """
        rows: dict[int, bytes | None] = {}  # the last word on each
        for change in changes:
            task = change.after or change.before
            assert task is not None
            rows[task.number] = change.after.json if change.after else None
        put = [(number, data) for number, data in rows.items() if data is not None]
        drop = [(number,) for number, data in rows.items() if data is None]
        self._prepare_write()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO tasks VALUES (?, ?)", put)
            self._connection.executemany("DELETE FROM tasks WHERE number = ?", drop)
            self._commit()
        except BaseException:
            with suppress(sqlite3.Error):  # what has failed may have been rolled back already
                self._connection.execute("ROLLBACK")
            raise

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", None)
            if code in CERTAIN_ERRORS:
                raise
            raise CommitInDoubt(str(error)) from error

    def close(self) -> None:
        """Let go of the file, with all changes in it and no WAL beside it, if that is possible."""
        with suppress(sqlite3.Error):
            # Not in a file that has been put in this one's place.
            self._check_file(self._path)
            self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()


def _in_words(path: Path, error: sqlite3.Error) -> str:
    if "malformed" in str(error) or "not a database" in str(error):
        return f"{path} is damaged: {error}"
    what = str(error)
    if "locked" in what:
        what = "another program is using it"
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
