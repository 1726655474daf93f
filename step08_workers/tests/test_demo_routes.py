"""The examples of errors: each answers what it stands for."""

import json

import pytest
from in_process import TOKENS, Client, code_of, details_of

from taskflow.demo_routes import EXAMPLES

EXPECTED = {
    "GET /demo/error/internal": (500, "INTERNAL_ERROR", {}),
    "GET /demo/error/unauthorized": (401, "INVALID_TOKEN", {}),
    "GET /demo/error/forbidden": (403, "INSUFFICIENT_PERMISSIONS", {}),
    "GET /demo/error/notfound": (404, "NOT_FOUND", {}),
    "POST /demo/error/validation": (
        422,
        "VALIDATION_ERROR",
        {"field": "title", "reason": "an example of a bad value"},
    ),
    "POST /demo/error/missingfield": (
        422,
        "MISSING_REQUIRED_FIELD",
        {"field": "title", "reason": "is required"},
    ),
}


@pytest.mark.parametrize("route", EXPECTED)
async def test_an_example_answers_what_it_stands_for(client: Client, route: str) -> None:
    method, path = route.split()
    response = await client.ask(method, path)
    status, code, details = EXPECTED[route]
    assert (response.status, code_of(response), details_of(response)) == (status, code, details)


def test_there_are_no_others() -> None:
    assert EXAMPLES.keys() == EXPECTED.keys()


async def test_the_bug_is_logged_and_not_told(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    response = await client.ask("GET", "/demo/error/internal")

    message = json.loads(response.body)["error"]["message"]
    assert message == "the server failed; its log has the details"
    assert b"ZeroDivision" not in response.body
    assert "ZeroDivisionError: a bug, made on purpose" in caplog.text


async def test_the_example_of_a_missing_token_says_which_kind_is_wanted(client: Client) -> None:
    response = await client.ask("GET", "/demo/error/unauthorized")
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_examples_need_a_token_like_all_else(client: Client) -> None:
    anonymous, user = Client(client.app, token=""), Client(client.app, TOKENS.user)
    assert (await anonymous.ask("GET", "/demo/error/notfound")).status == 401
    assert (await user.ask("GET", "/demo/error/notfound")).status == 404
    assert (await user.ask("POST", "/demo/error/validation")).status == 403
