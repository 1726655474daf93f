"""Requests: the types of their bodies. Responses: their heads, and their bodies in batches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskflow.errors import UnsupportedCoding, UnsupportedMediaType
from taskflow.http import BATCH_BYTES, Request, Response, batches, encode_head

DATE = "Sat, 31 Jan 2026 12:00:00 GMT"


def test_the_head_of_a_response() -> None:
    response = Response(201, b'{"a":1}', {"Location": "/tasks/1"})
    assert encode_head(response, DATE, keep_alive=True) == (
        b"HTTP/1.1 201 Created\r\n"
        b"Date: Sat, 31 Jan 2026 12:00:00 GMT\r\n"
        b"Content-Type: application/json; charset=utf-8\r\n"
        b"Content-Length: 7\r\n"
        b"Location: /tasks/1\r\n"
        b"Connection: keep-alive\r\n"
        b"\r\n"
    )


def test_the_reasons_are_those_of_rfc_9110_in_every_python() -> None:
    for status, reason in (413, b"Content Too Large"), (422, b"Unprocessable Content"):
        head = encode_head(Response(status), DATE, keep_alive=True)
        assert head.startswith(b"HTTP/1.1 %d %b\r\n" % (status, reason))


def test_a_response_without_content_has_no_length_either() -> None:
    assert encode_head(Response(204), DATE, keep_alive=False) == (
        b"HTTP/1.1 204 No Content\r\n"
        b"Date: Sat, 31 Jan 2026 12:00:00 GMT\r\n"
        b"Connection: close\r\n"
        b"\r\n"
    )


# Bodies in pieces.


def test_the_length_of_a_body_in_pieces_is_their_sum() -> None:
    head = encode_head(Response(200, [b"[", b"12", b"]"]), DATE, keep_alive=True)

    assert b"Content-Length: 4\r\n" in head
    assert Response(200, b"one").pieces == (b"one",)


SIZES = st.integers(0, 50) | st.integers(BATCH_BYTES - 2, BATCH_BYTES * 3)


@given(st.lists(SIZES, max_size=12))
def test_batches_hold_the_same_bytes_and_are_never_too_large(sizes: list[int]) -> None:
    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]

    sent = list(batches(b"head", pieces))

    assert b"".join(sent) == b"head" + b"".join(pieces)
    assert max(map(len, sent)) <= BATCH_BYTES
    assert len(sent) <= 2 + len(b"".join(pieces)) * 2 // BATCH_BYTES + len(pieces)


def test_a_small_response_is_one_batch() -> None:
    assert list(batches(b"head", [b"body"])) == [b"headbody"]
    assert list(batches(b"head", [b""])) == [b"head"]


# The type of a body.


@pytest.mark.parametrize("declared", ["a/b", "A/B", "c/d ; x=y", "a/b;charset=UTF-8"])
def test_a_body_may_have_any_of_the_expected_types(declared: str) -> None:
    Request(headers={"content-type": declared}).check_media_type("a/b", "c/d")


def test_a_body_without_a_type_is_taken_for_the_first() -> None:
    Request().check_media_type("a/b", "c/d")


@pytest.mark.parametrize("declared", ["", "a", "a/bc", "x/y", "a/b; charset=utf-16"])
def test_a_body_of_another_type_or_charset_is_refused(declared: str) -> None:
    with pytest.raises(UnsupportedMediaType) as caught:
        Request(headers={"content-type": declared}).check_media_type("a/b")
    assert "Accept-Encoding" not in dict(caught.value.headers)


def test_a_body_with_a_content_coding_is_refused() -> None:
    with pytest.raises(UnsupportedCoding) as caught:
        Request(headers={"content-encoding": "gzip"}).check_media_type("a/b")
    assert dict(caught.value.headers) == {"Accept-Encoding": "identity"}
