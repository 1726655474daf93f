"""Step 1: the head of a request. What is malformed is refused, and what is not is served.

The hostile requests go to `/health`, which never needs a token.
"""

from __future__ import annotations

import pytest

from .api import MORE_THAN_BUFFERS, Api
from .changes import ALLOWED_HOSTS, before

HOST = b"Host: localhost\r\n"


def check_refused(api: Api, data: bytes, code: str) -> None:
    """One refusal, then a clean end: nothing behind it is taken for a request."""
    connection = api.say(data + b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    api.refused(connection.answer(), code)
    connection.ended()


# The request line


@pytest.mark.parametrize(
    "line",
    [
        b"GET /health",
        b"GET",
        b" /health HTTP/1.1",
        b" GET /health HTTP/1.1",
        b"GET  /health HTTP/1.1",
        b"GET /health  HTTP/1.1",
        b"GET /health HTTP/1.1 ",
        b"GET\t/health\tHTTP/1.1",
        b"GET /he alth HTTP/1.1",
        b"GET health HTTP/1.1",
        b"GET /health http/1.1",
        b"GET /health HTTP/1.10",
        b"GET /health HTTP/11",
        b"GET /health HTTP/1",
        b"GET /health HTTP/x.1",
        b"GET /health HTTPS/1.1",
        b"GET /hea\x00lth HTTP/1.1",
        b"GET /hea\x7flth HTTP/1.1",
        b"G@T /health HTTP/1.1",
        b"GE(T /health HTTP/1.1",
        b"G\xc3\x8bT /health HTTP/1.1",
    ],
)
def test_a_malformed_request_line_is_refused(api: Api, line: bytes) -> None:
    check_refused(api, line + b"\r\n" + HOST + b"\r\n", "BAD_REQUEST")


@pytest.mark.parametrize("method", ["BREW", "get", "M-SEARCH", "GETT", "X" * 40])
@pytest.mark.parametrize("path", ["/health", "/nowhere"])
def test_a_method_that_nobody_knows_is_not_implemented(api: Api, method: str, path: str) -> None:
    api.refused(api.ask(method, path), "NOT_IMPLEMENTED")


@pytest.mark.parametrize("version", ["HTTP/2.0", "HTTP/2.1", "HTTP/3.0"])
def test_another_major_version_is_not_supported(api: Api, version: str) -> None:
    line = f"GET /health {version}\r\n".encode()
    check_refused(api, line + HOST + b"\r\n", "HTTP_VERSION_NOT_SUPPORTED")


@pytest.mark.parametrize("version", ["HTTP/1.2", "HTTP/1.5", "HTTP/1.9"])
def test_a_later_minor_version_counts_as_1_1(api: Api, version: str) -> None:
    """So it is kept alive, and needs a Host."""
    connection = api.say(api.head("GET", "/health", version=version) * 2)
    connection.answer().expect(200)
    connection.answer().expect(200)
    check_refused(api, f"GET /health {version}\r\n\r\n".encode(), "BAD_REQUEST")


# Host


@pytest.mark.parametrize(
    "fields",
    [
        b"",
        b"Host:\r\n",
        b"Host: \r\n",
        b"Host: localhost\r\nHost: localhost\r\n",
        b"Host: localhost\r\nhost: other\r\n",
        b"Host: local host\r\n",
        b"Host: localhost/path\r\n",
        b"Host: localhost?query\r\n",
        b"Host: localhost#part\r\n",
        b"Host: user@localhost\r\n",
        b"Host: http://localhost\r\n",
        b"Host: localhost:port\r\n",
        b"Host: localhost:80:80\r\n",
        b"Host: localhost:-1\r\n",
        b"Host: [::1\r\n",
        b"Host: ::1\r\n",
        b"Host: <localhost>\r\n",
        b"Host: h\xc3\xb6st\r\n",
    ],
)
def test_1_1_needs_exactly_one_valid_host(api: Api, fields: bytes) -> None:
    check_refused(api, b"GET /health HTTP/1.1\r\n" + fields + b"\r\n", "BAD_REQUEST")


@before(ALLOWED_HOSTS)
@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:3000", "127.0.0.1", "[::1]", "[::1]:3000", "my-host.example:80"],
)
def test_a_valid_host_is_a_name_or_address_with_or_without_port(api: Api, host: str) -> None:
    api.say(f"GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).answer().expect(200)


def test_1_0_needs_no_host(api: Api) -> None:
    api.say(b"GET /health HTTP/1.0\r\n\r\n").answer().expect(200)


# Header fields


@pytest.mark.parametrize(
    "line",
    [
        b"X-Name : a",
        b"X-Name\t: a",
        b"X Name: a",
        b": a",
        b"X-Name",
        b"X-Name(: a",
        b"X-N\xc3\xa4me: a",
        b"X-Name: a\x00b",
        b"X-Name: a\x01b",
        b"X-Name: a\x0bb",
        b"X-Name: a\x1bb",
        b"X-Name: a\x7fb",
        b"X-Name: a\rb",
        b"X-Name: a\nX-Other: b",
        b"X-Na\x00me: a",
        b"X-Name: a\r\n b",
        b"X-Name: a\r\n\tb",
        b"X-Name: a\r\n ",
    ],
)
def test_a_malformed_field_line_is_refused(api: Api, line: bytes) -> None:
    head = b"GET /health HTTP/1.1\r\n" + HOST + line + b"\r\n\r\n"
    check_refused(api, head, "BAD_REQUEST")


@pytest.mark.parametrize("blank", [b" ", b"\t"])
def test_the_first_field_line_cannot_be_a_continuation(api: Api, blank: bytes) -> None:
    """It would be folded into the request line."""
    head = b"GET /health HTTP/1.1\r\n" + blank + b"X-Name: a\r\n" + HOST + b"\r\n"
    check_refused(api, head, "BAD_REQUEST")


@pytest.mark.parametrize(
    "line",
    [
        b"X-Name:a",
        b"X-Name: \t a \t ",
        b"X-Name:",
        b"X-Name: a\tb",
        b'X-Name: a: b, c; d="e"',
        b"X-Name: Ren\xe9e",
        b"!#$%&'*+-.^_`|~09: a",
    ],
)
def test_an_unusual_but_valid_field_is_no_reason_to_refuse(api: Api, line: bytes) -> None:
    api.say(b"GET /health HTTP/1.1\r\n" + HOST + line + b"\r\n\r\n").answer().expect(200)


def test_the_names_of_fields_have_no_case(api: Api) -> None:
    connection = api.say(b"GET /health HTTP/1.1\r\nhOST: localhost\r\ncONNECTION: close\r\n\r\n")
    connection.answer().expect(200)
    connection.ended()


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
def test_a_bare_cr_or_lf_is_refused_at_once(api: Api, beginning: bytes) -> None:
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
    check_refused(api, head, "HEADERS_TOO_LARGE")


def test_100_fields_are_served_and_101_are_refused(api: Api) -> None:
    head = b"GET /health HTTP/1.1\r\n" + HOST + b"X-Name: a\r\n" * 99
    api.say(head + b"\r\n").answer().expect(200)
    check_refused(api, head + b"X-Name: a\r\n\r\n", "HEADERS_TOO_LARGE")


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
