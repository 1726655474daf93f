"""Step 6: the access log: a line of JSON on stderr for each answer. Starts servers of its own."""

from __future__ import annotations

import json
import time
from typing import Any
from unicodedata import category

import pytest

from .client import DEADLINE
from .conftest import Launch
from .process import ServerProcess

FIELDS = {"id", "method", "path", "status", "bytes", "durationMs", "client"}

Line = dict[str, Any]


def access_lines(process: ServerProcess) -> list[Line]:
    """The lines about answers, once the server has stopped. Every line is a line of JSON."""
    if not process.stopped:
        process.stop()
    lines: list[Line] = [json.loads(line) for line in process.log.split("\n")[:-1]]
    return [line for line in lines if set(line) >= FIELDS]


def test_each_answer_has_its_line(launch: Launch) -> None:
    api, process = launch()
    posted = api.ask("POST", "/tasks", "X-Request-Id: a-1", value={"title": "a"}).expect(201)
    got = api.ask("GET", "/tasks?limit=1&status=pending", "X-Request-Id: a-2").expect(200)
    api.ask("HEAD", "/tasks", "X-Request-Id: a-3").expect(200)
    api.ask("DELETE", posted.field("location") or "", "X-Request-Id: a-4").expect(204)
    refused = api.ask("PUT", "/nowhere", "X-Request-Id: a-5").expect(404)
    lines = access_lines(process)
    assert [[line[key] for key in ("id", "method", "path", "status")] for line in lines] == [
        ["a-1", "POST", "/tasks", 201],
        ["a-2", "GET", "/tasks", 200],
        ["a-3", "HEAD", "/tasks", 200],
        ["a-4", "DELETE", posted.field("location"), 204],
        ["a-5", "PUT", "/nowhere", 404],
    ]
    sizes = [len(posted.body), len(got.body), 0, 0, len(refused.body)]
    assert [line["bytes"] for line in lines] == sizes
    assert all(0 <= line["durationMs"] < 5_000 for line in lines)


def test_what_is_no_request_has_its_line_too(launch: Launch) -> None:
    api, process = launch()
    answers = [
        api.say(b"GET /\x00\r\n").answer().expect(400),
        api.say(b"BREW / HTTP/1.1\r\n").answer().expect(501),
        api.say(b"GET / HTTP/9.9\r\n").answer().expect(505),
    ]
    assert [(line["id"], line["status"]) for line in access_lines(process)] == [
        (answer.field("x-request-id"), answer.status) for answer in answers
    ]


def test_a_line_is_there_soon_and_not_only_at_the_end(launch: Launch) -> None:
    api, process = launch()
    api.ask("GET", "/health", "X-Request-Id: soon").expect(200)
    deadline = time.monotonic() + DEADLINE
    while '"soon"' not in process.log:
        assert time.monotonic() < deadline, f"expected a line in time, received\n{process.log}"
        api.ask("GET", "/health")


def test_no_line_has_a_token_in_it(launch: Launch, tokens: dict[str, str]) -> None:
    api, process = launch()
    bare = api.with_token("")
    for token in tokens.values():
        api.with_token(token).ask("GET", "/tasks").expect(200)
        bare.ask("GET", "/tasks", f"Authorization: {token}").expect(200)
        bare.ask("GET", f"/tasks?token={token}").expect(401)
        bare.ask("GET", "/tasks", f"Authorization: Basic {token}").expect(401)
        bare.ask("GET", "/tasks", f"Authorization: {token}", f"Authorization: {token}")
        bare.ask("GET", "/tasks", f"Authorization : {token}").expect(400)
        api.with_token(token).ask("GET", "/demo/error/internal").expect(500)
    assert len(access_lines(process)) == 14
    for token in tokens.values():
        assert token not in process.log


FORGED = '{"level":"info","id":"forged","status":200}'


@pytest.fixture
def hostile() -> list[str]:
    """Decoded paths that try to end a line of the log, to forge one, or to paint a terminal."""
    marks = [
        "\n",
        "\r",
        "\r\n",
        '"',
        '\\"',
        "\\",
        "\x1b[31m",
        "\x85",
        "\u2028",
        "\x7f",
        "\t",
        "\x0b",
    ]
    return [f"/{mark}{FORGED}{mark}" for mark in marks] + ["/\U0001f680", "/" + "x" * 4000]


def test_a_hostile_path_cannot_forge_a_line(launch: Launch, hostile: list[str]) -> None:
    api, process = launch()
    for path in hostile:
        escaped = "".join(f"%{byte:02x}" for byte in path[1:].encode())
        api.ask("GET", "/" + escaped).expect(404)
        api.ask("GET", "/nowhere", f"X-Request-Id: {FORGED}").expect(404)
    lines = access_lines(process)
    assert len(lines) == 2 * len(hostile)
    assert len(process.log.split("\n")) == len(lines) + 1
    for path, line in zip(hostile, lines[::2], strict=True):
        assert path.startswith(line["path"])  # a long one may be cut
        assert line["path"]
    assert "forged" not in {line["id"] for line in lines}
    kinds = ("Cc", "Zl", "Zp")  # control characters, and separators of lines and paragraphs
    controls = {mark for mark in process.log if category(mark) in kinds} - {"\n"}
    assert not controls, f"expected control characters to be escaped, received {controls}"
