"""Step 5: who asks (401), and what they may do (403)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from .api import Api
from .changes import BOARD, before

UNKNOWN = str(uuid.UUID(int=0))

PATHS = ["/tasks", "/tasks/next", "/tasks/resolve", f"/tasks/{UNKNOWN}", "/nowhere"]
PATHS_WITH_ROOT = [*PATHS, pytest.param("/", marks=before(BOARD))]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
WRITES = ["POST", "PUT", "PATCH", "DELETE"]


def check_unauthorized(api: Api, *fields: str, method: str = "GET", path: str = "/tasks") -> None:
    answer = api.ask(method, path, *fields)
    api.refused(answer, "INVALID_TOKEN")
    assert answer.field("www-authenticate") == "Bearer"


# Who asks


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", PATHS_WITH_ROOT)
def test_nobody_gets_in_without_a_token(stranger: Api, method: str, path: str) -> None:
    """Not even to learn which paths and methods there are."""
    check_unauthorized(stranger, method=method, path=path)


@pytest.mark.parametrize(
    "form",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer unknown",
        "unknown",
        "Basic {token}",
        "Bearer{token}",
        "Bearer: {token}",
        "Bearer Bearer {token}",
        "Bearer {token}x",
        "Bearer x{token}",
        "Bearer {token}, {token}",
        "Bearer {token} {token}",
        "Bearer {TOKEN}",
        "Bearer {start}",
        'Bearer "{token}"',
        "{token}x",
        "Bearer \xff\xfe",
        "Bearer {token}\xe9",
    ],
)
def test_what_is_not_exactly_a_token_is_refused(api: Api, stranger: Api, form: str) -> None:
    token = api.token
    value = form.format(token=token, TOKEN=token.swapcase(), start=token[:-1])
    check_unauthorized(stranger, f"Authorization: {value}")


def test_a_token_of_any_length_is_only_wrong(stranger: Api) -> None:
    check_unauthorized(stranger, "Authorization: Bearer " + "a" * 15_000)


@pytest.mark.parametrize("field", ["Cookie: token={}", "X-Token: {}", "Proxy-Authorization: {}"])
def test_a_token_elsewhere_is_none(api: Api, stranger: Api, field: str) -> None:
    check_unauthorized(stranger, field.format(api.token))
    check_unauthorized(stranger, path=f"/tasks?token={api.token}&access_token={api.token}")


@pytest.mark.parametrize(
    "form", ["Bearer {}", "bearer {}", "BEARER {}", "bEaReR {}", "Bearer  {}", "{}", "\t{} "]
)
def test_a_token_is_taken_bare_or_as_bearer(api: Api, user: Api, stranger: Api, form: str) -> None:
    """The name of a scheme has no case (RFC 9110, 11.1)."""
    for token in (api.token, user.token):
        stranger.ask("GET", "/tasks", f"Authorization: {form.format(token)}").expect(200)


def test_a_refusal_repeats_no_token(api: Api, stranger: Api) -> None:
    wrong = "Bearer almost-" + api.token
    assert api.token.encode() not in stranger.ask("GET", "/tasks", f"Authorization: {wrong}").body


def test_each_request_of_a_connection_needs_its_own_token(api: Api, stranger: Api) -> None:
    requests = [api.request("GET", "/tasks?limit=1"), stranger.request("GET", "/tasks?limit=1")]
    connection = api.say(b"".join(requests * 2))
    assert [connection.answer().status for _ in range(4)] == [200, 401, 200, 401]


# Health


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("fields", [[], ["Authorization: Bearer unknown"], ["Authorization: "]])
def test_health_never_asks_for_a_token(stranger: Api, method: str, fields: list[str]) -> None:
    for target in ("/health", "/health?x=1", "/%68ealth", f"http://{stranger.host}/health"):
        stranger.ask(method, target, *fields).expect(200)


def test_a_wrong_method_on_health_needs_no_token_to_be_told_so(stranger: Api) -> None:
    stranger.refused(stranger.ask("POST", "/health"), "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    "path",
    [
        "/health/",
        "/Health",
        "//health",
        "/health%2f",
        "/health%3fx",
        "/health;x",
        "/health/../tasks",
        "/tasks/../health",
        "/tasks?/health",
        "/tasks/health",
        "/healthy",
    ],
)
def test_what_only_looks_like_health_needs_a_token(stranger: Api, path: str) -> None:
    check_unauthorized(stranger, path=path)


# What they may do


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/tasks", "/tasks/next", "/tasks/queue", "/tasks/resolve"])
def test_a_user_reads_what_an_admin_reads(empty: Api, user: Api, method: str, path: str) -> None:
    task = empty.create()
    for target in (path, f"/tasks/{task['id']}"):
        assert user.ask(method, target).expect(200).body == empty.ask(method, target).body


@pytest.mark.parametrize("method", [*WRITES, "TRACE"])
@pytest.mark.parametrize("path", [*PATHS_WITH_ROOT, "/tasks/claim"])
def test_a_user_may_do_nothing_else(user: Api, method: str, path: str) -> None:
    """Whatever the path: a user does not learn what an admin could do there."""
    user.refused(user.ask(method, path), "INSUFFICIENT_PERMISSIONS")


@pytest.mark.parametrize(
    ("method", "path", "value"),
    [
        ("POST", "/tasks", {"title": "theirs"}),
        ("PUT", "/tasks/ID", {"title": "theirs"}),
        ("PATCH", "/tasks/ID", {"title": "theirs"}),
        ("DELETE", "/tasks/ID", None),
        ("POST", "/tasks/claim", None),
    ],
)
def test_what_was_refused_has_changed_nothing(
    empty: Api, user: Api, method: str, path: str, value: Any
) -> None:
    task = empty.create()
    path = path.replace("ID", task["id"])
    user.ask(method, path, value=value).expect(403)
    empty.with_token("").ask(method, path, value=value).expect(401)
    assert empty.tasks() == [task]
    assert empty.ask("GET", "/tasks/queue").json() == [task]


def test_a_user_whose_page_is_foreign_may_not_either(user: Api) -> None:
    user.ask("POST", "/tasks", "Origin: http://evil.example", value={"title": "a"}).expect(403)


def test_options_is_asked_like_get(user: Api, stranger: Api) -> None:
    """A preflight of another origin gets no further than any stranger."""
    answer = user.ask("OPTIONS", "/tasks").expect(204)
    assert answer.options("allow") == {"GET", "HEAD", "POST", "OPTIONS"}
    for api in (user, stranger):
        answer = api.ask("OPTIONS", "/tasks", "Origin: null", "Access-Control-Request-Method: POST")
        assert answer.status == (401 if api is stranger else 204)
        assert answer.every("access-control-allow-origin") == []


@pytest.mark.parametrize("target", ["/health", "*"])
def test_options_needs_no_token_where_a_load_balancer_asks(stranger: Api, target: str) -> None:
    stranger.ask("OPTIONS", target).expect(204)
