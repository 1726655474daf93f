"""Step 6: one shape for every error, whoever refuses, and what a failure gives away."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest

from .answer import Answer
from .api import Api, ids
from .changes import STATUS_OF
from .conftest import Launch

UNKNOWN = str(uuid.UUID(int=0))

Ask = Callable[[Api], Answer]


def asking(method: str, target: str, *fields: str, body: bytes | None = None) -> Ask:
    return lambda api: api.ask(method, target, *fields, body=body)


def saying(head: bytes) -> Ask:
    return lambda api: api.say(head).answer()


def without_token(api: Api) -> Answer:
    return api.with_token("").ask("GET", "/tasks")


def depending_on_itself(api: Api) -> Answer:
    task = api.create()
    return api.ask("PATCH", f"/tasks/{task['id']}", value={"dependencies": ids([task])})


def depending_on_nothing(api: Api) -> Answer:
    return api.ask("POST", "/tasks", value={"title": "a", "dependencies": [UNKNOWN]})


LARGE = "Content-Length: 2000000"

WAYS: list[tuple[str, Ask]] = [
    ("BAD_REQUEST", saying(b"GET /\n")),
    ("BAD_REQUEST", saying(b"GET /tasks HTTP/1.1\r\n\r\n")),
    ("BAD_REQUEST", asking("GET", "/%00")),
    ("BAD_REQUEST", asking("POST", "/tasks", "Content-Length: 1, 1")),
    ("INVALID_JSON", asking("POST", "/tasks", body=b"{")),
    ("INVALID_TOKEN", without_token),
    ("INVALID_TOKEN", asking("GET", "/demo/error/unauthorized")),
    ("INSUFFICIENT_PERMISSIONS", asking("GET", "/demo/error/forbidden")),
    ("FORBIDDEN_ORIGIN", asking("POST", "/tasks", "Origin: null")),
    ("NOT_FOUND", asking("GET", "/nowhere")),
    ("NOT_FOUND", asking("GET", "/demo/error/notfound")),
    ("TASK_NOT_FOUND", asking("GET", f"/tasks/{UNKNOWN}")),
    ("METHOD_NOT_ALLOWED", asking("DELETE", "/health")),
    ("CYCLE_DETECTED", depending_on_itself),
    ("PAYLOAD_TOO_LARGE", asking("POST", "/tasks", LARGE)),
    ("UNSUPPORTED_MEDIA_TYPE", asking("POST", "/tasks", "Content-Type: a/b", body=b"a")),
    ("VALIDATION_ERROR", asking("POST", "/tasks", body=b'{"title": 1}')),
    ("VALIDATION_ERROR", asking("GET", "/tasks?limit=0")),
    ("VALIDATION_ERROR", asking("POST", "/demo/error/validation")),
    ("MISSING_REQUIRED_FIELD", asking("POST", "/tasks", body=b"{}")),
    ("MISSING_REQUIRED_FIELD", asking("POST", "/demo/error/missingfield")),
    ("MISSING_DEPENDENCY", depending_on_nothing),
    ("HEADERS_TOO_LARGE", saying(b"GET /" + b"a" * 20_000)),
    ("INTERNAL_ERROR", asking("GET", "/demo/error/internal")),
    ("NOT_IMPLEMENTED", asking("BREW", "/health")),
    ("NOT_IMPLEMENTED", asking("POST", "/tasks", "Transfer-Encoding: unknown")),
    ("HTTP_VERSION_NOT_SUPPORTED", saying(b"GET / HTTP/3.0\r\n")),
]
ELSEWHERE = {
    "JOB_NOT_FOUND",  # step 8
    "REQUEST_TIMEOUT",  # test_step06_deadlines.py
    "RESULT_TOO_LARGE",  # test_step04_resolve.py, slow
    "SERVICE_UNAVAILABLE",  # below, and step 8
    "STORE_FULL",  # test_step01_server.py, slow
    "UPGRADE_REQUIRED",  # step 10
}


@pytest.mark.parametrize(("code", "ask"), WAYS, ids=[f"{n} {way[0]}" for n, way in enumerate(WAYS)])
def test_every_refusal_has_the_one_shape(api: Api, code: str, ask: Ask) -> None:
    """`refused` looks at it: code, message, requestId, timestamp, details, and nothing else."""
    api.refused(ask(api), code)


def test_every_code_is_reached_somewhere() -> None:
    assert {code for code, _ in WAYS} | ELSEWHERE == set(STATUS_OF)


def test_a_connection_too_many_is_refused_in_the_one_shape(launch: Launch) -> None:
    api, _ = launch("--max-connections", "1")
    first = api.say(api.request("GET", "/health"))
    first.answer().expect(200)
    api.refused(api.connect().answer(), "SERVICE_UNAVAILABLE")


def test_the_clock_of_errors_is_that_of_health(api: Api) -> None:
    times = [
        api.ask("GET", "/health").json()["timestamp"],
        api.ask("GET", "/nowhere").json()["error"]["timestamp"],
        api.ask("GET", "/health").json()["timestamp"],
    ]
    assert times == sorted(times)


# The examples


def test_an_example_of_a_missing_token_says_what_to_send(api: Api) -> None:
    answer = api.ask("GET", "/demo/error/unauthorized").expect(401)
    assert answer.field("www-authenticate") == "Bearer"


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("POST", "internal"),
        ("POST", "unauthorized"),
        ("POST", "forbidden"),
        ("POST", "notfound"),
        ("GET", "validation"),
        ("GET", "missingfield"),
    ],
)
def test_an_example_has_its_method(api: Api, user: Api, method: str, name: str) -> None:
    answer = api.ask(method, f"/demo/error/{name}")
    api.refused(answer, "METHOD_NOT_ALLOWED")
    assert answer.options("allow") == (
        {"POST", "OPTIONS"} if method == "GET" else {"GET", "HEAD", "OPTIONS"}
    )
    if method == "GET":  # what needs POST is not for users
        user.refused(user.ask("POST", f"/demo/error/{name}"), "INSUFFICIENT_PERMISSIONS")


@pytest.mark.parametrize("name", ["internal", "unauthorized", "forbidden", "notfound"])
def test_head_asks_for_an_example_too(api: Api, name: str) -> None:
    get = api.ask("GET", f"/demo/error/{name}")
    api.ask("HEAD", f"/demo/error/{name}").expect(get.status)


def test_an_unknown_example_is_not_found(api: Api) -> None:
    api.refused(api.ask("GET", "/demo/error/unheard-of"), "NOT_FOUND")


# A bug


def test_a_failure_reveals_nothing_and_ends_nothing(api: Api) -> None:
    """No type, no file, no line: what an attacker could use stays in the log."""
    connection = api.connect()
    for _ in range(3):
        connection.send(api.request("GET", "/demo/error/internal"))
        answer = connection.answer()
        api.refused(answer, "INTERNAL_ERROR")
        text = json.dumps([answer.fields, answer.body.decode()]).lower()
        for inside in ("traceback", "zerodivision", "exception", ".py", "line ", "on purpose"):
            assert inside not in text
        assert answer.json()["error"]["details"] == {}
    connection.send(api.request("GET", "/health"))
    connection.answer().expect(200)


def test_a_failure_is_told_in_the_log(launch: Launch) -> None:
    api, process = launch()
    api.ask("GET", "/demo/error/internal").expect(500)
    api.ask("GET", "/nowhere").expect(404)
    process.stop()
    told = [json.loads(line) for line in process.log.splitlines() if "Traceback" in line]
    assert len(told) == 1, process.log
    assert "/demo/error/internal" in json.dumps(told)
