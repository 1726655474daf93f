"""What a later step changes on purpose, each with its reason, and nothing else.

A test of step N runs against every snapshot from N on. Where a later step answers
differently because its lesson says so, the difference is a `Change` here, and the
test asks this file instead of knowing about steps itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

FINAL = 11
"""`final/` counts as the step after the last."""


@dataclass(frozen=True, slots=True)
class Change:
    """From `step` on something differs from what an earlier step promised."""

    step: int
    reason: str


STORE = Change(2, "tasks are found by hash, so a million of them is a fair bound, not 10,000")
CRUD = Change(2, "a task can be changed and deleted, so its path knows more methods")
GRAPH = Change(4, "tasks have dependencies; before, the field is unknown")
TOKENS = Change(5, "every request but /health needs a token")
ONE_SHAPE = Change(6, "an error is an object with a code, an id and details; before, a text")
REQUEST_IDS = Change(6, "each answer has its own X-Request-Id")
LOGS = Change(
    6,
    "stderr has a line of JSON for each answer, and the traceback of a failure that is shown on"
    " purpose at /demo/error/internal",
)
JOBS = Change(8, "a job that fails, as one does whose worker is killed, may log its traceback")
CHUNKED = Change(9, "chunked bodies are read; before, any Transfer-Encoding is refused")
DEMOS = Change(FINAL, "the demos and the example tokens are there only with --demos")
OWN_TOKENS = Change(FINAL, "tokens must be set, and be long enough; the steps have examples")
BOARD = Change(FINAL, "the board, its assets and /openapi.json need no token: no data is in them")
GRACE = Change(FINAL, "a stop waits for the requests that are being served, --grace seconds")
ALLOWED_HOSTS = Change(FINAL, "names other than the server's own are refused (DNS rebinding)")

STATUS_OF = {
    "BAD_REQUEST": 400,
    "INVALID_JSON": 400,
    "INVALID_TOKEN": 401,
    "INSUFFICIENT_PERMISSIONS": 403,
    "FORBIDDEN_ORIGIN": 403,
    "NOT_FOUND": 404,
    "TASK_NOT_FOUND": 404,
    "JOB_NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "REQUEST_TIMEOUT": 408,
    "CYCLE_DETECTED": 409,
    "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "VALIDATION_ERROR": 422,
    "MISSING_REQUIRED_FIELD": 422,
    "MISSING_DEPENDENCY": 422,
    "RESULT_TOO_LARGE": 422,
    "UPGRADE_REQUIRED": 426,
    "HEADERS_TOO_LARGE": 431,
    "INTERNAL_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
    "SERVICE_UNAVAILABLE": 503,
    "STORE_FULL": 503,
    "HTTP_VERSION_NOT_SUPPORTED": 505,
}
"""The status is the same in every step; the code is on the wire from `ONE_SHAPE` on."""

SIGNS_OF_A_BUG = (
    "Traceback",
    "never retrieved",
    "never awaited",
    "Exception ignored",
    "ResourceWarning",
)
ON_PURPOSE = {
    LOGS: re.compile("/demo/error/internal"),
    JOBS: re.compile("job [0-9a-f-]{36} failed"),
}
"""What stands in a line that shows a failure which a test has asked for."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """What is expected of a server of one step, where steps differ."""

    step: int

    def has(self, change: Change) -> bool:
        return self.step >= change.step

    @property
    def store_bound(self) -> int:
        """Tasks that fit; the next one is refused."""
        return 1_000_000 if self.has(STORE) else 10_000

    @property
    def task_methods(self) -> set[str]:
        """What `Allow` says of `/tasks/{id}`."""
        return {"GET", "HEAD", "OPTIONS"} | (
            {"PUT", "PATCH", "DELETE"} if self.has(CRUD) else set()
        )

    @property
    def task_fields(self) -> set[str]:
        fields = {"id", "title", "description", "status", "priority", "createdAt", "updatedAt"}
        return fields | {"dependencies"} if self.has(GRAPH) else fields

    @property
    def fields_that_vary(self) -> set[str]:
        """Header fields that differ between two answers to the same question."""
        return {"date", "x-request-id"} if self.has(REQUEST_IDS) else {"date"}

    def faults_in_log(self, log: str) -> list[str]:
        """The lines on a server's stderr that are signs of a bug."""
        on_purpose = [mark for change, mark in ON_PURPOSE.items() if self.has(change)]
        return [
            line
            for line in log.splitlines()
            if any(sign in line for sign in SIGNS_OF_A_BUG)
            and not any(mark.search(line) for mark in on_purpose)
        ]


def before(change: Change) -> pytest.MarkDecorator:
    """The test holds only until the change."""
    return pytest.mark.before(change)


def since(change: Change) -> pytest.MarkDecorator:
    """The test of an earlier step's subject holds only from the change on."""
    return pytest.mark.since(change)
