"""Step 6: each answer has an id, the client's own if it is a good one."""

from __future__ import annotations

import uuid

import pytest

from .answer import Answer
from .api import Api


def check_new(api: Api, answer: Answer) -> str:
    """The id of an answer is a UUID, as UUIDs are written."""
    request_id = api.request_id(answer)
    assert str(uuid.UUID(request_id)) == request_id
    return request_id


@pytest.mark.parametrize(
    "request_id",
    ["a", "0", ".", "-", "_", "A-Z.a_z-09", "x" * 64, "6F9619FF-8B86-D011-B42D-00CF4FC964FF"],
)
def test_a_good_id_of_the_client_comes_back(api: Api, stranger: Api, request_id: str) -> None:
    """With every answer; and in the body of a refusal, which `refused` looks at."""
    field = f"X-Request-Id: {request_id}"
    for answer, status in (
        (api.ask("GET", "/health", field), 200),
        (api.ask("POST", "/tasks", field, value={"title": "a"}), 201),
        (api.ask("HEAD", "/nowhere", field), 404),
        (api.ask("POST", "/tasks", field, body=b"{"), 400),
        (stranger.ask("GET", "/tasks", field), 401),
        (api.ask("GET", "/demo/error/internal", field), 500),
    ):
        assert answer.expect(status).field("x-request-id") == request_id
    api.refused(api.ask("GET", "/nowhere", field), "NOT_FOUND")


@pytest.mark.parametrize(
    "request_id",
    [
        "",
        "x" * 65,
        "x" * 2000,
        "a b",
        "a\tb",
        "a,b",
        "a;b",
        "a/b",
        'a"b',
        "{}",
        "a:b",
        "a%0d%0aX-Evil:1",
        "\xe9",
        "\xb2",
        "<script>",
    ],
)
def test_any_other_id_is_replaced(api: Api, request_id: str) -> None:
    answer = api.ask("GET", "/nowhere", f"X-Request-Id: {request_id}")
    assert check_new(api, answer) != request_id
    api.refused(answer, "NOT_FOUND")


def test_ids_of_the_server_are_all_different(api: Api) -> None:
    connection = api.say(api.request("GET", "/health") * 50)
    assert len({check_new(api, connection.answer()) for _ in range(50)}) == 50


def test_each_of_pipelined_requests_keeps_its_id(api: Api) -> None:
    names = [f"request-{number}" for number in range(20)]
    connection = api.say(
        b"".join(api.request("GET", "/tasks?limit=1", f"X-Request-Id: {name}") for name in names)
    )
    assert [connection.answer().field("x-request-id") for _ in names] == names


def test_an_id_is_not_kept_for_the_next_request(api: Api) -> None:
    connection = api.say(
        api.request("GET", "/health", "X-Request-Id: mine") + api.request("GET", "/health")
    )
    assert connection.answer().field("x-request-id") == "mine"
    check_new(api, connection.answer())


@pytest.mark.parametrize("beginning", [b"\n", b"BREW / HTTP/1.1\r\n", b"GET / HTTP/2.0\r\n"])
def test_what_is_no_request_gets_an_id_too(api: Api, beginning: bytes) -> None:
    check_new(api, api.say(beginning).answer())


def test_an_answer_without_a_body_has_an_id(empty: Api) -> None:
    task = empty.create()
    answer = empty.ask("DELETE", f"/tasks/{task['id']}", "X-Request-Id: gone").expect(204)
    assert answer.field("x-request-id") == "gone"
    check_new(empty, empty.ask("POST", "/tasks/claim").expect(204))
