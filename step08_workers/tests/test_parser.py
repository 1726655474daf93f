"""The parser: however the bytes are cut, the same requests, or the same refusal."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from time import process_time
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskflow import errors
from taskflow import parser as parser_module
from taskflow.http import MAX_BODY_BYTES, Request
from taskflow.parser import MAX_HEAD_BYTES, MAX_HEADERS, METHODS, RequestParser, split_target

# What the parser made of some bytes.


class Heard(NamedTuple):
    """One request with its body, in a form that can be compared."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    keep_alive: bool
    expects_continue: bool
    content_length: int
    body: bytes
    refusal: tuple[int, str, str] | None


def heard(request: Request, body: bytes) -> Heard:
    refusal = request.refusal
    why = None if refusal is None else (refusal.status, refusal.code, str(refusal))
    return Heard(
        request.method,
        request.path,
        request.query,
        request.headers,
        request.keep_alive,
        request.expects_continue,
        request.content_length,
        body,
        why,
    )


def listen(pieces: Iterable[bytes]) -> list[Heard]:
    """Feed the pieces to a parser; return the requests, the last one perhaps without its end."""
    parser = RequestParser()
    requests: list[tuple[Request, bytearray]] = []
    for piece in pieces:
        parser.feed(piece)
        if requests:
            requests[-1][1].extend(parser.take_body())
        while parser.body_is_complete and (request := parser.next_request()):
            requests.append((request, bytearray(parser.take_body())))
            if request.refusal:
                return [heard(request, bytes(body)) for request, body in requests]
    return [heard(request, bytes(body)) for request, body in requests]


def one(head: bytes) -> Request:
    """Return the request that these bytes are."""
    parser = RequestParser()
    parser.feed(head)
    request = parser.next_request()
    assert request is not None
    return request


def get(*lines: bytes, target: bytes = b"/", version: bytes = b"1.1") -> bytes:
    """Return the head of a GET with a Host and these lines."""
    first = b"GET " + target + b" HTTP/" + version
    return b"\r\n".join([first, b"Host: localhost", *lines, b"", b""])


# Requests that are right.

NAMES = st.from_regex(r"x-[a-z0-9!#$%&'*+.^_`|~-]{1,12}", fullmatch=True)
VALUES = st.from_regex(r"([!-~\xa1-\xff]([ \t!-~\xa1-\xff]{0,20}[!-~\xa1-\xff])?)?", fullmatch=True)
PATHS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0/"), max_size=8))
QUERIES = st.from_regex(r"[a-z0-9=&?%/:+*-]{0,20}", fullmatch=True)
SPACES = st.sampled_from(["", " ", "\t", "  \t "])


class Sent(NamedTuple):
    """A request before it is bytes: the obvious model of what the parser must return."""

    method: str
    segments: list[str]
    query: str
    headers: dict[str, str]
    body: bytes
    spaces: str
    empty_line_before: bool

    @property
    def path(self) -> str:
        return "/" + "/".join(self.segments)

    def encoded(self) -> bytes:
        target = "/" + "/".join(quote(segment, safe="") for segment in self.segments)
        target += f"?{self.query}" if self.query else ""
        fields = {"HOST": "localhost:3000", "Content-Length": str(len(self.body)), **self.headers}
        lines = [f"{name}:{self.spaces}{value}{self.spaces}\r\n" for name, value in fields.items()]
        head = f"{self.method} {target} HTTP/1.1\r\n{''.join(lines)}\r\n"
        return b"\r\n" * self.empty_line_before + head.encode("latin-1") + self.body


SENT = st.builds(
    Sent,
    method=st.sampled_from(sorted(METHODS)),
    segments=PATHS,
    query=QUERIES,
    headers=st.dictionaries(NAMES, VALUES, max_size=4),
    body=st.binary(max_size=40) | st.just(b"GET / HTTP/1.1\r\n\r\n"),
    spaces=SPACES,
    empty_line_before=st.booleans(),
)


@given(st.lists(SENT, min_size=1, max_size=3))
def test_requests_come_out_as_they_were_sent(sent: list[Sent]) -> None:
    received = listen([b"".join(request.encoded() for request in sent)])

    assert len(received) == len(sent)
    for request, model in zip(received, sent, strict=True):
        fields = {"host": "localhost:3000", "content-length": str(len(model.body))}
        assert request.refusal is None
        assert (request.method, request.path) == (model.method, model.path)
        assert (request.query, request.body) == (model.query, model.body)
        assert request.headers == fields | model.headers
        assert request.keep_alive


# However the bytes are cut.

STREAM = (
    b"POST /tasks?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n"
    b"hello\r\n\r\nGE\r\nGET /%C3%A4 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    b"HEAD http://b:1/x HTTP/1.1\r\nHost: a\r\nX: 1\r\nx:2\r\n\r\n"
)
ENDINGS = [
    b"",
    b"\r",
    b"GET / HT",
    b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
    b"HEAD / HTTP/2.0\r\nHost: a\r\n\r\n",
    b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HEAD \x00",
    b"\x16\x03\x01\x02\x00\x01",
]


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_cut_in_two_gives_the_same(ending: bytes) -> None:
    data = STREAM + ending
    whole = listen([data])
    assert [request.path for request in whole[:3]] == ["/tasks", "/ä", "/x"]

    for position in range(len(data) + 1):
        assert listen([data[:position], data[position:]]) == whole


@pytest.mark.parametrize("ending", ENDINGS)
def test_byte_by_byte_gives_the_same(ending: bytes) -> None:
    data = STREAM + ending
    assert listen(bytes([byte]) for byte in data) == listen([data])


EDITS = st.sampled_from(
    [
        *(bytes([byte]) for byte in b"\r\n\0\t :,%\x7f\xff0"),
        *(b"", b"\r\n", b"\n\n", b"\r\n ", b"-1", b"HEAD ", b"http://h/", b"HTTP/1.0", b"HTTP/2.0"),
        *(b"Host: x\r\n", b"Content-Length: 3\r\n", b"Connection: close\r\n"),
        b"Transfer-Encoding: chunked\r\n",
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Return bytes that were requests until some of them were replaced."""
    data = b"".join(request.encoded() for request in draw(st.lists(SENT, min_size=1, max_size=2)))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        dropped = draw(st.integers(0, 3))
        data = data[:start] + draw(EDITS | st.binary(max_size=3)) + data[start + dropped :]
    return data


def cut(data: bytes, positions: Iterable[int]) -> Iterator[bytes]:
    """Yield the bytes in pieces that end at these positions."""
    for start, end in pairwise([0, *sorted(position % (len(data) + 1) for position in positions)]):
        yield data[start:end]


@given(mutated(), st.lists(st.integers(0, 2_000), max_size=12))
def test_mutated_bytes_give_the_same_in_any_pieces(data: bytes, positions: list[int]) -> None:
    assert listen(cut(data, [*positions, len(data)])) == listen([data])


@given(mutated() | st.binary(max_size=200))
def test_whatever_bytes_come_become_a_request_or_a_refusal(data: bytes) -> None:
    for request in listen([data]):
        if request.refusal is None:
            assert_well_formed(request)
        else:
            assert request.refusal[0] in {400, 431, 501, 505}
            assert not request.keep_alive


HEADS = st.builds(
    lambda lines, target, version: get(*lines, target=target, version=version),
    st.lists(st.sampled_from([b"X-A: 1", b"X-A: 2", b"X-B: 1", b"Host: twice"]), max_size=2),
    st.sampled_from([b"/", b"/tasks?limit=1", b"http://elsewhere/"]),
    st.sampled_from([b"1.0", b"1.1"]),
)


@given(st.lists(HEADS, min_size=2, max_size=6))
def test_a_parser_that_has_heard_others_hears_what_a_new_one_does(heads: list[bytes]) -> None:
    alone = [heard for head in heads for heard in listen([head])]
    refused = [index for index, request in enumerate(alone) if request.refusal]
    assert listen(heads) == alone[: refused[0] + 1 if refused else None]


def assert_well_formed(request: Heard) -> None:
    """Hold the request against what no part of it may ever have."""
    assert request.method in METHODS
    assert request.path.startswith("/")
    assert "\0" not in request.path
    assert re.fullmatch(r"[!-~]*", request.query)
    assert "transfer-encoding" not in request.headers
    assert request.content_length == int(request.headers.get("content-length", "0"))
    for name, value in request.headers.items():
        assert re.fullmatch(r"[!#$%&'*+\-.^_`|~0-9a-z]+", name)
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value)
        assert value == value.strip(" \t")


# What is refused.

BAD_LINES = [
    b"",
    b"GET",
    b"GET /",
    b"GET / ",
    b"GET / HTTP/1.1 ",
    b" GET / HTTP/1.1",
    b"GET  / HTTP/1.1",
    b"GET\t/ HTTP/1.1",
    b"GET / http/1.1",
    b"GET / HTTP/1",
    b"GET / HTTP/11.1",
    b"GET / HTTP/1.10",
    b"GET /\xc3\xa4 HTTP/1.1",
    b"GET /# HTTP/1.1",
    b"GET /\x7f HTTP/1.1",
    b"G(T / HTTP/1.1",
    b"GET tasks HTTP/1.1",
    b"GET * HTTP/1.1",
    b"GET ftp://localhost/ HTTP/1.1",
    b"GET http:/// HTTP/1.1",
    b"GET http://user@localhost/ HTTP/1.1",
    b"CONNECT localhost:80 HTTP/1.1",
    b"GET /% HTTP/1.1",
    b"GET /%4 HTTP/1.1",
    b"GET /%zz HTTP/1.1",
    b"GET /%00 HTTP/1.1",
    b"GET /%ff HTTP/1.1",
    b"GET /%ed%a0%80 HTTP/1.1",
    b"GET /%c0%af HTTP/1.1",
]


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_bad_request_line_is_refused(line: bytes) -> None:
    request = one(line + b"\r\nHost: localhost\r\n\r\n")
    assert isinstance(request.refusal, errors.BadRequest)
    assert not request.keep_alive


@pytest.mark.parametrize(
    "lines",
    [
        [b" folded"],
        [b"Name : value"],
        [b"Name"],
        [b": value"],
        [b"N(me: value"],
        [b"N\xe4me: value"],
        [b"Name: va\0lue"],
        [b"Name: va\rlue"],
        [b"Name: va\nlue"],
        [b"Name: va\x7flue"],
        [b"Name: value\n"],
        [b"Name: value\r"],
        [b"Host: localhost"],
        [b"HOST: elsewhere"],
        [b"Content-Length: 1", b"Content-Length: 1"],
        [b"Content-Length: 1, 1"],
        [b"Content-Length:"],
        [b"Content-Length: +1"],
        [b"Content-Length: -1"],
        [b"Content-Length: 0x1"],
        [b"Content-Length: 1_0"],
        [b"Content-Length: 1.0"],
        [b"Content-Length: \xb2"],
        [b"Content-Length: 1234567890123456"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 1"],
        [b"Content-Type: a/b", b"Content-Type: a/c"],
        [b"Origin: null", b"Origin: http://localhost"],
        [b"Authorization: a", b"Authorization: a"],
    ],
)
def test_a_bad_header_is_refused(lines: list[bytes]) -> None:
    assert isinstance(one(get(*lines)).refusal, errors.BadRequest)


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"a b",
        b"a,b:x",
        b"a/b",
        b"a@b",
        b"a:1:2",
        b"a:123456",
        b"[::1",
        b"::1",
        b"a:-1",
        b"\xe4",
    ],
)
def test_a_host_must_be_a_host_with_an_optional_port(host: bytes) -> None:
    refusal = one(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host).refusal
    assert isinstance(refusal, errors.BadRequest)


@pytest.mark.parametrize(
    "host", [b"localhost", b"localhost:", b"127.0.0.1:65535", b"[::1]", b"[::1]:80", b"a-b.c_d"]
)
def test_a_good_host_is_taken_as_it_came(host: bytes) -> None:
    request = one(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host)
    assert request.refusal is None
    assert request.headers["host"] == host.decode()


def test_a_host_may_be_missing_in_http_1_0_alone() -> None:
    assert one(b"GET / HTTP/1.0\r\n\r\n").refusal is None
    assert isinstance(one(b"GET / HTTP/1.1\r\n\r\n").refusal, errors.BadRequest)


def test_a_malformed_line_is_refused_before_the_head_is_complete() -> None:
    assert isinstance(one(b"GET / HTTP/1.1\n").refusal, errors.BadRequest)
    assert isinstance(one(b"GET / HTTP/1.1\r\nHost: a\n").refusal, errors.BadRequest)
    assert isinstance(one(b"GET / HTTP/1.1\r\nHost: a b\r\n").refusal, errors.BadRequest)
    assert isinstance(one(b"GET / HTTP/1.1\r\nContent-Length: x\r\n").refusal, errors.BadRequest)
    assert isinstance(one(b"GET / HTTP/1.1\r\n ").refusal, errors.BadRequest)
    assert isinstance(one(b"\x16\x03\x01").refusal, errors.BadRequest)


@pytest.mark.parametrize(
    "before", [b"", b"GET /", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost:"]
)
@pytest.mark.parametrize(
    "filler", [b"a", b"/", b" ", b"\t", b":", b"%", b"a:", b"a ", b"[", b"\xff"]
)
def test_no_long_line_takes_time_that_grows_with_its_square(before: bytes, filler: bytes) -> None:
    """A pattern that goes back over a line again and again takes seconds for one of 16 KiB."""
    line = before + filler * (16_000 // len(filler))
    start = process_time()
    for ending in b"\n", b"\0", b"\r\n":
        listen([line + ending])
    assert process_time() - start < 0.5


def test_what_is_not_known_is_refused_as_such() -> None:
    assert isinstance(one(b"BREW / HTTP/1.1\r\n").refusal, errors.NotImplementedYet)
    assert isinstance(one(b"get / HTTP/1.1\r\n").refusal, errors.NotImplementedYet)
    assert isinstance(one(get(b"Transfer-Encoding: gzip")).refusal, errors.NotImplementedYet)
    assert isinstance(one(b"GET / HTTP/2.0\r\n").refusal, errors.HttpVersionNotSupported)
    assert isinstance(one(b"GET / HTTP/0.9\r\n").refusal, errors.HttpVersionNotSupported)
    chunked_in_1_0 = get(b"Transfer-Encoding: chunked", version=b"1.0")
    assert isinstance(one(chunked_in_1_0).refusal, errors.BadRequest)


def test_a_refused_head_request_is_still_one_that_takes_no_body() -> None:
    assert one(b"HEAD / HTTP/2.0\r\n").method == "HEAD"
    assert one(b"\r\nHEAD / HTTP/2.0\r\n").method == "HEAD"
    assert one(b"GET / HTTP/2.0\r\n").method == ""


# Bounds.


def padded(size: int) -> bytes:
    """Return a GET whose head has this many bytes."""
    head = get(b"Padding: ")
    return head[:-4] + b"x" * (size - len(head)) + b"\r\n\r\n"


@pytest.mark.parametrize("before", [b"", b"\r\n"])
def test_a_head_may_have_16_kib_and_no_more(before: bytes) -> None:
    """The empty line that may come before does not count."""
    assert len(padded(MAX_HEAD_BYTES)) == MAX_HEAD_BYTES == 16_384

    assert one(before + padded(MAX_HEAD_BYTES)).refusal is None
    refusal = one(before + padded(MAX_HEAD_BYTES + 1)).refusal

    assert isinstance(refusal, errors.HeadersTooLarge)


def test_lines_that_are_repeated_count_for_the_bound() -> None:
    lines = padded(MAX_HEAD_BYTES).partition(b"\r\n")[2]
    first, second = listen([b"GET / HTTP/1.1\r\n" + lines, b"GET /longer HTTP/1.1\r\n" + lines])
    assert first.refusal is None
    assert second.refusal is not None
    assert second.refusal[0] == 431


def test_a_request_line_may_fill_the_head_and_no_more() -> None:
    rest = len(get()) - 1
    assert one(get(target=b"/" * (MAX_HEAD_BYTES - rest))).refusal is None
    too_long = get(target=b"/" * (MAX_HEAD_BYTES - rest + 1))
    assert isinstance(one(too_long).refusal, errors.HeadersTooLarge)


def test_an_endless_line_is_refused_as_soon_as_it_is_too_long() -> None:
    parser = RequestParser()
    parser.feed(b"GET /" + b"x" * (MAX_HEAD_BYTES - 6))
    assert parser.next_request() is None

    parser.feed(b"x")
    request = parser.next_request()

    assert request is not None
    assert isinstance(request.refusal, errors.HeadersTooLarge)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(get(b"A: " + b"a" * 14_000), id="one long line"),
        pytest.param(get(target=b"/" + b"a" * 14_000), id="a long target"),
        pytest.param(get(*[b"A: " + b"a" * 140] * 98), id="many lines"),
        pytest.param(b"\r\n" + get(*[b"A:"] * 98), id="many short lines"),
    ],
)
def test_a_head_byte_by_byte_is_parsed_once_a_line(
    head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte that only makes a line longer costs no look at the bytes before it."""
    parsed: list[int] = []
    parse_head = parser_module.parse_head

    def counting(data: bytearray, *rest: Any) -> tuple[Request, int]:
        parsed.append(len(data))
        return parse_head(data, *rest)

    monkeypatch.setattr(parser_module, "parse_head", counting)

    [request] = listen([bytes([byte]) for byte in head])

    assert request.refusal is None
    assert len(parsed) <= 3 + 2 * head.count(b"\n")


def test_bounds_are_the_same_byte_by_byte() -> None:
    for head in padded(MAX_HEAD_BYTES), padded(MAX_HEAD_BYTES + 1):
        cuts = [*range(MAX_HEAD_BYTES - 8, MAX_HEAD_BYTES + 1), len(head)]
        assert listen(cut(head, cuts)) == listen([head])


def test_a_head_may_have_100_headers_and_no_more() -> None:
    lines = [b"X-%d: 1" % number for number in range(MAX_HEADERS - 1)]  # and a Host

    assert one(get(*lines)).refusal is None
    refusal = one(get(*lines, b"X: 1")).refusal

    assert isinstance(refusal, errors.HeadersTooLarge)
    assert len(one(get(*lines)).headers) == 100


def test_headers_of_one_name_are_counted_one_by_one() -> None:
    assert isinstance(one(get(*[b"X: 1"] * MAX_HEADERS)).refusal, errors.HeadersTooLarge)


def test_a_length_may_have_15_digits() -> None:
    request = one(get(b"Content-Length: 999999999999999"))
    assert request.refusal is None
    assert request.content_length == 999_999_999_999_999
    assert one(get(b"Content-Length: 000000000000001")).content_length == 1


async def test_a_body_may_have_1_mib_and_no_more() -> None:
    pieces = [b"x" * MAX_BODY_BYTES]

    async def receive() -> bytes:
        return pieces.pop() if pieces else b""

    assert len(await Request(content_length=MAX_BODY_BYTES, receive=receive).read()) == 1_048_576
    too_long = Request(content_length=MAX_BODY_BYTES + 1, receive=receive)
    with pytest.raises(errors.PayloadTooLarge):
        await too_long.read()
    with pytest.raises(errors.PayloadTooLarge):
        too_long.check_length()


async def test_a_body_is_read_piece_by_piece_until_its_length() -> None:
    pieces = iter([b"one ", b"two ", b"three", b"never"])

    async def receive() -> bytes:
        return next(pieces)

    assert await Request(content_length=13, receive=receive).read() == b"one two three"
    assert await Request().read() == b""


# Targets, lengths and connections.


@given(PATHS)
def test_a_path_is_decoded_once(segments: list[str]) -> None:
    path = "/" + "/".join(segments)
    assert split_target("GET", quote(path)) == ("", path, "")
    assert split_target("GET", quote(quote(path))) == ("", quote(path), "")


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("/", ("", "/", "")),
        ("/a?b=1?c=%zz", ("", "/a", "b=1?c=%zz")),
        ("/a?", ("", "/a", "")),
        ("//a/../b", ("", "//a/../b", "")),
        ("/a%2Fb%3f", ("", "/a%2Fb?", "")),
        ("/a%2fb", ("", "/a%2Fb", "")),
        ("http://host", ("host", "/", "")),
        ("http://host/", ("host", "/", "")),
        ("http://host?a=b", ("host", "/", "a=b")),
        ("HTTPS://host:81/a?b", ("host:81", "/a", "b")),
        ("http://[::1]:3000/a", ("[::1]:3000", "/a", "")),
    ],
)
def test_a_target_has_an_authority_a_path_and_a_query(
    target: str, parts: tuple[str, str, str]
) -> None:
    assert split_target("GET", target) == parts


def test_only_options_may_ask_about_the_server_as_a_whole() -> None:
    assert split_target("OPTIONS", "*") == ("", "*", "")
    assert split_target("OPTIONS", "/%2a") == ("", "/*", "")
    with pytest.raises(errors.BadRequest):
        split_target("GET", "*")


def test_the_authority_of_the_target_wins_over_the_host() -> None:
    request = one(get(target=b"http://other:8080/tasks"))
    assert request.headers["host"] == "other:8080"
    assert request.path == "/tasks"


@pytest.mark.parametrize(
    ("version", "lines", "keep_alive"),
    [
        (b"1.1", [], True),
        (b"1.9", [], True),
        (b"1.1", [b"Connection: close"], False),
        (b"1.1", [b"Connection: CLOSE"], False),
        (b"1.1", [b"Connection: x , close"], False),
        (b"1.1", [b"Connection: keep-alive", b"Connection: close"], False),
        (b"1.1", [b"Connection: closed"], True),
        (b"1.0", [], False),
        (b"1.0", [b"Connection: Keep-Alive"], True),
        (b"1.0", [b"Connection: keep-alive, close"], False),
    ],
)
def test_whether_a_connection_is_kept(version: bytes, lines: list[bytes], keep_alive: bool) -> None:
    assert one(get(*lines, version=version)).keep_alive is keep_alive


def test_who_expects_to_be_asked_for_the_body() -> None:
    assert one(get(b"Expect: 100-Continue")).expects_continue
    assert not one(get(b"Expect: 100-continue", version=b"1.0")).expects_continue
    assert not one(get(b"Expect: something")).expects_continue
    assert not one(get()).expects_continue


def test_a_header_in_several_lines_is_a_list() -> None:
    assert one(get(b"X: 1", b"Y: 2", b"x:3")).headers["x"] == "1, 3"


# The parser between requests.


def test_only_one_empty_line_may_come_before_a_request() -> None:
    assert one(b"\r\n" + get()).refusal is None
    assert isinstance(one(b"\r\n\r\n" + get()).refusal, errors.BadRequest)


def test_the_next_request_stays_in_the_buffer() -> None:
    parser = RequestParser()
    parser.feed(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo")
    assert parser.next_request() is not None
    assert (parser.take_body(), parser.body_is_complete) == (b"bo", False)

    parser.feed(b"dy" + get())
    assert parser.unread == 2 + len(get())

    assert (parser.take_body(), parser.body_is_complete) == (b"dy", True)
    assert parser.take_body() == b""
    assert parser.unread == len(get())
    assert parser.next_request() is not None
    assert parser.unread == 0


@pytest.mark.parametrize(
    ("data", "is_between"),
    [
        (b"", True),
        (b"\r\n", True),
        (b"\r", False),
        (get()[:-1], False),
        (get(), True),
        (get() + b"\r\n", True),
        (get() + b"G", False),
        (get(b"Content-Length: 2"), False),
        (get(b"Content-Length: 2") + b"x", False),
        (get(b"Content-Length: 2") + b"xy", True),
    ],
)
def test_between_requests_nothing_is_half_said(data: bytes, is_between: bool) -> None:
    parser = RequestParser()
    parser.feed(data)
    parser.next_request()
    parser.take_body()
    assert parser.between_requests is is_between


# Answers.
