"""Logs: one JSON object per line for programs, one coloured line for people at a terminal.

    AccessLog ──┐
                ├─► LogWriter ─► a thread ─► the sink
    logging ────┘

A log must never hold up the program that it describes, and a write to a full pipe can wait for
ever. So all lines pass through one writer: the event loop only adds them to a bounded list, and a
thread writes them. Lines that find the list full are dropped and counted. No line contains a token.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from os import devnull
from threading import Event, Lock, Thread
from typing import IO, NamedTuple

from taskflow.clock import utc_now
from taskflow.codec import encode_line
from taskflow.context import Role

# The list is written this often.
FLUSH_SECONDS = 0.2

# How long the last write may take when the server stops.
STOP_SECONDS = 1.0

# Characters that may wait to be written.
MAX_WAITING = 8 * 1024 * 1024

# The colours of a terminal, by the hundreds of a status: grey, cyan, green, cyan, yellow, red.
COLOURS = ("\033[90m", "\033[36m", "\033[32m", "\033[36m", "\033[33m", "\033[31m")


class AccessEntry(NamedTuple):
    """One request and its response, after the response has been sent."""

    id: str
    timestamp: str
    method: str
    path: str
    status: int

    # Bytes of the body.
    sent: int
    seconds: float

    # The address of the client, and what it has proved to be.
    client: str
    role: Role | None


class LogWriter:
    """Lines on their way to a sink, which a thread of its own writes: a stream that never waits.

    The sink must not be buffered: a buffer has a lock, and a thread that is stuck in a write would
    keep it when the program ends.
    """

    def __init__(self, sink: IO[bytes]) -> None:
        self.is_terminal = sink.isatty()
        self._sink = sink
        self._lock = Lock()
        self._lines: list[str] = []

        # Characters in `_lines`.
        self._waiting = 0
        self._dropped = 0
        self._stopped = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def write(self, line: str) -> None:
        """Keep a line, which must end as one, for the next flush. O(1)."""
        with self._lock:
            if self._waiting + len(line) > MAX_WAITING:
                self._dropped += 1
            else:
                self._lines.append(line)
                self._waiting += len(line)

    def flush(self) -> None:
        """Do nothing: `logging` calls this after each record, and only the thread flushes."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Write lines until the block ends, then the rest of them, within STOP_SECONDS."""
        self._thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        self.write_all()
        while not self._stopped.wait(FLUSH_SECONDS):
            self.write_all()
        self.write_all()

    def write_all(self) -> None:
        """Write the lines that wait. It may never end, so the event loop must not call it."""
        rest = memoryview(self._take().encode())
        # If the reader of the log has gone, the server continues without it.
        with suppress(OSError):
            while rest:
                # A raw stream may take a part of the bytes. None means a full one that cannot wait.
                written = self._sink.write(rest)
                rest = rest[written or len(rest) :]

    def _take(self) -> str:
        with self._lock:
            lines = self._lines
            dropped = self._dropped
            self._lines = []
            self._waiting = 0
            self._dropped = 0
        if dropped:
            notice = {"time": utc_now(), "level": "warning", "droppedLines": dropped}
            lines.append(encode_line(notice) + "\n")
        return "".join(lines)


class AccessLog:
    """A line for each request, in the form that suits the reader of the log."""

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer
        self._format = coloured_line if writer.is_terminal else json_line

    def add(self, entry: AccessEntry) -> None:
        """Write a line about one request."""
        self._writer.write(self._format(entry))


def json_line(entry: AccessEntry) -> str:
    """Return an entry for programs."""
    value = {
        "time": entry.timestamp,
        "level": "info",
        "id": entry.id,
        "method": entry.method,
        "path": entry.path,
        "status": entry.status,
        "bytes": entry.sent,
        "durationMs": round(entry.seconds * 1000, 2),
        "client": entry.client,
    }
    return encode_line(value) + "\n"


def coloured_line(entry: AccessEntry) -> str:
    """Return an entry for people. No character of the path can control their terminal."""
    colour = COLOURS[entry.status // 100]
    path = entry.path.encode("unicode_escape").decode()
    return (
        f"{entry.timestamp[11:]} {colour}{entry.status}\033[0m {entry.method:6} "
        f"{path} {entry.sent} B {entry.seconds * 1000:.2f} ms\n"
    )


class JsonFormatter(logging.Formatter):
    """Formats a record of `logging` as one line of JSON, its traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry = {"time": utc_now(), "level": record.levelname.lower(), "logger": record.name}
        entry["message"] = record.getMessage()
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return encode_line(entry)


class TerminalFormatter(logging.Formatter):
    """Formats a record of `logging` for people. No text in it can control their terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the time, the level and the message, and a line for each line of a traceback."""
        text = f"{utc_now()[11:]} {record.levelname} {super().format(record)}"
        return "\n".join(line.encode("unicode_escape").decode() for line in text.split("\n"))


def standard_error() -> IO[bytes]:
    """Return standard error without its buffer, or a sink for nothing if it is closed."""
    return FileIO(2, "w", closefd=False) if sys.stderr else FileIO(devnull, "w")


def set_up_logging(writer: LogWriter) -> None:
    """Send the records of `logging` to this writer, as JSON unless a person reads them."""
    handler = logging.StreamHandler(writer)
    handler.setFormatter(TerminalFormatter() if writer.is_terminal else JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # The library would log a line for each connection.
    logging.getLogger("websockets").setLevel(logging.WARNING)
