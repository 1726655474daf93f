"""Step 1: the body of a request that brings a task: its type, and how strictly JSON is read."""

from __future__ import annotations

import pytest

from .api import Api

DEEPEST = 32


def nested(turns: int, opening: str, closing: str) -> bytes:
    """A task whose description is nested; the object around it is one level more."""
    return f'{{"title": "deep", "description": {opening * turns}1{closing * turns}}}'.encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \r\n\t ",
        b"{",
        b'{"title": "cut',
        b'{"title": "a"',
        b'{"title": "a"} x',
        b'{"title": "a"}{}',
        b'{"title": "a",}',
        b'{"title" "a"}',
        b"{'title': 'a'}",
        b'{title: "a"}',
        b'{"title": "a" /* comment */}',
        b'{"title": "line\nbreak"}',
        b'{"title": "tab\tin it"}',
        b'{"title": "\x00"}',
        b'{"title": "\\x41"}',
        b'{"title": "\\u12"}',
        b'{"title": "a", "priority": 01}',
        b'{"title": "a", "priority": +1}',
        b'{"title": "a", "priority": 1.}',
        b'{"title": "a", "priority": .5}',
        b'{"title": "a", "priority": 0x1}',
        b'{"title": "a", "priority": 1_0}',
        b'{"title": "a", "priority": True}',
        b'\xc2\xa0{"title": "a"}',
        b'\x0b{"title": "a"}',
    ],
)
def test_what_is_not_json_is_refused(api: Api, body: bytes) -> None:
    api.refused(api.ask("POST", "/tasks", body=body), "INVALID_JSON")


def test_a_body_is_needed(api: Api) -> None:
    """No length and no coding means no body (RFC 9112, 6.3)."""
    api.refused(api.ask("POST", "/tasks"), "INVALID_JSON")


@pytest.mark.parametrize("body", [b"[]", b'[{"title": "a"}]', b'"title"', b"1", b"true", b"null"])
def test_what_is_no_object_is_refused(api: Api, body: bytes) -> None:
    api.refused(api.ask("POST", "/tasks", body=body), "INVALID_JSON")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("key", ["priority", "unknown"])
def test_numbers_that_json_does_not_have_are_refused(api: Api, key: str, value: str) -> None:
    body = f'{{"title": "a", "{key}": {value}}}'.encode()
    api.refused(api.ask("POST", "/tasks", body=body), "INVALID_JSON")


@pytest.mark.parametrize(
    "body",
    [
        b'{"title": "a", "title": "b"}',
        b'{"title": "a", "title": "a"}',
        b'{"title": "a", "\\u0074itle": "b"}',
        b'{"title": "a", "unknown": {"x": 1, "x": 2}}',
        b'{"title": "a", "unknown": [{"x": 1, "y": 2, "x": 3}]}',
    ],
)
def test_a_repeated_key_is_refused(api: Api, body: bytes) -> None:
    """Two readers would each believe another one of the two."""
    api.refused(api.ask("POST", "/tasks", body=body), "INVALID_JSON")


@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf{"title": "byte order mark"}',
        '{"title": "sixteen"}'.encode("utf-16"),
        '{"title": "sixteen"}'.encode("utf-16-le"),
        b'{"title": "\xff"}',
        b'{"title": "Ren\xe9"}',
        b'{"title": "\xc3\x28"}',
        b'{"title": "\xc0\xaf"}',
        b'{"title": "\xed\xa0\x80"}',
        b'{"title": "\xf4\x90\x80\x80"}',
    ],
)
def test_what_is_not_utf_8_is_refused(api: Api, body: bytes) -> None:
    api.refused(api.ask("POST", "/tasks", body=body), "INVALID_JSON")


@pytest.mark.parametrize(
    "body",
    [
        rb'{"title": "\ud800"}',
        rb'{"title": "\udc00"}',
        rb'{"title": "a\ud83d b"}',
        rb'{"title": "\udc00\ud800"}',
        rb'{"title": "\ud800\u0041"}',
        rb'{"title": "a", "\ud800": 1}',
        rb'{"title": "a", "unknown": ["\udfff"]}',
    ],
)
def test_half_of_a_surrogate_pair_is_refused(api: Api, body: bytes) -> None:
    """It is no character, and could never be sent back as UTF-8."""
    api.refused(api.ask("POST", "/tasks", body=body), "INVALID_JSON")


def test_a_whole_surrogate_pair_is_a_character(api: Api) -> None:
    answer = api.ask("POST", "/tasks", body=rb'{"title": "\ud83d\ude00 \u00e9"}')
    assert answer.expect(201).json()["title"] == "\U0001f600 \u00e9"


@pytest.mark.parametrize(
    "number",
    ["9" * 101, "-" + "9" * 100, "0." + "1" * 99, "1e" + "0" * 99],
    ids=["digits", "negative", "fraction", "exponent"],
)
def test_a_number_over_100_characters_is_refused(api: Api, number: str) -> None:
    """Reading it would cost the square of its length."""
    body = f'{{"title": "a", "priority": {number}}}'.encode()
    api.refused(api.ask("POST", "/tasks", body=body), "INVALID_JSON")


def test_a_number_of_100_characters_is_read(api: Api) -> None:
    """And then refused as too large for the field."""
    body = b'{"title": "a", "priority": ' + b"9" * 100 + b"}"
    api.refused(api.ask("POST", "/tasks", body=body), "VALIDATION_ERROR")


def test_digits_in_a_text_are_no_number(api: Api) -> None:
    assert api.create(description="1" * 500)["description"] == "1" * 500


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}"), ('[{"a": ', "}]")])
def test_a_body_may_be_32_deep(api: Api, opening: str, closing: str) -> None:
    """It is read, and then refused for what it is; one deeper is not read."""
    turns = (DEEPEST - 1) // len(closing)
    fits = nested(turns, opening, closing)
    too_deep = nested(turns + 1, opening, closing)
    api.refused(api.ask("POST", "/tasks", body=fits), "VALIDATION_ERROR", "description")
    api.refused(api.ask("POST", "/tasks", body=too_deep), "INVALID_JSON")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"title": ' + b"[" * 100_000,
        b'{"a": ' * 100_000,
    ],
    ids=["open", "closed", "inside", "objects"],
)
def test_a_tower_of_brackets_does_no_harm(api: Api, body: bytes) -> None:
    api.refused(api.ask("POST", "/tasks", body=body), "INVALID_JSON")
    api.ask("GET", "/health").expect(200)


@pytest.mark.parametrize("title", ["[" * 100, '"' + "[{" * 50, "\\" + "[" * 50, '\\"' + "{" * 50])
def test_brackets_in_a_text_are_no_depth(api: Api, title: str) -> None:
    assert api.create(title=title)["title"] == title


# Content-Type


@pytest.mark.parametrize(
    "fields",
    [
        [],
        ["Content-Type: application/json"],
        ["Content-Type: application/json; charset=utf-8"],
        ["Content-Type: application/json;charset=UTF-8"],
        ["Content-Type: Application/JSON"],
        ['Content-Type: application/json; charset="utf-8"'],
        ["Content-Type: application/json; version=1"],
        ["Content-Encoding: identity"],
    ],
)
def test_json_may_be_declared_or_not(api: Api, fields: list[str]) -> None:
    api.ask("POST", "/tasks", *fields, value={"title": "declared"}).expect(201)


@pytest.mark.parametrize(
    "declared",
    [
        "text/plain",
        "text/json",
        "application/xml",
        "application/jsonx",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=json",
        "text/plain; application/json",
        "application/merge-patch+json",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        'application/json; charset="latin1"',
        "application/json; charset=utf-8; charset=utf-16",
    ],
)
def test_another_type_is_refused(api: Api, declared: str) -> None:
    """A form of a foreign web page can send some of these without asking."""
    answer = api.ask("POST", "/tasks", f"Content-Type: {declared}", value={"title": "a"})
    api.refused(answer, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "GZIP", "identity, gzip"])
def test_a_compressed_body_is_refused_before_it_is_sent(api: Api, coding: str) -> None:
    """And the refusal says what is read instead (RFC 9110, 12.5.3)."""
    fields = [f"Content-Encoding: {coding}", "Content-Length: 20", "Expect: 100-continue"]
    answer = api.say(api.head("POST", "/tasks", *fields)).answer("POST")
    api.refused(answer, "UNSUPPORTED_MEDIA_TYPE")
    assert answer.field("accept-encoding") == "identity"
    assert answer.interim == ()
