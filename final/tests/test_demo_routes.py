"""The examples of errors, each of which answers what it stands for, and streams of any length."""

import csv
import json
from collections.abc import AsyncGenerator, Iterator

import pytest
from in_process import TOKENS, Client, code_of, details_of

from taskflow import demo_routes
from taskflow.demo_routes import EXAMPLES
from taskflow.streaming import ROWS

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


# Streams.


@pytest.mark.parametrize("count", [1, 3, 501])
async def test_rows_are_made_up_as_csv_and_as_lines(client: Client, count: int) -> None:
    table = await client.ask("GET", f"/demo/stream/csv?count={count}")
    lines = await client.ask("GET", f"/demo/stream/ndjson?count={count}")

    rows = [[number, f"Task {number}", number % 10] for number in range(1, count + 1)]
    assert table.content_type == "text/csv; charset=utf-8"
    assert list(csv.reader(table.body.decode().splitlines())) == [
        ["id", "title", "priority"],
        *([str(value) for value in row] for row in rows),
    ]
    assert lines.content_type == "application/x-ndjson"
    assert [list(json.loads(line).values()) for line in lines.body.splitlines()] == rows
    assert json.loads(lines.body.splitlines()[0]).keys() == {"id", "title", "priority"}


@pytest.mark.parametrize(("query", "count"), [("", 50_000), ("?count=300000", 300_000)])
async def test_how_many_rows_there_are(client: Client, query: str, count: int) -> None:
    table = await client.ask("GET", f"/demo/stream/csv{query}")
    assert table.body.count(b"\r\n") == count + 1
    assert table.body.endswith(b"\r\n%d,Task %d,%d\r\n" % (count, count, count % 10))


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
@pytest.mark.parametrize("count", ["0", "300001", "-1", "", "many", "1.5", "1&count=1"])
async def test_a_bad_number_of_rows_is_refused_before_anything_is_sent(
    client: Client, kind: str, count: str
) -> None:
    response = await client.ask("GET", f"/demo/stream/{kind}?count={count}")
    assert (response.status, code_of(response)) == (422, "VALIDATION_ERROR")
    assert details_of(response)["field"] == "count"


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
async def test_rows_are_made_only_as_they_are_taken(
    client: Client, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_routes, "range", counted := Counted(), raising=False)
    _, response = await client.begin("GET", f"/demo/stream/{kind}?count=300000")
    assert isinstance(response.body, AsyncGenerator)
    pieces = response.body
    if kind == "csv":
        await anext(pieces)  # the names of the columns
    assert counted.taken == 0
    await anext(pieces)
    assert counted.taken == ROWS
    await pieces.aclose()


class Counted:
    """A `range` that counts what was taken from it."""

    def __init__(self) -> None:
        self.taken = 0

    def __call__(self, start: int, end: int) -> Iterator[int]:
        for number in range(start, end):
            self.taken += 1
            yield number
