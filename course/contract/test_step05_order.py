"""Step 5: of several refusals the first in order, and none that costs more than it must."""

from __future__ import annotations

import pytest

from .api import Api, task_of

MIB = 1_048_576
LARGE = "Content-Length: 2000000"
FOREIGN = "Origin: http://evil.example"


def test_faults_are_refused_in_order_as_a_client_corrects_them(
    empty: Api, user: Api, stranger: Api
) -> None:
    """One request with every fault in it; each is mended when it has been refused."""
    task = empty.create()
    gone = empty.create(dependencies=[task["id"]])
    empty.delete(gone)
    there, missing = f"/tasks/{task['id']}", f"/tasks/{gone['id']}"
    text, broken = "Content-Type: text/plain", b'{"title":'
    bad, itself = {"priority": "x"}, {"dependencies": [task["id"]]}
    # Who, method, path, fields, body as bytes or value, and what is refused.
    two = ("Content-Length: 1", LARGE)
    for api, method, path, fields, body, value, code in (
        (stranger, "POST", "/nowhere", (FOREIGN, text, *two), None, None, "BAD_REQUEST"),
        (stranger, "POST", "/nowhere", (FOREIGN, text, LARGE), None, None, "INVALID_TOKEN"),
        (user, "POST", "/nowhere", (text, LARGE), None, None, "INSUFFICIENT_PERMISSIONS"),
        (empty, "POST", "/nowhere", (FOREIGN, text, LARGE), None, None, "FORBIDDEN_ORIGIN"),
        (empty, "POST", "/nowhere", (text, LARGE), None, None, "NOT_FOUND"),
        (empty, "POST", missing, (text, LARGE), None, None, "METHOD_NOT_ALLOWED"),
        (empty, "PATCH", missing, (text, LARGE), None, None, "PAYLOAD_TOO_LARGE"),
        (empty, "PATCH", missing, (text,), broken, None, "UNSUPPORTED_MEDIA_TYPE"),
        (empty, "PATCH", missing, (), broken, None, "INVALID_JSON"),
        (empty, "PATCH", missing, (), None, bad | itself, "VALIDATION_ERROR"),
        (empty, "PATCH", missing, (), None, itself, "TASK_NOT_FOUND"),
        (empty, "PATCH", there, (), None, itself, "CYCLE_DETECTED"),
    ):
        empty.refused(api.ask(method, path, *fields, body=body, value=value), code)
    assert empty.tasks() == [task]
    changed = task_of(empty.ask("PATCH", there, value={"title": "mended"}).expect(200))
    assert empty.tasks() == [changed]


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("GET /tasks HTTP/1.1\r\n\r\n", "BAD_REQUEST"),
        ("GET /tasks HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "BAD_REQUEST"),
        ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "BAD_REQUEST"),
        ("POST /tasks HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "BAD_REQUEST"),
        ("BREW /tasks HTTP/1.1\r\nHost: a\r\n\r\n", "NOT_IMPLEMENTED"),
        ("POST /tasks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n", "NOT_IMPLEMENTED"),
        ("GET /tasks HTTP/2.0\r\nHost: a\r\n\r\n", "HTTP_VERSION_NOT_SUPPORTED"),
        ("GET /tasks HTTP/1.1\r\nHost: a\r\n" + "X-Name: a\r\n" * 101, "HEADERS_TOO_LARGE"),
    ],
)
def test_what_is_no_request_is_refused_before_anybody_asks_for_a_token(
    api: Api, head: str, code: str
) -> None:
    api.refused(api.say(head.encode()).answer(), code)


@pytest.mark.parametrize(
    ("method", "path", "fields", "body"),
    [
        ("GET", "/nowhere", [], None),
        ("PUT", "/tasks", [], None),
        ("OPTIONS", "/nowhere", [], None),
        ("POST", "/tasks", [FOREIGN], b'{"title": "a"}'),
        ("POST", "/tasks", [LARGE], None),
        ("POST", "/tasks", ["Content-Type: text/plain"], b"a"),
        ("POST", "/tasks", [], b"{"),
        ("POST", "/tasks", [], b"{}"),
        ("GET", "/tasks?limit=0", [], None),
        ("PATCH", "/tasks/unknown", [], b"{}"),
    ],
)
def test_the_token_comes_before_all_that_is_wrong_inside(
    user: Api, method: str, path: str, fields: list[str], body: bytes | None
) -> None:
    stranger = user.with_token("")
    stranger.refused(stranger.ask(method, path, *fields, body=body), "INVALID_TOKEN")
    if method not in ("GET", "HEAD", "OPTIONS"):
        user.ask(method, path, *fields, body=body).expect(403)


# Refused by the head, so no body is waited for


@pytest.mark.parametrize(("who", "status"), [("stranger", 401), ("user", 403)])
@pytest.mark.parametrize("length", [9, MIB, 999_999_999_999_999])
def test_a_refusal_by_token_costs_no_body(
    request: pytest.FixtureRequest, who: str, status: int, length: int
) -> None:
    api: Api = request.getfixturevalue(who)
    connection = api.say(api.head("POST", "/tasks", f"Content-Length: {length}"))
    connection.answer("POST").expect(status)
    connection.ended()


@pytest.mark.parametrize(("who", "status"), [("stranger", 401), ("user", 403)])
def test_a_client_that_expects_100_is_told_at_once(
    request: pytest.FixtureRequest, who: str, status: int
) -> None:
    api: Api = request.getfixturevalue(who)
    fields = ["Content-Length: 9", "Expect: 100-continue"]
    connection = api.say(api.head("POST", "/tasks", *fields))
    assert connection.answer("POST").expect(status).interim == ()
    connection.ended()


def test_a_refused_request_whose_body_is_here_keeps_the_connection(stranger: Api) -> None:
    """And the body is not taken for a request."""
    smuggled = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    connection = stranger.say(
        stranger.request("POST", "/tasks", body=smuggled) + stranger.request("GET", "/nowhere")
    )
    stranger.refused(connection.answer("POST"), "INVALID_TOKEN")
    stranger.refused(connection.answer(), "INVALID_TOKEN")
