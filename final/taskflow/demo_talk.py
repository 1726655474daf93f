"""The tour's side of the talk with a server: asks, shows, checks, and clears up behind itself.

Written on `http.client`, which knows nothing of this server: what it understands, other clients
understand too.
"""

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from taskflow.config import Tokens
from taskflow.demo_show import Screen

TIMEOUT = 15.0  # seconds; a server that needs as long for an answer hangs
PAUSE = 0.002  # seconds between two questions whether the server still answers
MANY = 10_000  # tasks; of more than that not all are fetched
NO_DEMOS = "it needs a server with --demos"
NOTHING: Mapping[str, str | None] = {}
NOBODY: Mapping[str, str | None] = {"Authorization": None}


class CannotTalk(Exception):
    """There is no server, or none that this tour can be told of."""


class NotAsTold(Exception):
    """Something is not as it was told."""

    def __init__(self, what: str, expected: object, received: object) -> None:
        super().__init__(what)
        self.what, self.expected, self.received = what, expected, received


class Skipped(Exception):
    """The rest of a concept cannot be shown here; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answers. The names of its fields are in small letters."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as a value. Raises ValueError."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Flow:
    """What came of a stream, and how much the server's memory grew on the way."""

    lines: int
    size: int  # bytes
    seconds: float
    growth: int  # bytes
    headers: dict[str, str]


class Talk:
    """The talk with one server. Users' tokens read, and the admin's changes."""

    def __init__(self, url: str, tokens: Tokens, screen: Screen) -> None:
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            parts, self._host = urlsplit(""), ""
        if parts.scheme not in ("http", "https") or not self._host:
            raise CannotTalk(f"{url!r} is no address such as http://127.0.0.1:3000")
        self.tls = ssl.create_default_context() if parts.scheme == "https" else None
        self.name = parts.netloc.rpartition("@")[2]  # as it stands in the field Host
        self.websocket_url = f"ws{parts.scheme[4:]}://{parts.netloc}/ws/tasks"
        self._tokens = tokens
        self.screen = screen
        self.skips: list[str] = []
        self.created: list[str] = []  # ids of tasks
        self.demos = self.alone = self.many = False  # look_around finds out

    def look_around(self) -> None:
        """Find out what the server has. Raises CannotTalk if it is none to show."""
        try:
            health = self.ask("GET", "/health").json
            if health["status"] != "healthy":
                raise ValueError(health)
        except (NotAsTold, LookupError, TypeError, ValueError):
            raise CannotTalk("who answers there is no Taskflow, or not well") from None
        for role, method, good in ("USER", "GET", 200), ("ADMIN", "POST", 422):
            value = None if method == "GET" else {"title": ""}  # nothing is made of that
            answer = self.quietly(method, f"/tasks?limit={MANY}", value)
            if answer.status in (401, 403):
                raise CannotTalk(f"the server refuses the token: set TASKFLOW_{role}_TOKEN")
            if answer.status != good:
                raise CannotTalk(f"{method} /tasks is answered with {answer.status}")
            if method == "GET":
                self.alone, self.many = answer.json == [], "link" in answer.headers
        self.demos = self.quietly("GET", "/demo/cpu/ping").status == 200

    # Over HTTP.

    def ask(
        self,
        method: str,
        target: str,
        value: object = None,
        wants: int | None = 200,
        headers: Mapping[str, str | None] = NOTHING,
    ) -> Answer:
        """Show a request and its answer, and return that. A header field that is None is left out.

        Raises NotAsTold if its status is another than is wanted, CannotTalk if there is none.
        """
        size = f"({len(value):,} bytes)" if isinstance(value, bytes) else None
        self.screen.request(method, target, size or value)
        answer = self.quietly(method, target, value, headers)
        self.screen.answer(answer.status, answer.reason, answer.body)
        if wants is not None and answer.status != wants:
            text = answer.body[:200].decode(errors="replace")
            raise NotAsTold(f"the status of {method} {target}", wants, f"{answer.status} {text}")
        return answer

    def quietly(
        self,
        method: str,
        target: str,
        value: object = None,
        headers: Mapping[str, str | None] = NOTHING,
    ) -> Answer:
        """Send a value as JSON, or bytes as they are; return the answer. Raises CannotTalk."""
        body = value if isinstance(value, bytes | None) else json.dumps(value).encode()
        kind = {"Content-Type": "application/json"} if body else {}
        fields = {**self.fields(method), **kind, **headers}
        sent = {name: text for name, text in fields.items() if text is not None}
        with self._answer(method, target, body, sent) as response:
            named = fields_of(response)
            return Answer(response.status, response.reason, named, response.read())

    def fields(self, method: str) -> dict[str, str]:
        """Return the header fields that say who asks: users read, and the admin changes."""
        token = self._tokens.user if method in ("GET", "HEAD") else self._tokens.admin
        return {"Authorization": f"Bearer {token}"}

    @contextmanager
    def _answer(
        self, method: str, target: str, body: bytes | None, fields: Mapping[str, str]
    ) -> Iterator[HTTPResponse]:
        connection = (
            HTTPConnection(self._host, self._port, timeout=TIMEOUT)
            if self.tls is None
            else HTTPSConnection(self._host, self._port, timeout=TIMEOUT, context=self.tls)
        )
        try:
            with closing(connection):
                # Each request has a connection to itself, so that a broken answer breaks no other.
                connection.request(method, target, body, {**fields, "Connection": "close"})
                with connection.getresponse() as response:
                    yield response
        except (OSError, HTTPException) as error:
            raise CannotTalk(f"no answer to {method} {target}: {words(error)}") from None

    def send_raw(self, sent: bytes, size: int) -> bytes:
        """Send bytes in pieces of a size; return what is answered until the server closes."""
        for line in sent.decode().split("\r\n"):
            self.screen.row("> " + line)
        try:
            address = (self._host, self._port or (80 if self.tls is None else 443))
            with socket.create_connection(address, TIMEOUT) as plain:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # pieces stay pieces
                wrapped = self.tls and self.tls.wrap_socket(plain, server_hostname=self._host)
                with wrapped or plain as connection:
                    for start in range(0, len(sent), size):
                        connection.sendall(sent[start : start + size])
                    got = b"".join(iter(lambda: connection.recv(65536), b""))
        except OSError as error:
            raise CannotTalk(f"no answer to bytes in pieces: {words(error)}") from None
        for line in (
            got.replace(b"HTTP/1.1", b"\r\nHTTP/1.1").decode(errors="replace").splitlines()[1:]
        ):
            self.screen.row("< " + line)
        return got

    def stream(self, target: str, lines: int) -> Flow:
        """Take a stream of about so many lines, and look at the server's memory midway."""
        self.screen.request("GET", target)
        began, before, midway = time.perf_counter(), self.resident(), 0
        count = size = 0
        with self._answer("GET", target, None, self.fields("GET")) as response:
            if response.status != 200:
                raise NotAsTold(f"the status of GET {target}", 200, response.status)
            while piece := response.read1(65536):
                count, size = count + piece.count(b"\n"), size + len(piece)
                if count > lines // 2 and not midway:
                    midway = self.resident()
            headers = fields_of(response)
        seconds = time.perf_counter() - began
        self.screen.answer(200, "OK", b"")
        return Flow(count, size, seconds, max(midway - before, 0), headers)

    def resident(self) -> int:
        """Return how much memory the server has, in bytes."""
        report = self.quietly("GET", "/tasks/system/memory").json
        return int(report["process"]["residentBytes"])

    def longest_wait(self, target: str) -> tuple[float, Any]:
        """Ask for something slow, and for /health all the while.

        Return the longest wait for /health in seconds, and what the slow answer says.
        """
        longest = 0.0
        with ThreadPoolExecutor(1) as other:
            slow = other.submit(self.ask, "GET", target)
            while not slow.done():
                began = time.perf_counter()
                self.quietly("GET", "/health")
                longest = max(longest, time.perf_counter() - began)
                time.sleep(PAUSE)
        return longest, slow.result().json

    def until(self, target: str, done: Callable[[Any], bool]) -> Any:
        """Ask again and again until the answer is as wanted; return it."""
        deadline = time.monotonic() + TIMEOUT
        while not done(found := self.quietly("GET", target).json):
            if time.monotonic() > deadline:
                raise NotAsTold(f"GET {target} comes to an end", "an end", found)
            time.sleep(PAUSE)
        return self.ask("GET", target).json

    # Tasks of our own.

    def urgent(self, priority: int) -> int:
        """Return a priority under 10 that comes before those of all others, if there are any."""
        return priority if self.alone else 999_999_990 + priority

    def task(self, title: str, **fields: object) -> Any:
        """Create a task, which is deleted when its concept is through."""
        answer = self.ask("POST", "/tasks", {"title": f"Tour: {title}", **fields}, wants=201)
        self.created.append(answer.json["id"])
        return answer.json

    def claim(self) -> Any:
        """Claim a task, which must be one of ours; one of others is given back."""
        answer = self.ask("POST", "/tasks/claim", wants=None)
        task = answer.json if answer.status == 200 else {"id": None}
        if not self.alone and task["id"] not in self.created:
            if task["id"] is not None:
                self.ask("PATCH", f"/tasks/{task['id']}", {"status": "pending"})
            raise Skipped("claims, for others here claim tasks too")
        return task

    def clean(self) -> None:
        """Delete what we created and is still there; say so where that fails."""
        while self.created:
            path = f"/tasks/{self.created[-1]}"
            status = self.quietly("DELETE", path).status
            self.created.pop()
            if status not in (204, 404):
                self.skip(f"to clear up: DELETE {path} is answered with {status}")

    # What is told.

    def check(self, what: str, expected: object, received: object) -> None:
        """Show that something is as told. Raises NotAsTold if it is not."""
        if expected != received:
            raise NotAsTold(what, expected, received)
        self.screen.as_told(what)

    def skip(self, why: str) -> None:
        """Leave something out, and say so."""
        self.skips.append(why)
        self.screen.skipped(why)


def fields_of(response: HTTPResponse) -> dict[str, str]:
    """Return the header fields of an answer by their names in small letters."""
    return {name.lower(): value for name, value in response.getheaders()}


def words(error: Exception) -> str:
    """Return what an error says, or its name if it says nothing."""
    return str(error) or type(error).__name__
