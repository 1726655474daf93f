"""JSON in and out, and the clock."""

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taskflow.codec import MAX_DEPTH, MAX_NUMBER_LENGTH, decode_object, encode, encode_array
from taskflow.errors import InvalidJson

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.text('[]{}"\\', max_size=20)
NUMBERS = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=10
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)

# Objects.


@given(OBJECTS, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_an_object_is_read_as_the_standard_library_reads_it(
    value: dict[str, Any], ascii_only: bool, indent: int | str | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert decode_object(text.encode()) == json.loads(text) == value


@given(OBJECTS)
def test_what_is_encoded_is_compact_and_reads_back(value: dict[str, Any]) -> None:
    encoded = encode(value)
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert re.sub(r"\\u(0085|2028|2029)", character_of, encoded.decode()) == compact
    assert decode_object(encoded) == value


def character_of(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16))


@given(OBJECTS)
@example({"\x85": "\u2028 \u2029"})
def test_what_is_encoded_is_one_line_for_readers_of_all_kinds(value: dict[str, Any]) -> None:
    """JSON escapes the other characters at which `splitlines` splits, except these three."""
    assert encode(value).decode().splitlines() == [encode(value).decode()]


def test_a_byte_order_mark_is_named() -> None:
    with pytest.raises(InvalidJson, match="byte order mark"):
        decode_object(b"\xef\xbb\xbf{}")


@given(st.binary(max_size=50) | st.text(max_size=50).map(str.encode))
def test_whatever_bytes_come_are_an_object_or_refused(body: bytes) -> None:
    try:
        value = decode_object(body)
    except InvalidJson:
        return
    assert value == json.loads(body)


def test_encoded_values_make_an_array_in_pieces() -> None:
    first = encode({"a": 1})
    pieces = encode_array([first, b"2"])

    assert b"".join(pieces) == b'[{"a":1},2]'
    assert any(piece is first for piece in pieces)  # shared, and never copied
    assert b"".join(encode_array([])) == b"[]"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": float("-inf")}])
def test_what_is_not_json_is_not_written(value: object) -> None:
    with pytest.raises(ValueError):
        encode(value)


# What is refused.


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{} {}",
        b"{}x",
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":.5}',
        b'{"a":NaN}',
        b'{"a":1e999}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1,"a":1}',
        b'{"b":[{"a":1,"a":2}]}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"\\udfff":1}',
        b'{"a":"\n"}',
        b'{"a":"\\x41"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":1}\xc2\xa0',
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidJson):
        decode_object(body)


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert decode_object(b'{"a":"\\ud83d\\ude00"}') == {"a": "\N{GRINNING FACE}"}


# Bounds.


def depth(value: object) -> int:
    """Return how deep the value is nested: the obvious model, which recurses."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def nested(levels: list[bool], core: object) -> object:
    """Return the core in as many lists and objects, with a neighbour full of brackets."""
    value = core
    for is_list in levels:
        value = ["]}", value, []] if is_list else {'[{"\\': value, "x": "[" * 20}
    return value


@given(st.lists(st.booleans(), min_size=25, max_size=40), SCALARS | OBJECTS, st.booleans())
def test_nesting_is_bounded_wherever_brackets_stand(
    levels: list[bool], core: object, ascii_only: bool
) -> None:
    value = {"outer": nested(levels, core)}
    body = json.dumps(value, ensure_ascii=ascii_only).encode()

    if depth(value) <= MAX_DEPTH:
        assert decode_object(body) == value
    else:
        with pytest.raises(InvalidJson, match="nested"):
            decode_object(body)


def test_a_depth_of_32_is_the_most() -> None:
    deepest = b'{"a":' + b"[" * 31 + b"]" * 31 + b"}"
    assert depth(decode_object(deepest)) == MAX_DEPTH == 32
    with pytest.raises(InvalidJson):
        decode_object(deepest.replace(b"[]", b"[[]]"))


@pytest.mark.parametrize("body", [b'{"a":' + b"[" * 500_000, b'{"' + b"[" * 1_000_000, b"}" * 999])
def test_a_body_that_is_all_brackets_is_refused_and_does_not_hurt(body: bytes) -> None:
    with pytest.raises(InvalidJson):
        decode_object(body)


@pytest.mark.parametrize("text", ["[" * 100, "{}[]" * 100, '\\"[' * 100, "\\\\"])
def test_brackets_in_a_text_do_not_nest(text: str) -> None:
    assert decode_object(encode({"a": text, "b": []})) == {"a": text, "b": []}


@pytest.mark.parametrize("digits", ["1" * 100, "-" + "1" * 99, "0." + "1" * 98, "1e" + "0" * 98])
def test_a_number_may_have_100_characters_and_no_more(digits: str) -> None:
    assert len(digits) == MAX_NUMBER_LENGTH
    assert decode_object(f'{{"a":{digits}}}'.encode()) == {"a": json.loads(digits)}
    with pytest.raises(InvalidJson):
        decode_object(f'{{"a":{digits}1}}'.encode())


# The clock.


# Ids.
