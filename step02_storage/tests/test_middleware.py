"""The links around the router: where errors become answers, and where foreign pages stop."""

import asyncio
import logging

import pytest
from in_process import Client, body_of, error_of

from taskflow.errors import BadRequest, ForbiddenOrigin, MethodNotAllowed, TaskNotFound
from taskflow.http import Request, Response
from taskflow.middleware import ErrorBoundary, SameOrigin


class Inner:
    """The innermost callable: remembers its requests, and answers or raises."""

    def __init__(self, outcome: Response | BaseException | None = None) -> None:
        self.outcome = outcome or Response(200, b"inner")
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


# ErrorBoundary.


async def test_an_answer_passes_the_boundary_as_it_is() -> None:
    inner = Inner()
    assert await ErrorBoundary(inner)(Request()) is inner.outcome


async def test_a_refusal_becomes_an_answer() -> None:
    response = await ErrorBoundary(Inner(TaskNotFound("no such task")))(Request())
    assert (response.status, response.body) == (404, b'{"error":"no such task"}')


async def test_the_headers_of_a_refusal_are_answered_too() -> None:
    response = await ErrorBoundary(Inner(MethodNotAllowed("PUT", "GET, HEAD")))(Request())
    assert (response.status, response.headers) == (405, {"Allow": "GET, HEAD"})


async def test_a_refusal_of_the_parser_does_not_reach_what_is_inside() -> None:
    inner = Inner()
    response = await ErrorBoundary(inner)(Request(refusal=BadRequest("no HTTP")))

    assert (response.status, error_of(response)) == (400, "no HTTP")
    assert inner.requests == []


async def test_a_bug_answers_500_and_is_logged_but_not_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = await ErrorBoundary(Inner(KeyError("secret")))(Request("GET", "/tasks"))

    assert response.status == 500
    assert b"secret" not in body_of(response)
    assert b"KeyError" not in body_of(response)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "GET '/tasks' failed"
    assert "KeyError: 'secret'" in caplog.text


async def test_a_path_cannot_control_the_terminal_that_shows_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = "/\x1b[31m\n\x9b1m\x85\u202e"
    await ErrorBoundary(Inner(KeyError("a bug")))(Request("GET", path))

    [record] = caplog.records
    assert record.getMessage().isprintable()


async def test_a_cancelled_request_is_not_answered() -> None:
    with pytest.raises(asyncio.CancelledError):
        await ErrorBoundary(Inner(asyncio.CancelledError()))(Request())


# SameOrigin.


def from_page(method: str, origin: str | None, host: str = "localhost:3000") -> Request:
    """Return a request as a browser sends it for a page of this origin."""
    headers = {"host": host} if origin is None else {"host": host, "origin": origin}
    return Request(method, "/tasks", headers=headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "CONNECT"])
@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://evil.example",
        "https://localhost:3000",
        "http://localhost:3001",
        "http://localhost",
        "http://localhost:30000",
        "http://localhost:3000.evil.example",
        "http://127.0.0.1:3000",
        "localhost:3000",
    ],
)
async def test_a_page_of_another_origin_changes_nothing(method: str, origin: str) -> None:
    inner = Inner()
    with pytest.raises(ForbiddenOrigin):
        await SameOrigin(inner)(from_page(method, origin))
    assert inner.requests == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_what_only_reads_passes_from_anywhere(method: str) -> None:
    inner = Inner()
    await SameOrigin(inner)(from_page(method, "http://evil.example"))
    assert len(inner.requests) == 1


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "localhost:3000"),  # no browser
        ("http://localhost:3000", "localhost:3000"),
        ("http://LOCALHOST:3000", "localhost:3000"),
        ("http://localhost", "localhost:80"),
        ("http://localhost:80", "localhost"),
        ("http://[::1]:3000", "[::1]:3000"),
    ],
)
async def test_a_page_of_our_own_may_change_tasks(origin: str | None, host: str) -> None:
    inner = Inner()
    await SameOrigin(inner)(from_page("POST", origin, host))
    assert len(inner.requests) == 1


# The whole.


async def test_everything_inside_becomes_an_answer(client: Client) -> None:
    assert (await client.ask("GET", "/nowhere")).status == 404
    assert (await client.ask("PUT", "/tasks")).status == 405
    assert (await client.ask("BREW", "/tasks")).status == 501
    assert (await client.ask("GET", "/tasks", host="a b")).status == 400
    foreign = await client.ask("POST", "/tasks", {"title": "x"}, origin="http://evil.example")
    assert foreign.status == 403
    assert await client.shown("/tasks") == []


async def test_a_foreign_origin_is_refused_before_the_path_is_looked_at(client: Client) -> None:
    assert (await client.ask("POST", "/nowhere", origin="null")).status == 403
