"""Step 1: the head of a request. What is malformed is refused, and what is not is served.

The hostile requests go to `/health`, which never needs a token.
"""

from __future__ import annotations

import pytest

from .api import Api
from .changes import ALLOWED_HOSTS, before

HOST = b"Host: localhost\r\n"


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
    api.refused_message(line + b"\r\n" + HOST + b"\r\n", "BAD_REQUEST")


@pytest.mark.parametrize("method", ["BREW", "get", "M-SEARCH", "GETT", "X" * 40])
@pytest.mark.parametrize("path", ["/health", "/nowhere"])
def test_a_method_that_nobody_knows_is_not_implemented(api: Api, method: str, path: str) -> None:
    api.refused(api.ask(method, path), "NOT_IMPLEMENTED")


@pytest.mark.parametrize("version", ["HTTP/2.0", "HTTP/2.1", "HTTP/3.0"])
def test_another_major_version_is_not_supported(api: Api, version: str) -> None:
    line = f"GET /health {version}\r\n".encode()
    api.refused_message(line + HOST + b"\r\n", "HTTP_VERSION_NOT_SUPPORTED")


@pytest.mark.parametrize("version", ["HTTP/1.2", "HTTP/1.5", "HTTP/1.9"])
def test_a_later_minor_version_counts_as_1_1(api: Api, version: str) -> None:
    """So it is kept alive, and needs a Host."""
    connection = api.say(api.head("GET", "/health", version=version) * 2)
    connection.answer().expect(200)
    connection.answer().expect(200)
    api.refused_message(f"GET /health {version}\r\n\r\n".encode(), "BAD_REQUEST")


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
    api.refused_message(b"GET /health HTTP/1.1\r\n" + fields + b"\r\n", "BAD_REQUEST")


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
    api.refused_message(head, "BAD_REQUEST")


@pytest.mark.parametrize("blank", [b" ", b"\t"])
def test_the_first_field_line_cannot_be_a_continuation(api: Api, blank: bytes) -> None:
    """It would be folded into the request line."""
    head = b"GET /health HTTP/1.1\r\n" + blank + b"X-Name: a\r\n" + HOST + b"\r\n"
    api.refused_message(head, "BAD_REQUEST")


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
