"""Step 1: where a request ends: lengths, codings, bodies that nobody reads, `Expect`.

Two readers who disagree about the end of a request let an attacker hide a second
request in the first (request smuggling). So what is unclear is refused.
"""

from __future__ import annotations

import json

import pytest

from .api import MORE_THAN_BUFFERS, Api
from .changes import CHUNKED, before

MIB = 1_048_576


def json_of_size(size: int) -> bytes:
    """A valid task whose body has this many bytes; most are white space."""
    body = json.dumps({"title": "large"}).encode()
    return body[:-1] + b" " * (size - len(body)) + b"}"


# Content-Length


@pytest.mark.parametrize(
    "length",
    [
        "",
        "+5",
        "-1",
        "5,5",
        "5, 5",
        "5 5",
        "5;",
        "0x5",
        "5.0",
        "1e1",
        "five",
        "1_0",
        "\xb2",
        "9" * 16,
    ],
)
def test_a_length_that_is_not_1_to_15_digits_is_refused(api: Api, length: str) -> None:
    head = api.head("POST", "/tasks", f"Content-Length: {length}")
    api.refused_message(head, "BAD_REQUEST")


@pytest.mark.parametrize("second", ["5", "6", ""])
def test_a_repeated_length_is_refused(api: Api, second: str) -> None:
    head = api.head("POST", "/tasks", "Content-Length: 5", f"content-length: {second}")
    api.refused_message(head + b"hello", "BAD_REQUEST")


def test_a_bad_length_is_refused_on_any_method(api: Api) -> None:
    api.refused_message(api.head("GET", "/health", "Content-Length: -1"), "BAD_REQUEST")


def test_a_length_of_15_digits_is_read_as_a_number(api: Api) -> None:
    """Zeros in front count as digits."""
    connection = api.say(api.head("POST", "/tasks", "Content-Length: 000000000000002") + b"{}")
    api.refused(connection.answer("POST"), "MISSING_REQUIRED_FIELD")


# Transfer-Encoding


@pytest.mark.parametrize("coding", ["chunked", "gzip", "identity"])
def test_length_and_coding_together_are_refused(api: Api, coding: str) -> None:
    """The classic of request smuggling."""
    for fields in (
        ["Content-Length: 5", f"Transfer-Encoding: {coding}"],
        [f"Transfer-Encoding: {coding}", "Content-Length: 5"],
    ):
        api.refused_message(api.head("POST", "/tasks", *fields) + b"0\r\n\r\n", "BAD_REQUEST")


def test_a_coding_in_1_0_is_refused(api: Api) -> None:
    head = api.head("POST", "/tasks", "Transfer-Encoding: chunked", version="HTTP/1.0")
    api.refused_message(head + b"0\r\n\r\n", "BAD_REQUEST")


@pytest.mark.parametrize("coding", ["gzip", "identity", "x-unknown", "chunkedd", "xchunked"])
def test_an_unknown_coding_is_not_implemented(api: Api, coding: str) -> None:
    head = api.head("POST", "/tasks", f"Transfer-Encoding: {coding}")
    api.refused_message(head + b"0\r\n\r\n", "NOT_IMPLEMENTED")


@before(CHUNKED)
@pytest.mark.parametrize("coding", ["chunked", "Chunked", "gzip, chunked"])
def test_chunks_are_not_implemented_yet(api: Api, coding: str) -> None:
    head = api.head("POST", "/tasks", f"Transfer-Encoding: {coding}")
    api.refused_message(head + b"0\r\n\r\n", "NOT_IMPLEMENTED")


# Large bodies


def test_a_body_of_1_mib_is_read(api: Api) -> None:
    answer = api.ask("POST", "/tasks", body=json_of_size(MIB))
    assert answer.expect(201).json()["title"] == "large"


@pytest.mark.parametrize(
    ("path", "code"), [("/tasks", "PAYLOAD_TOO_LARGE"), ("/nowhere", "NOT_FOUND")]
)
def test_the_refusal_of_a_large_body_arrives_though_all_of_it_is_sent(
    api: Api, path: str, code: str
) -> None:
    """The server discards the body: a reset would destroy the answer."""
    connection = api.say(api.request("POST", path, body=b" " * MORE_THAN_BUFFERS))
    api.refused(connection.answer("POST"), code)
    connection.ended()


def test_a_body_of_1_mib_and_one_byte_is_refused(api: Api) -> None:
    connection = api.say(api.request("POST", "/tasks", body=json_of_size(MIB + 1)))
    api.refused(connection.answer("POST"), "PAYLOAD_TOO_LARGE")
    connection.ended()


def test_a_body_that_will_be_too_large_is_refused_before_it_comes(api: Api) -> None:
    head = api.head("POST", "/tasks", "Content-Length: 3000000")
    connection = api.say(head + b'{"title": "the beg')
    api.refused(connection.answer("POST"), "PAYLOAD_TOO_LARGE")
    connection.ended()


@pytest.mark.parametrize("length", [MIB + 1, 999_999_999_999_999])
def test_a_large_body_is_no_matter_where_none_is_asked_for(api: Api, length: int) -> None:
    """A wrong path or method is refused as such, and then the connection ends."""
    for method, path, code in (
        ("POST", "/nowhere", "NOT_FOUND"),
        ("POST", "/health", "METHOD_NOT_ALLOWED"),
        ("PUT", "/tasks", "METHOD_NOT_ALLOWED"),
    ):
        connection = api.say(api.head(method, path, f"Content-Length: {length}"))
        api.refused(connection.answer(method), code)
        connection.ended()


# Bodies that are not read


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/nowhere"), ("DELETE", "/tasks"), ("GET", "/health"), ("GET", "/tasks/unknown")],
)
def test_a_body_that_is_here_but_not_read_is_skipped(api: Api, method: str, path: str) -> None:
    """It is not taken for a request, and the connection stays."""
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    request = api.request(method, path, body=smuggled)
    connection = api.say(request + api.request("GET", "/health"))
    connection.answer(method)
    assert connection.answer().expect(200).json()["status"] == "healthy"


def test_a_body_that_is_not_read_and_not_wholly_here_ends_the_connection(api: Api) -> None:
    connection = api.say(api.head("POST", "/nowhere", "Content-Length: 100") + b"only a part")
    api.refused(connection.answer("POST"), "NOT_FOUND")
    connection.ended()


def test_a_body_that_is_waited_for_may_come_in_pieces(api: Api) -> None:
    body = json.dumps({"title": "in pieces"}).encode()
    connection = api.connect()
    api.send_apart(connection, [api.head("POST", "/tasks", f"Content-Length: {len(body)}")])
    api.send_apart(connection, [body[:5], body[5:6], body[6:]])
    assert connection.answer("POST").expect(201).json()["title"] == "in pieces"
    connection.send(api.request("GET", "/health"))
    connection.answer().expect(200)


# Expect: 100-continue


@pytest.mark.parametrize("expectation", ["100-continue", "100-Continue"])
def test_a_client_that_asks_is_told_to_continue(api: Api, expectation: str) -> None:
    body = json.dumps({"title": "after 100"}).encode()
    fields = [f"Content-Length: {len(body)}", f"Expect: {expectation}"]
    connection = api.say(api.head("POST", "/tasks", *fields))
    assert connection.interim() == 100
    connection.send(body + api.request("GET", "/health"))
    answer = connection.answer("POST").expect(201)
    assert answer.interim == ()
    assert answer.json()["title"] == "after 100"
    connection.answer().expect(200)


def test_the_client_is_told_to_continue_only_once(api: Api) -> None:
    """However many pieces its body comes in."""
    body = json.dumps({"title": "in pieces"}).encode()
    fields = [f"Content-Length: {len(body)}", "Expect: 100-continue"]
    connection = api.say(api.head("POST", "/tasks", *fields))
    assert connection.interim() == 100
    api.send_apart(connection, [body[:5], body[5:9], body[9:]])
    assert connection.answer("POST").expect(201).interim == ()


@pytest.mark.parametrize(
    ("method", "path", "fields", "code"),
    [
        ("POST", "/nowhere", ["Content-Length: 9"], "NOT_FOUND"),
        ("PUT", "/tasks", ["Content-Length: 9"], "METHOD_NOT_ALLOWED"),
        ("POST", "/tasks", ["Content-Length: 9", "Origin: http://a.example"], "FORBIDDEN_ORIGIN"),
        ("POST", "/tasks", ["Content-Length: 1048577"], "PAYLOAD_TOO_LARGE"),
        (
            "POST",
            "/tasks",
            ["Content-Length: 9", "Content-Type: text/plain"],
            "UNSUPPORTED_MEDIA_TYPE",
        ),
    ],
)
def test_a_request_refused_by_its_head_gets_the_final_status_at_once(
    api: Api, method: str, path: str, fields: list[str], code: str
) -> None:
    """No `100 Continue` first. The body will not come, so the connection ends."""
    connection = api.say(api.head(method, path, *fields, "Expect: 100-continue"))
    answer = connection.answer(method)
    api.refused(answer, code)
    assert answer.interim == ()
    connection.ended()


def test_a_body_that_did_not_wait_for_100_is_read(api: Api) -> None:
    """By then 100 may be said or left out (RFC 9110, 10.1.1)."""
    request = api.request("POST", "/tasks", "Expect: 100-continue", value={"title": "hasty"})
    answer = api.say(request).answer("POST").expect(201)
    assert answer.interim in ((), (100,))


def test_1_0_knows_no_100(api: Api) -> None:
    body = json.dumps({"title": "1.0"}).encode()
    fields = [f"Content-Length: {len(body)}", "Expect: 100-continue"]
    connection = api.connect()
    api.send_apart(connection, [api.head("POST", "/tasks", *fields, version="HTTP/1.0")])
    connection.send(body)
    assert connection.answer("POST").expect(201).interim == ()
