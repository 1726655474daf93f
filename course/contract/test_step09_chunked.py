"""Step 9: bodies in chunks: read strictly, however the bytes are cut, and refused as they come.

A chunked body has no length before its end, so two readers who disagree about its chunks
disagree about where the next request begins. Hence no leniency (RFC 9112, 7.1).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from .api import MORE_THAN_BUFFERS, Api
from .conftest import Launch
from .test_step01_framing import MIB, json_of_size

LAST = b"0\r\n\r\n"
TASK = json.dumps({"title": "in chunks"}).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def in_chunks(body: bytes, size: int, end: bytes = LAST) -> bytes:
    """A body in chunks of this size, and its end."""
    return b"".join(chunk(body[at : at + size]) for at in range(0, len(body), size)) + end


def head(api: Api, path: str = "/tasks", *fields: str) -> bytes:
    """The head of a POST whose body comes in chunks."""
    return api.head("POST", path, "Transfer-Encoding: chunked", *fields)


def check_created(api: Api, body: bytes) -> None:
    """The body is read, and the next request begins right behind it."""
    connection = api.say(head(api) + body + api.request("GET", "/health"))
    assert connection.answer("POST").expect(201).json()["title"] == "in chunks"
    connection.answer().expect(200)


# What is read


@pytest.mark.parametrize("coding", ["chunked", "Chunked", "CHUNKED", " \tchunked\t "])
def test_a_task_may_come_in_chunks(api: Api, coding: str) -> None:
    request = api.head("POST", "/tasks", f"Transfer-Encoding:{coding}") + in_chunks(TASK, 5)
    connection = api.say(request + api.request("GET", "/health"))
    assert connection.answer("POST").expect(201).json()["title"] == "in chunks"
    connection.answer().expect(200)


@pytest.mark.parametrize(
    "body",
    [
        in_chunks(TASK, 1),
        in_chunks(TASK, 1_000),
        b"%X\r\n%b\r\n" % (len(TASK), TASK) + LAST,
        b"%015x\r\n%b\r\n" % (len(TASK), TASK) + b"0" * 15 + b"\r\n\r\n",
        b"%x;a\r\n%b\r\n" % (len(TASK), TASK) + b"0;b=c\r\n\r\n",
        b'%x \t; a="b\xe4"; c\r\n%b\r\n' % (len(TASK), TASK) + LAST,
        b"%x;%b\r\n%b\r\n" % (len(TASK), b"e" * 200, TASK) + LAST,
        in_chunks(TASK, 9, b"0\r\nTrailer: 1\r\nX:\r\nx: \t\xe4\r\n\r\n"),
        in_chunks(TASK, 9, b"0\r\nContent-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\n"),
        in_chunks(TASK, 9, b"0\r\n" + b"x: 1\r\n" * 20 + b"\r\n"),
    ],
)
def test_all_forms_of_chunks_are_read_and_what_else_they_carry_is_ignored(
    api: Api, body: bytes
) -> None:
    check_created(api, body)


def test_a_body_may_be_cut_anywhere(api: Api) -> None:
    """On its way; the next request begins where the body ends."""
    body = b"7;a=b\r\n" + TASK[:7] + b"\r\n" + in_chunks(TASK[7:], 99, b"0\r\nA: b\r\n\r\n")
    connection = api.connect()
    for at in range(1, len(body) + 1):
        api.send_apart(connection, [head(api) + body[:at]])
        connection.send(body[at:] + api.request("GET", "/health"))
        assert connection.answer("POST").expect(201).json()["title"] == "in chunks"
        connection.answer().expect(200)


def test_a_body_may_come_byte_by_byte(api: Api) -> None:
    connection = api.say(head(api))
    api.send_apart(connection, [bytes([byte]) for byte in in_chunks(TASK, 8)])
    assert connection.answer("POST").expect(201).json()["title"] == "in chunks"


def test_requests_in_chunks_may_be_pipelined(api: Api) -> None:
    bodies = [json.dumps({"title": f"{number}"}).encode() for number in range(20)]
    connection = api.say(b"".join(head(api) + in_chunks(body, 4) for body in bodies))
    titles = [connection.answer("POST").expect(201).json()["title"] for _ in bodies]
    assert titles == [f"{number}" for number in range(20)]


def test_no_chunks_are_an_empty_body(api: Api) -> None:
    connection = api.say(head(api) + LAST + api.request("GET", "/health"))
    api.refused(connection.answer("POST"), "INVALID_JSON")
    connection.answer().expect(200)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_may_come_in_chunks(api: Api, method: str) -> None:
    task = api.create()
    request = api.head(method, f"/tasks/{task['id']}", "Transfer-Encoding: chunked")
    answer = api.say(request + in_chunks(TASK, 3)).answer(method)
    assert answer.expect(200).json()["title"] == "in chunks"


# What is refused

NOT_CHUNKED: Sequence[tuple[bytes, str]] = [
    (b"g", "no hexadecimal digit"),
    (b"\r", "no size"),
    (b"\n", "no size, and a bare LF"),
    (b" ", "a blank before the size"),
    (b";", "an extension without a size"),
    (b"+", "a sign"),
    (b"-", "a sign"),
    (b"0x", "a prefix"),
    (b"5_", "an underscore"),
    (b"5.", "a fraction"),
    (b"5\n", "a bare LF behind the size"),
    (b"5\r5", "a bare CR behind the size"),
    (b"5 5", "two sizes"),
    (b"5;a\n", "a bare LF behind an extension"),
    (b"5;a\x00", "a control byte in an extension"),
    (b"5;a\ra", "a bare CR in an extension"),
    (b"0" * 16 + b"5", "a size that does not end"),
    (b"f" * 17, "a size that no machine can hold"),
    (b"5;" + b"e" * 20_000, "an extension that does not end"),
    (b"5" + b" " * 20_000, "blanks that do not end"),
    (b"5\r\nhello!", "more data than the size"),
    (b"5\r\nhello\n", "a bare LF behind the data"),
    (b"5\r\nhello\rx", "a bare CR behind the data"),
    (b"5\r\nhello0\r\n\r\n", "no line end behind the data"),
    (b"5\r\nhello\r\n\r\n", "an empty line for a size"),
    (b"0\r\n\n", "a bare LF for the end"),
    (b"0\r\n\rx", "a bare CR for the end"),
    (b"0\r\n: value\r\n", "a trailer without a name"),
    (b"0\r\nname\r\n", "a trailer without a colon"),
    (b"0\r\nname : value\r\n", "a blank before the colon"),
    (b"0\r\n folded", "a folded trailer"),
    (b"0\r\nname: value\n", "a bare LF behind a trailer"),
    (b"0\r\nname: \x00", "a control byte in a trailer"),
    (b"0\r\nname: " + b"v" * 20_000, "a trailer that does not end"),
    (b"0\r\n" + b"x: 1\r\n" * 2_000, "trailers that do not end"),
]


@pytest.mark.parametrize(
    "body", [body for body, _ in NOT_CHUNKED], ids=[why for _, why in NOT_CHUNKED]
)
def test_what_cannot_become_a_chunked_body_is_refused_at_once(api: Api, body: bytes) -> None:
    """Nothing more is waited for, and what follows is not taken for a request."""
    connection = api.say(head(api) + body)
    api.refused(connection.answer("POST"), "BAD_REQUEST")
    connection.ended()
    api.refused_message(head(api) + chunk(TASK) + body + LAST, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"3\r\nab", b"\r\n0\r\n\r\n"),
        (b"2\r\n", b"\r\n\r\n0\r\n\n"),
        (b"2\r\nab\r\n1", b"\r\nxy\r\n0\r\n\r\n"),
        (b"5\r\n", b"a:\r\n1\r\n0\r\nA\r\n\r\n"),
    ],
)
def test_a_refused_body_has_no_end_wherever_it_is_cut(
    api: Api, before: bytes, after: bytes
) -> None:
    """What looks like a body in the bytes of one that was refused hides no request."""
    connection = api.connect()
    api.send_apart(connection, [head(api) + before])
    connection.send(after + api.request("GET", "/tasks/next") * 2)
    api.refused(connection.answer("POST"), "BAD_REQUEST")
    connection.ended()


@pytest.mark.parametrize("at", range(0, 30, 3))
def test_a_client_that_ends_inside_a_body_in_chunks_is_told(api: Api, at: int) -> None:
    body = in_chunks(TASK[:8], 4, b"0\r\nA: b\r\n\r\n")
    connection = api.say(head(api) + body[:at])
    connection.end()
    api.refused(connection.answer("POST"), "BAD_REQUEST")
    connection.ended()


def test_a_refused_body_creates_nothing(empty: Api) -> None:
    connection = empty.say(head(empty) + chunk(TASK) + b"0\r\nx\r\n\r\n")
    empty.refused(connection.answer("POST"), "BAD_REQUEST")
    assert empty.tasks() == []


# Which codings


@pytest.mark.parametrize(
    "fields",
    [
        ["gzip, chunked"],
        ["chunked, gzip"],
        ["chunked, chunked"],
        ["chunked", "chunked"],
        ["gzip", "chunked"],
        ["chunked;q=1"],
        ["chunked,"],
        ['"chunked"'],
        ["x chunked"],
        [""],
    ],
)
def test_any_coding_but_chunked_alone_is_not_implemented(api: Api, fields: list[str]) -> None:
    lines = [f"Transfer-Encoding: {coding}" for coding in fields]
    api.refused_message(api.head("POST", "/tasks", *lines) + LAST, "NOT_IMPLEMENTED")


@pytest.mark.parametrize("length", ["0", "5", "", "x"])
def test_a_length_beside_chunks_is_refused(api: Api, length: str) -> None:
    """The classic of request smuggling. On any method, and in any order."""
    fields = [f"Content-Length: {length}", "Transfer-Encoding: chunked"]
    for lines in (fields, fields[::-1]):
        api.refused_message(api.head("POST", "/tasks", *lines) + LAST, "BAD_REQUEST")
        api.refused_message(api.head("GET", "/health", *lines) + LAST, "BAD_REQUEST")


def test_chunks_in_1_0_are_refused(api: Api) -> None:
    for fields in ([], ["Connection: keep-alive"]):
        lines = ["Transfer-Encoding: chunked", *fields]
        message = api.head("POST", "/tasks", *lines, version="HTTP/1.0") + in_chunks(TASK, 5)
        api.refused_message(message, "BAD_REQUEST")


# Large bodies


def test_a_body_of_1_mib_in_chunks_is_read(api: Api) -> None:
    """What frames the chunks does not count."""
    connection = api.say(head(api) + in_chunks(json_of_size(MIB), 1_000))
    assert connection.answer("POST").expect(201).json()["title"] == "large"


@pytest.mark.parametrize("size", [1_000, 3_000_000])
def test_a_body_over_1_mib_in_chunks_is_refused(api: Api, size: int) -> None:
    """By one byte. The connection may stay, since the end of the body is there."""
    connection = api.say(head(api) + in_chunks(json_of_size(MIB + 1), size))
    api.refused(connection.answer("POST"), "PAYLOAD_TOO_LARGE")


def test_the_refusal_of_chunks_without_end_arrives_though_all_is_sent(api: Api) -> None:
    """Neither the end nor the rest of a chunk is waited for."""
    connection = api.say(head(api) + chunk(b" " * 10_000) * (MORE_THAN_BUFFERS // 10_000))
    api.refused(connection.answer("POST"), "PAYLOAD_TOO_LARGE")
    connection.ended()


# Bodies that are not read


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/nowhere"), ("GET", "/health"), ("POST", "/tasks/claim")]
)
def test_a_body_in_chunks_that_is_here_but_not_read_is_skipped(
    api: Api, method: str, path: str
) -> None:
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    request = api.head(method, path, "Transfer-Encoding: chunked") + in_chunks(smuggled, 7)
    connection = api.say(request + api.request("GET", "/health"))
    connection.answer(method)
    assert connection.answer().expect(200).json()["status"] == "healthy"


@pytest.mark.parametrize("end", [b"", b"0\r\n", b"0\r\n\r", b"x\r\n\r\n"])
def test_a_body_in_chunks_that_is_not_read_and_has_no_end_ends_the_connection(
    api: Api, end: bytes
) -> None:
    connection = api.say(head(api, "/nowhere") + in_chunks(TASK, 5, end))
    api.refused(connection.answer("POST"), "NOT_FOUND")
    connection.ended()


# Expect: 100-continue


def test_a_client_that_asks_is_told_once_to_send_its_chunks(api: Api) -> None:
    connection = api.say(head(api, "/tasks", "Expect: 100-continue"))
    assert connection.interim() == 100
    api.send_apart(connection, [chunk(TASK[:5]), chunk(TASK[5:9]), chunk(TASK[9:])])
    connection.send(LAST + api.request("GET", "/health"))
    answer = connection.answer("POST").expect(201)
    assert answer.interim == ()
    assert answer.json()["title"] == "in chunks"
    connection.answer().expect(200)


@pytest.mark.parametrize(
    ("path", "field", "code"),
    [
        ("/nowhere", "A: b", "NOT_FOUND"),
        ("/tasks", "Origin: http://a.example", "FORBIDDEN_ORIGIN"),
        ("/tasks", "Content-Type: text/plain", "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
def test_chunks_are_not_asked_for_if_the_head_is_refused(
    api: Api, path: str, field: str, code: str
) -> None:
    connection = api.say(head(api, path, "Expect: 100-continue", field))
    answer = connection.answer("POST")
    api.refused(answer, code)
    assert answer.interim == ()
    connection.ended()


# Deadlines


def test_a_body_in_chunks_that_stalls_is_refused(launch: Launch) -> None:
    """Wherever it stops: inside a chunk, between two, before the last line, or among trailers."""
    api, _ = launch("--body-timeout", "0.4")
    ends = [b"", b"5", b"5\r\nhel", b"5\r\nhello", b"5\r\nhello\r\n", b"0\r\n", b"0\r\nA: b\r\n"]
    stalled = [api.say(head(api) + chunk(TASK) + end) for end in ends]
    api.create()
    for connection in stalled:
        api.refused(connection.answer("POST"), "REQUEST_TIMEOUT")
        connection.ended()
    assert len(api.tasks()) == 1


def test_chunks_that_bring_enough_in_each_window_have_time(launch: Launch) -> None:
    api, _ = launch("--body-timeout", "0.4")
    body = json_of_size(14_336)
    connection = api.say(head(api))
    for at in range(0, len(body), 1_024):
        assert connection.silent(0.05), "expected the server to wait for the rest"
        connection.send(chunk(body[at : at + 1_024]))
    connection.send(LAST)
    assert connection.answer("POST").expect(201).json()["title"] == "large"
