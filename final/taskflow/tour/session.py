"""A session with one server: shows requests and responses, checks claims, deletes its tasks."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from taskflow.tour.client import NO_HEADERS, TIMEOUT, Client, Response, TourError, headers_of
from taskflow.tour.screen import Screen

# Seconds between two requests of a loop.
PAUSE = 0.002
# The number of tasks in the largest page that is requested.
MANY = 10_000
# Added to priorities below 10, this is above most others and within the bound of the server.
ABOVE_OTHERS = 999_999_990
NEEDS_DEMOS = "this needs a server with --demos"


class CheckFailed(Exception):
    """A claim of the tour is not true for this server."""

    def __init__(self, claim: str, expected: object, received: object) -> None:
        super().__init__(claim)
        self.claim = claim
        self.expected = expected
        self.received = received


class Skipped(Exception):
    """The rest of a concept cannot be shown on this server; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class StreamResult:
    """The measurements of a streamed response."""

    lines: int
    size: int  # bytes
    seconds: float
    # How much the server's memory had grown when half of the lines were received, in bytes.
    growth: int
    headers: dict[str, str]


class Session:
    """A session with one server, which shows on the screen what it does."""

    def __init__(self, client: Client, screen: Screen) -> None:
        self.client = client
        self.screen = screen
        # The reasons for what was left out.
        self.skips: list[str] = []
        # The ids of the tasks that this session created and has not deleted.
        self.created: list[str] = []
        # The method inspect_server sets these three.
        self.has_demos = False
        self.has_other_tasks = False
        self.has_many_tasks = False

    def inspect_server(self) -> None:
        """Find out what the server has. Raises TourError if the tour cannot use it."""
        try:
            healthy = self.request("GET", "/health").json["status"] == "healthy"
        except (CheckFailed, LookupError, TypeError, ValueError):
            healthy = False
        if not healthy:
            raise TourError(f"the server at {self.client.url} is not a healthy Taskflow server")
        tasks = self._request_as("USER", "GET", f"/tasks?limit={MANY}", None, 200)
        # The server refuses an empty title, so this request creates nothing.
        self._request_as("ADMIN", "POST", "/tasks", {"title": ""}, 422)
        self.has_other_tasks = tasks.json != []
        self.has_many_tasks = "link" in tasks.headers
        self.has_demos = self.client.send("GET", "/demo/cpu/ping").status == 200

    def _request_as(
        self, role: str, method: str, target: str, value: object, expected: int
    ) -> Response:
        """Return the response to a request of this role. Raises TourError for a refused token."""
        response = self.client.send(method, target, value)
        if response.status in (401, 403):
            raise TourError(f"the server refuses the token: set TASKFLOW_{role}_TOKEN")
        if response.status != expected:
            raise TourError(f"{method} {target} got the status {response.status}, not {expected}")
        return response

    # Requests over HTTP.

    def request(
        self,
        method: str,
        target: str,
        value: object = None,
        status: int | None = 200,
        headers: Mapping[str, str | None] = NO_HEADERS,
    ) -> Response:
        """Show a request and its response, and return the response. See `Client.send`.

        Raises CheckFailed for any other than the expected status, which None turns off.
        """
        shown = f"({len(value):,} bytes)" if isinstance(value, bytes) else value
        self.screen.request(method, target, shown)
        response = self.client.send(method, target, value, headers)
        self.screen.response(response.status, response.reason, response.body)
        if status is not None and response.status != status:
            text = response.body[:200].decode(errors="replace")
            received = f"{response.status} {text}"
            raise CheckFailed(f"the status of {method} {target}", status, received)
        return response

    def send_bytes(self, data: bytes, piece_size: int) -> bytes:
        """Send bytes in pieces; show and return all that the server sends before it closes."""
        for line in data.decode().split("\r\n"):
            self.screen.row("> " + line)
        received = self.client.send_bytes(data, piece_size)
        # A body may end without a line break, so each status line is moved to a new line.
        shown = received.replace(b"HTTP/1.1", b"\r\nHTTP/1.1").decode(errors="replace")
        for line in shown.splitlines()[1:]:
            self.screen.row("< " + line)
        return received

    def stream(self, target: str, expected_lines: int) -> StreamResult:
        """Read a streamed response, and look at the server's memory after half of its lines."""
        self.screen.request("GET", target)
        memory_before = self.resident_bytes()
        memory_midway = 0
        lines = 0
        size = 0
        began = time.perf_counter()
        authorization = self.client.authorization("GET")
        with self.client.exchange("GET", target, None, authorization) as response:
            if response.status != 200:
                raise CheckFailed(f"the status of GET {target}", 200, response.status)
            while piece := response.read1(65536):
                lines += piece.count(b"\n")
                size += len(piece)
                if lines > expected_lines // 2 and not memory_midway:
                    memory_midway = self.resident_bytes()
            headers = headers_of(response)
        seconds = time.perf_counter() - began
        self.screen.response(200, "OK", b"")
        return StreamResult(lines, size, seconds, max(memory_midway - memory_before, 0), headers)

    def resident_bytes(self) -> int:
        """Return how much memory the server uses."""
        memory = self.client.send("GET", "/tasks/system/memory").json
        return int(memory["process"]["residentBytes"])

    def longest_health_wait(self, target: str) -> tuple[float, Any]:
        """Request something slow, and /health again and again until it responds.

        Return the longest wait for /health in seconds, and the decoded body of the slow response.
        """
        longest = 0.0
        with ThreadPoolExecutor(1) as executor:
            slow = executor.submit(self.request, "GET", target)
            while not slow.done():
                began = time.perf_counter()
                self.client.send("GET", "/health")
                longest = max(longest, time.perf_counter() - began)
                time.sleep(PAUSE)
        return longest, slow.result().json

    def poll(self, target: str, done: Callable[[Any], bool]) -> Any:
        """Repeat a request until its decoded body is done, and return that body."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            value = self.client.send("GET", target).json
            if done(value):
                return self.request("GET", target).json
            if time.monotonic() > deadline:
                raise CheckFailed(f"GET {target} reaches an end", "an end", value)
            time.sleep(PAUSE)

    # Tasks of this session.

    def urgent(self, level: int) -> int:
        """Return a priority for a level below 10; if there are other tasks, one above most."""
        return level + ABOVE_OTHERS if self.has_other_tasks else level

    def create_task(self, title: str, **fields: object) -> Any:
        """Create a task, which `delete_created` deletes."""
        task = {"title": f"Tour: {title}", **fields}
        created = self.request("POST", "/tasks", task, status=201).json
        self.created.append(created["id"])
        return created

    def claim(self) -> Any:
        """Claim a task of this session. Raises Skipped after it gives back another client's."""
        response = self.request("POST", "/tasks/claim", status=None)
        task = response.json if response.status == 200 else {"id": None}
        if self.has_other_tasks and task["id"] not in self.created:
            if task["id"] is not None:
                self.request("PATCH", f"/tasks/{task['id']}", {"status": "pending"})
            raise Skipped("claims, because other clients claim tasks here")
        return task

    def delete_created(self) -> None:
        """Delete the tasks that this session created, and report each that cannot be deleted."""
        while self.created:
            path = f"/tasks/{self.created[-1]}"
            status = self.client.send("DELETE", path).status
            self.created.pop()
            if status not in (204, 404):
                self.skip(f"cleaning up: DELETE {path} got the status {status}")

    # Results.

    def check(self, claim: str, expected: object, received: object) -> None:
        """Show that a claim is true. Raises CheckFailed if it is not."""
        if expected != received:
            raise CheckFailed(claim, expected, received)
        self.screen.passed(claim)

    def skip(self, reason: str) -> None:
        """Report that something is left out."""
        self.skips.append(reason)
        self.screen.skipped(reason)
