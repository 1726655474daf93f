"""Logs: one JSON object a line for programs, one coloured line for people at a terminal.

There are two kinds, for they cost differently. The little that the program has to tell of itself
goes through `logging`. An access line comes with every request, and through `logging` it would
cost more than the handler does (the guide measures it). So access lines are kept ready in a
bounded list and written together; what finds the list full is counted and dropped, since a log
must never hold up what it is a log of. No line has a token in it.
"""

import asyncio
import logging
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from json.encoder import encode_basestring_ascii
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from typing import IO

from taskflow.codec import encode, new_id, utc_now
from taskflow.events import current_request
from taskflow.http import Handler, Request, Response
from taskflow.memory import History

FLUSH_SECONDS = 0.2
STOP_SECONDS = 1.0  # how long a write may take when the server stops
MAX_LINES = 10_000  # that wait to be written

GOOD_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
COLOURS = ("", "\033[36m", "\033[32m", "\033[36m", "\033[33m", "\033[31m")  # by the hundred


class JsonFormatter(logging.Formatter):
    """Formats a record of `logging` as one line of JSON, its traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry = {"time": utc_now(), "level": record.levelname.lower(), "logger": record.name}
        entry["message"] = record.getMessage()
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return encode(entry).decode()


class AccessLog:
    """The access lines of a server, on their way to a stream."""

    def __init__(self, stream: IO[bytes]) -> None:
        # Without a buffer: a buffer has a lock, and a stuck writer would keep it at the end.
        self._stream = stream
        self._ready: SimpleQueue[str] = SimpleQueue()
        self._lines: list[str] = []
        self._dropped = 0
        self._format = _for_people if stream.isatty() else _for_programs

    def add(self, request: Request, response: Response, sent: int, seconds: float) -> None:
        """Keep a line about an answer for the next flush. O(1), and never waits."""
        if len(self._lines) < MAX_LINES:
            self._lines.append(self._format(request, response, sent, seconds * 1000))
        else:
            self._dropped += 1

    def take(self) -> str:
        """Take out what is ready, and a word about what was dropped."""
        if self._dropped:
            entry = {"time": utc_now(), "level": "warning", "droppedAccessLines": self._dropped}
            self._lines.append(encode(entry).decode() + "\n")
        text = "".join(self._lines)
        self._lines, self._dropped = [], 0
        return text

    def write(self) -> None:
        """Write what is handed over, one text after the other, until an empty one."""
        while text := self._ready.get():
            rest = text.encode()
            with suppress(OSError):  # nobody reads the log any more: the server goes on
                while rest:  # a raw stream may take some; None is a full one that does not wait
                    rest = rest[self._stream.write(rest) or len(rest) :]

    async def run(self) -> None:
        """Hand over what is ready, again and again, to a thread: a full pipe may hold that, not us.

        While the thread is held, nothing more is handed over, and the list fills up.
        """
        writer = Thread(target=self.write, daemon=True)
        writer.start()
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                if self._lines and self._ready.empty():
                    self._ready.put(self.take())
        finally:
            self._ready.put(self.take())
            self._ready.put("")
            writer.join(STOP_SECONDS)


def _for_programs(request: Request, response: Response, sent: int, milliseconds: float) -> str:
    return (
        f'{{"time":"{utc_now()}","level":"info","requestId":"{request.context["id"]}",'
        f'"method":"{request.method}","path":{encode_basestring_ascii(request.path)},'
        f'"status":{response.status},"bytes":{sent},"ms":{milliseconds:.2f}}}\n'
    )


def _for_people(request: Request, response: Response, sent: int, milliseconds: float) -> str:
    colour = COLOURS[response.status // 100]
    return (
        f"{utc_now()[11:]} {colour}{response.status}\033[0m {request.method:6} "
        f"{encode_basestring_ascii(request.path)[1:-1]} {sent} B {milliseconds:.2f} ms\n"
    )


@dataclass(frozen=True, slots=True)
class RequestLog:
    """The outermost link: gives each request an id, and the log a line about each answer."""

    log: AccessLog
    history: History
    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Answer with the id in a header, the client's own if it is a good one."""
        started = perf_counter()
        request_id = request.headers.get("x-request-id")
        if request_id is None or not GOOD_ID.fullmatch(request_id):
            request_id = new_id()
        request.context["id"] = request_id
        current_request.set(request_id)
        request.on_answered = partial(self._note, started)
        response = await self.next(request)
        response.headers["X-Request-Id"] = request_id
        return response

    def _note(self, started: float, request: Request, response: Response, sent: int) -> None:
        self.log.add(request, response, sent, perf_counter() - started)
        self.history.answered(request, response)


def set_up_logging() -> None:
    """Send records to standard error: as JSON, or readable if that is a terminal."""
    handler = logging.StreamHandler()
    if not handler.stream.isatty():
        handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("websockets").setLevel(logging.WARNING)  # else a line for each connection
