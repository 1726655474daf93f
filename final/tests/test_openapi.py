"""The document at `/openapi.json` describes every route, and nothing else."""

import json
import re
import sys
from dataclasses import replace
from typing import Any

import pytest
from described import DOCUMENT, check_described, resolved
from hypothesis import example, given
from hypothesis import strategies as st
from in_process import SETTINGS, TOKENS, Client, code_of, details_of, new_client

from taskflow import errors
from taskflow.app import DEMO_ROUTE
from taskflow.context import Context
from taskflow.errors import TaskflowError, ValidationError
from taskflow.http import Handler, Request, Response
from taskflow.openapi.document import DESCRIBED
from taskflow.openapi.schemas import SPACES, TITLE
from taskflow.router import Router
from taskflow.tasks import check_fields

OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}
ID = "00000000-0000-4000-8000-000000000000"


def anonymous(client: Client) -> Client:
    """Return a client of the same application without a token."""
    return Client(client.app, token="")


async def routes_of(monkeypatch: pytest.MonkeyPatch, demos: bool) -> tuple[set[str], Any]:
    """Return the routes of an application, and its document."""
    recorded: set[str] = set()

    class RecordingRouter(Router):
        def __init__(self, routes: dict[str, Handler]) -> None:
            recorded.update(routes)
            super().__init__(routes)

    monkeypatch.setattr("taskflow.app.Router", RecordingRouter)
    async with new_client(replace(SETTINGS, demos=demos)) as client:
        return recorded, await client.shown("/openapi.json")


# The document is complete.


async def test_every_route_is_described_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    routes, shown = await routes_of(monkeypatch, demos=True)
    assert routes == DESCRIBED.keys() == OPERATIONS.keys()
    assert shown == json.loads(json.dumps(DOCUMENT))


async def test_without_demos_they_are_not_described(monkeypatch: pytest.MonkeyPatch) -> None:
    routes, shown = await routes_of(monkeypatch, demos=False)

    assert routes == {route for route in DESCRIBED if not DEMO_ROUTE.fullmatch(route)}
    assert shown["paths"].keys() == {route.split(" ")[1] for route in routes}
    assert shown["paths"].keys() < DOCUMENT["paths"].keys()


def test_every_code_is_described() -> None:
    codes = {
        error.code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, TaskflowError)
    }
    described: set[str] = set()
    for response in DOCUMENT["components"]["responses"].values():
        schema = response["content"]["application/json"]["schema"]["allOf"][1]
        described.update(schema["properties"]["error"]["properties"]["code"]["enum"])
    assert described == codes


def test_check_described_rejects_a_response_that_is_not_described() -> None:
    request = Request("GET", "/health", context=Context(route="/health"))
    good = Response(200, b"{}", {"X-Request-Id": "1"})
    check_described(request, good)
    for bad in (
        Response(201, b"{}", {"X-Request-Id": "1"}),
        Response(200, b"{}"),
        Response(200, b"{}", {"X-Request-Id": "1", "Location": "/"}),
        Response(200, b"{}", {"X-Request-Id": "1"}, "text/plain"),
        Response(404, b'{"error":{"code":"NOT_FOUND"}}', {"X-Request-Id": "1"}),
        Response(400, b'{"error":{"code":"NOT_FOUND"}}', {"X-Request-Id": "1"}),
    ):
        with pytest.raises(AssertionError):
            check_described(request, bad)


# The document is consistent.


def references(part: object) -> list[str]:
    """Return all references in a part of the document."""
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [reference for value in part.values() for reference in references(value)]
    if isinstance(part, list):
        return [reference for value in part for reference in references(value)]
    return []


def test_references_lead_somewhere_and_everything_named_is_used() -> None:
    used = set(references(DOCUMENT))
    for reference in used:
        assert resolved({"$ref": reference})
    named = {
        f"#/components/{kind}/{name}"
        for kind, pieces in DOCUMENT["components"].items()
        for name in pieces
    }
    unused = {name.rpartition("/")[2] for name in named - used}
    # The document uses these two by their names, or for requests that match no operation.
    assert unused == {"bearer", "METHOD_NOT_ALLOWED.Allow"}


def test_names_for_programs_are_unique_and_links_use_them() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    for operation in OPERATIONS.values():
        for response in operation["responses"].values():
            for link in resolved(response).get("links", {}).values():
                assert link["operationId"] in names


def test_every_operation_and_response_has_a_description() -> None:
    for operation in OPERATIONS.values():
        assert re.fullmatch(r"[A-Z].*[^.]", operation["summary"])
        for response in operation["responses"].values():
            assert resolved(response)["description"]


def test_what_a_body_may_be_is_described() -> None:
    types = {
        route: [*operation["requestBody"]["content"]]
        for route, operation in OPERATIONS.items()
        if "requestBody" in operation
    }
    merge_patch = "application/merge-patch+json"
    assert types["PATCH /tasks/{id}"] == ["application/json", merge_patch]
    assert types["PUT /tasks/{id}"] == types["POST /tasks"] == ["application/json"]
    for route in types:
        refusal = resolved(OPERATIONS[route]["responses"]["415"])
        assert "Accept-Encoding" in refusal["headers"]


def test_the_paging_of_the_queue_is_described() -> None:
    operation = OPERATIONS["GET /tasks/queue"]
    assert [parameter["name"] for parameter in operation["parameters"]] == ["limit"]
    assert "X-Total-Count" in operation["responses"]["200"]["headers"]


def test_the_websocket_is_described() -> None:
    operation = OPERATIONS["GET /ws/tasks"]
    assert operation["responses"].keys() >= {"101", "400", "401", "403", "426"}
    for word in ("connection.ready", "subscribe", "since", "history.gap", "1013", "bearer.TOKEN"):
        assert word in operation["description"]


# The document is true.


async def test_it_needs_no_token_and_is_encoded_once(client: Client) -> None:
    first = await anonymous(client).ask("GET", "/openapi.json")
    second = await client.ask("HEAD", "/openapi.json")

    assert (first.status, second.status) == (200, 200)
    assert isinstance(first.body, bytes)
    assert json.loads(first.body)["openapi"] == "3.1.0"
    # The connection leaves the body out of the response to HEAD.
    assert first.body is second.body
    assert first.content_type == "application/json; charset=utf-8"


@pytest.mark.parametrize("route", OPERATIONS)
async def test_each_route_needs_the_described_token(client: Client, route: str) -> None:
    method, path = route.replace("{id}", ID).split(" ")
    security = OPERATIONS[route].get("security", DOCUMENT["security"])

    without = await anonymous(client).ask(method, path)
    assert (without.status == 401) == bool(security)
    if method != "GET":
        refused = await Client(client.app, TOKENS.user).ask(method, path)
        assert (refused.status, security) == (403, [{"bearer": ["admin"]}])


NUMBERS = [
    (route, parameter["name"], parameter["schema"])
    for route, operation in OPERATIONS.items()
    for parameter in operation.get("parameters", [])
    if parameter["schema"].get("type") == "integer"
]


@pytest.mark.parametrize(("route", "name", "schema"), NUMBERS)
async def test_the_bounds_of_numbers_are_those_of_the_server(
    client: Client, route: str, name: str, schema: dict[str, int]
) -> None:
    method, path = route.split(" ")
    refused = await client.ask(method, f"{path}?{name}={schema['maximum'] + 1}")
    reason = f"must be from {schema['minimum']} to {schema['maximum']}"
    assert (code_of(refused), details_of(refused)["reason"]) == ("VALIDATION_ERROR", reason)


def test_spaces_are_those_that_python_strips() -> None:
    spaces = re.compile(f"[{SPACES}]")
    for number in range(sys.maxunicode + 1):
        assert bool(spaces.fullmatch(chr(number))) == chr(number).isspace()


@given(st.text("\0\x1c\x85\ufeff\n a😀", max_size=8), st.sampled_from(["", "x" * 198, "x" * 199]))
@example("😀" * 2, "x" * 198)
@example(" ", "")
def test_the_pattern_of_a_title_accepts_what_the_server_accepts(text: str, more: str) -> None:
    title = text[:4] + more + text[4:]
    try:
        check_fields({"title": title})
    except ValidationError:
        assert re.search(TITLE, title) is None
    else:
        assert re.search(TITLE, title)


async def test_a_handshake_gets_a_described_response(client: Client) -> None:
    key = {"sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ==", "sec_websocket_version": "13"}
    good = {"connection": "Upgrade", "upgrade": "websocket", **key}
    for status, headers in (
        (101, good),
        (101, good | {"sec_websocket_protocol": "taskflow"}),
        (400, good | {"sec_websocket_key": ""}),
        (426, good | {"sec_websocket_version": "8"}),
        (426, {}),
    ):
        response = await client.ask("GET", "/ws/tasks", None, b"", **headers)
        assert response.status == status
