"""Step 1: how a head arrives: refused as soon as it can be, bounded, and cut anywhere."""

from __future__ import annotations

import pytest

from .api import MORE_THAN_BUFFERS, Api

HOST = b"Host: localhost\r\n"


# As it arrives


@pytest.mark.parametrize(
    "beginning",
    [
        b"\n",
        b"GET /health HTTP/1.1\n",
        b"GET /hea\nlth",
        b"GET /health HTTP/1.1\r\nHost: localhost\n",
        b"GET /health HTTP/1.1\r\nHost: local\nhost",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\n",
        b"GET /health HTTP/1.1\rHost",
        b"GET /health HTTP/1.1\r\nHost: localhost\rX",
        b"\rGET",
    ],
)
def test_a_bare_cr_or_lf_is_refused_message(api: Api, beginning: bytes) -> None:
    """Nothing more is sent, and the refusal does not wait for it."""
    connection = api.say(beginning)
    api.refused(connection.answer(), "BAD_REQUEST")
    connection.ended()


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET /" + b"a" * 20_000,
        b"GET /health HTTP/1.1\r\nX-Name: " + b"a" * 20_000,
        b"GET /health HTTP/1.1\r\n" + (b"X-Name: " + b"a" * 900 + b"\r\n") * 20,
    ],
    ids=["request line", "one field", "many fields"],
)
def test_a_head_that_grows_too_large_is_refused_before_its_end(api: Api, beginning: bytes) -> None:
    connection = api.say(beginning)
    api.refused(connection.answer(), "HEADERS_TOO_LARGE")
    connection.ended()


def test_the_refusal_arrives_though_the_client_goes_on_sending(api: Api) -> None:
    """The server discards what comes behind it: a reset would destroy the answer."""
    connection = api.say(b"GET /health HTTP/1.1\r\nX-Name: " + b"a" * MORE_THAN_BUFFERS)
    api.refused(connection.answer(), "HEADERS_TOO_LARGE")
    connection.ended()


# Sizes


def test_a_head_of_nearly_16_kib_is_served(api: Api) -> None:
    name = b"GET /health HTTP/1.1\r\n" + HOST + b"X-Name: "
    head = name + b"a" * (16_300 - len(name)) + b"\r\n\r\n"
    api.say(head).answer().expect(200)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /?" + b"a" * 16_384 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /health HTTP/1.1\r\n" + HOST + b"X-Name: " + b"a" * 16_384 + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\n" + HOST + (b"X-Name: " + b"a" * 900 + b"\r\n") * 20 + b"\r\n",
    ],
    ids=["request line", "one field", "many fields"],
)
def test_a_head_over_16_kib_is_refused(api: Api, head: bytes) -> None:
    api.refused_message(head, "HEADERS_TOO_LARGE")


def test_100_fields_are_served_and_101_are_refused(api: Api) -> None:
    head = b"GET /health HTTP/1.1\r\n" + HOST + b"X-Name: a\r\n" * 99
    api.say(head + b"\r\n").answer().expect(200)
    api.refused_message(head + b"X-Name: a\r\n\r\n", "HEADERS_TOO_LARGE")


# Cuts, and the empty line before a request


@pytest.mark.parametrize(
    "pieces",
    [
        [b"\r\n"],
        [b"\r", b"\n"],
        [b"\r\n", b""],
    ],
    ids=["whole", "cut", "apart"],
)
def test_one_empty_line_before_a_request_is_skipped(api: Api, pieces: list[bytes]) -> None:
    connection = api.connect()
    for _ in range(2):  # before the first request, and before the next one
        api.send_apart(connection, pieces)
        connection.send(api.request("GET", "/health"))
        connection.answer().expect(200)


def test_an_empty_line_is_skipped_between_pipelined_requests(api: Api) -> None:
    """Old clients send one behind a body."""
    post = api.request("POST", "/tasks", value={"title": "followed by an empty line"})
    connection = api.say(post + b"\r\n" + api.request("GET", "/health"))
    connection.answer("POST").expect(201)
    connection.answer().expect(200)


@pytest.mark.parametrize("pieces", [[b"\r\n\r\n"], [b"\r\n", b"\r\n"], [b"\r\n\r", b"\n"]])
def test_two_empty_lines_are_refused(api: Api, pieces: list[bytes]) -> None:
    connection = api.connect()
    api.send_apart(connection, pieces[:-1])
    connection.send(pieces[-1] + api.request("GET", "/health"))
    api.refused(connection.answer(), "BAD_REQUEST")
    connection.ended()


def test_a_request_cut_anywhere_is_the_same_request(api: Api) -> None:
    value = {"title": "cut", "priority": "not a number"}
    request = b"\r\n" + api.request("POST", "/tasks", "X-Name: a", value=value)
    connection = api.connect()
    for at in range(1, len(request)):
        api.send_apart(connection, [request[:at]])
        connection.send(request[at:])
        api.refused(connection.answer("POST"), "VALIDATION_ERROR", "priority")


def test_a_request_that_comes_byte_by_byte_is_the_same_request(api: Api) -> None:
    request = api.request("POST", "/tasks", value={"title": "byte by byte"})
    connection = api.connect()
    api.send_apart(connection, [request[at : at + 1] for at in range(len(request))])
    assert connection.answer("POST").expect(201).json()["title"] == "byte by byte"
