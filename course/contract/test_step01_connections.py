"""Step 1: the life of a connection: keep-alive, pipelining, ends, and clients that misbehave."""

from __future__ import annotations

import pytest

from .api import MORE_THAN_BUFFERS, Api

MIB = 1_048_576


# Keep-alive


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("HTTP/1.1", []),
        ("HTTP/1.1", ["Connection: keep-alive"]),
        ("HTTP/1.1", ["Connection: closed"]),
        ("HTTP/1.0", ["Connection: keep-alive"]),
        ("HTTP/1.0", ["Connection: Keep-Alive"]),
    ],
)
def test_a_connection_stays_open(api: Api, version: str, fields: list[str]) -> None:
    connection = api.connect()
    for _ in range(3):
        connection.send(api.head("GET", "/health", *fields, version=version))
        answer = connection.answer().expect(200)
        if version == "HTTP/1.0":  # an old client must be told
            assert "keep-alive" in {option.lower() for option in answer.options("connection")}


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("HTTP/1.1", ["Connection: close"]),
        ("HTTP/1.1", ["Connection: Close"]),
        ("HTTP/1.1", ["Connection: x-name, close"]),
        ("HTTP/1.1", ["Connection: keep-alive", "Connection: close"]),
        ("HTTP/1.0", []),
        ("HTTP/1.0", ["Connection: close"]),
        ("HTTP/1.0", ["Connection: keep-alive, close"]),
    ],
)
def test_a_connection_is_closed(api: Api, version: str, fields: list[str]) -> None:
    """And a request behind the last one is not answered."""
    request = api.head("GET", "/health", *fields, version=version)
    connection = api.say(request + api.request("GET", "/tasks"))
    connection.answer().expect(200)
    connection.ended()


def test_the_last_answer_arrives_though_the_client_goes_on_sending(api: Api) -> None:
    """The server discards what comes behind it: a reset would destroy the answer."""
    request = api.request("GET", "/health", "Connection: close")
    connection = api.say(request + b"x" * MORE_THAN_BUFFERS)
    connection.answer().expect(200)
    connection.ended()


def test_an_error_that_is_no_fault_of_the_message_keeps_the_connection(api: Api) -> None:
    connection = api.connect()
    for request, code in (
        (api.request("GET", "/nowhere"), "NOT_FOUND"),
        (api.request("POST", "/health"), "METHOD_NOT_ALLOWED"),
        (api.request("POST", "/tasks", body=b"{"), "INVALID_JSON"),
        (api.request("POST", "/tasks", value={}), "MISSING_REQUIRED_FIELD"),
        (api.request("POST", "/tasks", "Origin: null", value={}), "FORBIDDEN_ORIGIN"),
        (api.request("POST", "/tasks", "Content-Type: text/plain"), "UNSUPPORTED_MEDIA_TYPE"),
    ):
        connection.send(request)
        api.refused(connection.answer(), code)
    connection.send(api.request("GET", "/health"))
    connection.answer().expect(200)


# Pipelining


def test_pipelined_requests_are_answered_in_order(api: Api) -> None:
    tasks = api.create_all([{"title": f"task {number}"} for number in range(10)])
    order = [tasks[number * 7 % 10] for number in range(100)]
    connection = api.connect()
    connection.send(b"".join(api.request("GET", f"/tasks/{task['id']}") for task in order))
    assert [connection.answer().expect(200).json() for _ in order] == order


def test_pipelined_requests_of_all_kinds_keep_their_bounds(api: Api) -> None:
    connection = api.say(
        api.request("POST", "/tasks", value={"title": "first"})
        + api.request("HEAD", "/health")
        + api.request("GET", "/nowhere")
        + api.request("POST", "/tasks", body=b"not JSON")
        + api.request("POST", "/tasks", value={"title": "last"})
    )
    assert connection.answer("POST").expect(201).json()["title"] == "first"
    connection.answer("HEAD").expect(200)
    connection.answer("GET").expect(404)
    connection.answer("POST").expect(400)
    assert connection.answer("POST").expect(201).json()["title"] == "last"


@pytest.mark.parametrize("garbage", [b"\x00\x01\x02\r\n\r\n", b"G@RBAGE\r\n\r\n", b"GET /\n"])
def test_a_good_request_is_answered_whatever_follows(api: Api, garbage: bytes) -> None:
    connection = api.say(
        api.request("GET", "/health")
        + api.request("POST", "/tasks", value={"title": "before garbage"})
        + garbage
    )
    connection.answer().expect(200)
    connection.answer("POST").expect(201)
    api.refused(connection.answer(), "BAD_REQUEST")
    connection.ended()


# Ends


def test_a_client_that_has_sent_its_end_still_gets_its_answers(api: Api) -> None:
    connection = api.say(
        api.request("GET", "/health")
        + api.request("POST", "/tasks", value={"title": "before the end"})
        + api.request("GET", "/tasks/unknown")
    )
    connection.end()
    connection.answer().expect(200)
    connection.answer("POST").expect(201)
    connection.answer().expect(404)
    connection.ended()


def test_many_pipelined_requests_before_the_end_are_all_answered(api: Api) -> None:
    """More than a server reads ahead: it learns of the end only when it has caught up."""
    connection = api.say(api.request("GET", "/health", "X-Name: " + "x" * 100) * 1_500)
    connection.end()
    for _ in range(1_500):
        connection.answer().expect(200)
    connection.ended()


@pytest.mark.parametrize(
    "part", [b"", b"\r\n", b"GET /hea", b"GET /health HTTP/1.1\r\nHost: a\r\n"]
)
def test_an_end_inside_a_head_ends_the_connection(api: Api, part: bytes) -> None:
    """With a refusal or without; but it does not hang."""
    connection = api.say(api.request("GET", "/health") + part)
    connection.end()
    connection.answer().expect(200)
    connection.rest()


def test_an_end_inside_a_body_ends_the_connection(api: Api) -> None:
    connection = api.say(api.head("POST", "/tasks", "Content-Length: 50") + b'{"title": "cut o')
    connection.end()
    connection.rest()
    assert "cut o" not in [task["title"] for task in api.tasks()]


@pytest.mark.parametrize("path", ["/tasks", "/nowhere"])
def test_clients_that_leave_rudely_harm_nobody(api: Api, path: str) -> None:
    for sent in (
        b"GET /hea",
        api.head("POST", path, "Content-Length: 50") + b'{"title',
        api.request("GET", path) * 20,
    ):
        api.say(sent).reset()
    api.ask("GET", "/health").expect(200)


def test_a_client_that_never_reads_makes_the_server_stop_reading(api: Api) -> None:
    """Its answers are not piled up in memory, others are served, and nothing is lost."""
    task = api.create(title="large", description="x" * 10_000)
    request = api.request("GET", f"/tasks/{task['id']}", "X-Name: " + "x" * 4000)
    deaf = api.connect(buffers=65_536)
    sent = deaf.send_until_blocked(request, most=32 * MIB)
    assert sent < 32 * MIB, f"the server took {sent:,} bytes of requests whose answers nobody read"
    api.ask("GET", "/health").expect(200)
    whole, part = divmod(sent, len(request))
    for _ in range(whole):
        assert deaf.answer().expect(200).json() == task
    if part:
        deaf.send(request[part:])
        deaf.answer().expect(200)
    deaf.send(api.request("GET", "/health"))
    deaf.answer().expect(200)
