"""Where errors become answers, and what is there at all."""

import asyncio
import json
import logging
from datetime import UTC, datetime

import pytest
from in_process import TOKENS, Client, body_of, code_of, details_of, error_of

from taskflow.app import ErrorBoundary
from taskflow.errors import (
    BadRequest,
    MethodNotAllowed,
    TaskNotFound,
    ValidationError,
)
from taskflow.http import Request, Response


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


def asked(method: str = "", path: str = "", refusal: BadRequest | None = None) -> Request:
    """Return a request as it comes to the boundary: with an id."""
    return Request(method, path, refusal=refusal, context={"id": "an-id"})


async def test_an_answer_passes_the_boundary_as_it_is() -> None:
    inner = Inner()
    assert await ErrorBoundary(inner)(Request()) is inner.outcome


async def test_a_refusal_becomes_an_answer() -> None:
    response = await ErrorBoundary(Inner(TaskNotFound("no such task")))(asked())

    error = json.loads(body_of(response))["error"]
    assert response.status == 404
    assert datetime.fromisoformat(error.pop("timestamp")).tzinfo is UTC
    assert error == {
        "code": "TASK_NOT_FOUND",
        "message": "no such task",
        "requestId": "an-id",
        "details": {},
    }
    assert list(json.loads(body_of(response))) == ["error"]


async def test_the_details_of_a_refusal_are_for_programs() -> None:
    refusal = ValidationError("title", "is required")
    response = await ErrorBoundary(Inner(refusal))(asked())
    assert (response.status, error_of(response)) == (422, "title: is required")
    assert details_of(response) == {"field": "title", "reason": "is required"}


async def test_the_headers_of_a_refusal_are_answered_too() -> None:
    response = await ErrorBoundary(Inner(MethodNotAllowed("PUT", "GET, HEAD")))(asked())
    assert (response.status, response.headers) == (405, {"Allow": "GET, HEAD"})


async def test_a_refusal_of_the_parser_does_not_reach_what_is_inside() -> None:
    inner = Inner()
    response = await ErrorBoundary(inner)(asked(refusal=BadRequest("no HTTP")))

    assert (response.status, error_of(response)) == (400, "no HTTP")
    assert inner.requests == []


async def test_a_bug_answers_500_and_is_logged_but_not_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    response = await ErrorBoundary(Inner(KeyError("secret")))(asked("GET", "/tasks"))

    assert (response.status, code_of(response)) == (500, "INTERNAL_ERROR")
    assert details_of(response) == {}
    assert b"secret" not in body_of(response)
    assert b"KeyError" not in body_of(response)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "GET /tasks failed (request an-id)"
    assert "KeyError: 'secret'" in caplog.text


async def test_a_cancelled_request_is_not_answered() -> None:
    with pytest.raises(asyncio.CancelledError):
        await ErrorBoundary(Inner(asyncio.CancelledError()))(asked())


# The whole.


async def test_everything_inside_becomes_an_answer(client: Client) -> None:
    assert (await client.ask("GET", "/nowhere")).status == 404
    assert (await client.ask("PUT", "/tasks")).status == 405
    assert (await client.ask("BREW", "/tasks")).status == 501
    assert (await client.ask("GET", "/tasks", host="a b")).status == 400
    foreign = await client.ask("POST", "/tasks", {"title": "x"}, origin="http://evil.example")
    assert foreign.status == 403
    assert await client.shown("/tasks") == []


async def test_every_refusal_has_the_one_shape_and_the_id_of_its_request(client: Client) -> None:
    anonymous, user = Client(client.app, token=""), Client(client.app, TOKENS.user)
    evil = "http://evil.example"
    for response, status, code in [
        (await client.ask("GET", "/tasks", host="a b"), 400, "BAD_REQUEST"),
        (await client.ask("POST", "/tasks", body=b"{"), 400, "INVALID_JSON"),
        (await anonymous.ask("GET", "/tasks"), 401, "INVALID_TOKEN"),
        (await user.ask("POST", "/tasks"), 403, "INSUFFICIENT_PERMISSIONS"),
        (await client.ask("POST", "/tasks", origin=evil), 403, "FORBIDDEN_ORIGIN"),
        (await client.ask("GET", "/nowhere"), 404, "NOT_FOUND"),
        (await client.ask("GET", "/tasks/1"), 404, "TASK_NOT_FOUND"),
        (await client.ask("PUT", "/tasks"), 405, "METHOD_NOT_ALLOWED"),
        (await client.ask("POST", "/tasks", content_length="9999999"), 413, "PAYLOAD_TOO_LARGE"),
        (await client.ask("POST", "/tasks", content_type="a/b"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (await client.ask("POST", "/tasks", {"title": 1}), 422, "VALIDATION_ERROR"),
        (await client.ask("GET", "/" + "x" * 20_000), 431, "HEADERS_TOO_LARGE"),
        (await client.ask("BREW", "/tasks"), 501, "NOT_IMPLEMENTED"),
    ]:
        assert (response.status, code_of(response)) == (status, code)
        error = json.loads(response.body)["error"]
        assert error.keys() == {"code", "message", "requestId", "timestamp", "details"}
        assert response.headers["X-Request-Id"] == error["requestId"]


async def test_two_refusals_at_once_have_their_own_ids(client: Client) -> None:
    first, second = await asyncio.gather(*(client.ask("GET", "/nowhere") for _ in range(2)))
    for response in first, second:
        assert json.loads(response.body)["error"]["requestId"] == response.headers["X-Request-Id"]
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]


async def test_a_foreign_origin_is_refused_before_the_path_is_looked_at(client: Client) -> None:
    assert (await client.ask("POST", "/nowhere", origin="null")).status == 403
