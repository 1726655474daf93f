"""The words in which the tests speak: ask, create, change, refused.

`Api` joins an address, what is expected of its step, and the token that it asks
for, so that a test of step 1 stays the same when step 5 asks for tokens.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .answer import Answer, ContractError
from .changes import ONE_SHAPE, REQUEST_IDS, STATUS_OF, TOKENS, Expectations
from .client import DEADLINE, Connection

Task = dict[str, Any]

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

ERROR_FIELDS = {"code", "message", "requestId", "timestamp", "details"}

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

MORE_THAN_BUFFERS = 24_000_000
"""Bytes that fit into no buffer of the kernel: they are sent only if the server reads them."""

AT_ONCE = 50
"""Requests that are pipelined before their answers are read. Few enough for any buffer."""


class Api:
    """A server under test, and the connections that one test has opened to it."""

    def __init__(self, address: tuple[str, int], expected: Expectations, token: str) -> None:
        self.address = address
        self.expected = expected
        self.token = token
        self.connections: list[Connection] = []
        self.side: Connection | None = None

    def with_token(self, token: str) -> Api:
        """The same server, asked with another token, or with none."""
        other = Api(self.address, self.expected, token)
        other.connections = self.connections
        return other

    @property
    def host(self) -> str:
        """The value of `Host`: name and port."""
        name, port = self.address
        return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"

    @property
    def origin(self) -> str:
        """What a page of this server would send as `Origin`."""
        return f"http://{self.host}"

    # Requests as bytes

    def fields(self, *more: str) -> list[str]:
        """The header lines that every good request has at this step, and more."""
        has_token = self.token and self.expected.has(TOKENS)
        token = [f"Authorization: Bearer {self.token}"] if has_token else []
        return [f"Host: {self.host}", *token, *more]

    def head(self, method: str, target: str, *fields: str, version: str = "HTTP/1.1") -> bytes:
        """A request's head, with nothing said of a body."""
        lines = [f"{method} {target} {version}", *self.fields(*fields)]
        return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"

    def request(
        self, method: str, target: str, *fields: str, body: bytes | None = None, value: Any = None
    ) -> bytes:
        """A whole request; `value` is sent as JSON, `body` as it is."""
        if value is not None:
            body = json.dumps(value).encode()
        if body is None:
            return self.head(method, target, *fields)
        return self.head(method, target, *fields, f"Content-Length: {len(body)}") + body

    # Conversations

    def connect(self, buffers: int = 0, patience: float = DEADLINE) -> Connection:
        """A new connection, closed when the test is over."""
        connection = Connection(self.address, buffers, patience)
        self.connections.append(connection)
        return connection

    def say(self, data: bytes) -> Connection:
        """A new connection on which these bytes have been sent."""
        connection = self.connect()
        connection.send(data)
        return connection

    def send_apart(self, connection: Connection, pieces: Iterable[bytes]) -> None:
        """Send pieces that the server reads one by one.

        Instead of a sleep: another client is served after each piece, so the server has
        had its turn to read.
        """
        for piece in pieces:
            connection.send(piece)
            if self.side is None:
                self.side = self.connect()
            self.side.send(self.request("GET", "/health"))
            self.side.answer().expect(200)

    def ask(
        self, method: str, target: str, *fields: str, body: bytes | None = None, value: Any = None
    ) -> Answer:
        """One request on a connection of its own, and its answer."""
        connection = self.say(self.request(method, target, *fields, body=body, value=value))
        answer = connection.answer(method)
        connection.close()
        self.request_id(answer)
        return answer

    def ask_all(self, requests: Sequence[tuple[str, str, Any]]) -> list[Answer]:
        """Many requests (method, target, value) pipelined on one connection."""
        connection = self.connect()
        answers: list[Answer] = []
        for start in range(0, len(requests), AT_ONCE):
            batch = requests[start : start + AT_ONCE]
            connection.send(b"".join(self.request(m, t, value=value) for m, t, value in batch))
            answers += [connection.answer(method) for method, _, _ in batch]
        connection.close()
        return answers

    def refused(self, answer: Answer, code: str, field: str = "", **details: Any) -> None:
        """The answer is the refusal of this code, in the shape of errors at this step.

        With `field`, the refusal names that field.
        """
        __tracebackhide__ = True
        answer.expect(STATUS_OF[code])
        request_id = self.request_id(answer)
        if answer.method == "HEAD":
            return
        body = answer.json()
        error = body.get("error") if isinstance(body, dict) and set(body) == {"error"} else None
        if not self.expected.has(ONE_SHAPE):
            if not isinstance(error, str) or not error or field not in error:
                about = f" that names {field!r}" if field else ""
                raise ContractError(
                    f'expected {{"error": "text"}}{about}, received {answer.body!r}'
                )
            return
        wanted = details | ({"field": field} if field else {})
        fault = fault_of(error, code, request_id, wanted)
        if fault:
            raise ContractError(f"expected {code} with {fault}, received {answer.body!r}")

    def request_id(self, answer: Answer) -> str:
        """The answer's id, which every answer has from its step on; empty before."""
        __tracebackhide__ = True
        if not self.expected.has(REQUEST_IDS):
            return ""
        request_id = answer.field("x-request-id") or ""
        if not REQUEST_ID.fullmatch(request_id):
            raise ContractError(f"expected an X-Request-Id, received {request_id!r}")
        return request_id

    def refused_message(self, message: bytes, code: str) -> None:
        """The message is refused, and the connection ends cleanly.

        Nothing behind it is taken for a request: there is one answer, and no more.
        """
        __tracebackhide__ = True
        connection = self.say(message + b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.refused(connection.answer(), code)
        connection.ended()

    # Tasks

    def create(self, **fields: Any) -> Task:
        return task_of(self.ask("POST", "/tasks", value={"title": "a task", **fields}).expect(201))

    def create_all(self, values: Sequence[Task]) -> list[Task]:
        """Many at once, in this order."""
        answers = self.ask_all([("POST", "/tasks", {"title": "a task", **v}) for v in values])
        return [task_of(answer.expect(201)) for answer in answers]

    def change(self, task: Task, **fields: Any) -> Task:
        return task_of(self.ask("PATCH", f"/tasks/{task['id']}", value=fields).expect(200))

    def delete(self, *tasks: Task) -> None:
        for answer in self.ask_all([("DELETE", f"/tasks/{task['id']}", None) for task in tasks]):
            answer.expect(204)

    def read(self, task: Task) -> Task:
        """The task as it is now."""
        return task_of(self.ask("GET", f"/tasks/{task['id']}").expect(200))

    def pages(self, target: str) -> Iterator[Answer]:
        """Follow the links from page to page; each is asked for when the one before was seen."""
        seen: set[str] = set()
        following: str | None = target
        while following is not None:
            if following in seen:
                raise ContractError(f"expected links to end, received {following} again")
            seen.add(following)
            page = self.ask("GET", following).expect(200)
            yield page
            following = next_page(page)

    def tasks(self, target: str = "/tasks") -> list[Task]:
        """All tasks of all pages."""
        return [task for page in self.pages(target) for task in page.json()]

    def tick(self, task: Task) -> None:
        """Return when the server's clock has passed the task's last change.

        Times have milliseconds: a change in the same one could not be seen.
        """
        connection = self.connect()
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            connection.send(self.request("GET", "/health"))
            if connection.answer().expect(200).json()["timestamp"] > task["updatedAt"]:
                return
        raise ContractError(f"expected the clock of /health to pass {task['updatedAt']}")


def fault_of(error: Any, code: str, request_id: str, details: dict[str, Any]) -> str:
    """What the one shape of errors has and this value has not; empty when all is well."""
    if not isinstance(error, dict) or set(error) != ERROR_FIELDS:
        return f"exactly the fields {sorted(ERROR_FIELDS)}"
    if error["code"] != code:
        return "this code"
    given = error["details"]
    if not isinstance(given, dict) or any(given.get(key) != details[key] for key in details):
        return f"the details {details}"
    needed = ("field", "reason") if code == "VALIDATION_ERROR" else ()
    texts = [error["message"], *(given.get(key) for key in needed)]
    if not all(isinstance(text, str) and text for text in texts):
        return "a message, and for a bad value its field and the reason"
    if not TIME.fullmatch(str(error["timestamp"])):
        return "a timestamp in UTC with milliseconds"
    if error["requestId"] != request_id:
        return f"the requestId of its header, {request_id}"
    return ""


def task_of(answer: Answer) -> Task:
    """The task in a body."""
    value = answer.json()
    if not isinstance(value, dict):
        raise ContractError(f"expected a task, received {answer.body!r}")
    return value


def next_page(answer: Answer) -> str | None:
    """The path and query of the link to the next page; `None` on the last."""
    link = answer.field("link")
    if link is None:
        return None
    target = re.fullmatch(r'<(?:http://[^/>]+)?(/[^>]*)>; rel="next"', link)
    if target is None:
        raise ContractError(f'expected Link: </tasks?...>; rel="next", received {link!r}')
    return target[1]


def ids(tasks: Iterable[Task]) -> list[str]:
    return [task["id"] for task in tasks]
