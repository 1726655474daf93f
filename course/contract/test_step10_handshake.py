"""Step 10: the handshake: who gets a WebSocket, and what is answered to the others."""

from __future__ import annotations

import base64
import os

import pytest

from .answer import Answer
from .api import Api
from .client import DATE
from .live import PATH, STATS, Listener, handshake, listen, stats
from .websocket import KEY, accept_of, handshake_fields, text

PING = text({"type": "ping"})


def let_in(api: Api, *fields: str, **changes: str | None) -> Answer:
    """The answer to a handshake, behind which the WebSocket works."""
    connection = api.say(handshake(api, *fields, **changes))
    answer = connection.switched()
    Listener(connection).quiet()
    return answer


def turned_away(api: Api, code: str, *fields: str, **changes: str | None) -> Answer:
    """The refusal of a handshake. It is no fault of the message, so the connection stays."""
    connection = api.say(handshake(api, *fields, **changes))
    answer = connection.answer()
    api.refused(answer, code)
    connection.send(api.request("GET", "/health"))
    connection.answer().expect(200)
    return answer


# The answer


def test_the_answer_is_that_of_the_rfc(api: Api) -> None:
    """The example of RFC 6455, 1.3. An answer with 101 has no body, so nothing is said of one."""
    assert accept_of(KEY) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    answer = let_in(api)
    assert answer.every("sec-websocket-accept") == ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]
    assert (answer.field("upgrade") or "").lower() == "websocket"
    assert "upgrade" in {option.lower() for option in answer.options("connection")}
    assert DATE.fullmatch(answer.field("date") or "")
    for name in ("content-length", "transfer-encoding", "content-type"):
        assert answer.every(name) == []
    for name in ("sec-websocket-protocol", "sec-websocket-extensions"):
        assert answer.every(name) == [], "expected nothing that was not offered"


def test_each_key_has_its_answer(api: Api) -> None:
    for _ in range(5):
        key = base64.b64encode(os.urandom(16)).decode()
        assert let_in(api, key=key).field("sec-websocket-accept") == accept_of(key)


def test_the_answer_has_an_id_like_every_other(api: Api) -> None:
    assert let_in(api, "X-Request-Id: ws-1").field("x-request-id") == "ws-1"
    assert api.request_id(let_in(api)) != api.request_id(let_in(api))


@pytest.mark.parametrize(
    "fields",
    [
        ["connection: upgrade", "upgrade: WebSocket"],
        ["Connection: keep-alive, Upgrade", "Upgrade: websocket"],  # as Firefox does it
        ["Connection: keep-alive", "Connection: UPGRADE", "UPGRADE: websocket"],
    ],
)
def test_names_may_be_written_in_any_way(api: Api, fields: list[str]) -> None:
    key = [f"sec-websocket-key: {KEY}", "SEC-WEBSOCKET-VERSION: 13"]
    connection = api.say(api.head("GET", PATH + "?unknown=1", *fields, *key))
    connection.switched()
    Listener(connection).quiet()


def test_a_handshake_waits_for_the_requests_before_it(api: Api) -> None:
    task = api.create()
    connection = api.say(api.request("GET", f"/tasks/{task['id']}") * 3 + handshake(api) + PING)
    for _ in range(3):
        assert connection.answer().expect(200).json() == task
    connection.switched()
    assert Listener(connection).message()["type"] == "pong"


def test_bytes_right_behind_the_handshake_are_not_lost(api: Api) -> None:
    """However they are cut on their way, and the handshake too."""
    data = handshake(api) + PING + PING
    for cut in range(1, len(data) + 1):
        connection = api.connect()
        api.send_apart(connection, [piece for piece in (data[:cut], data[cut:]) if piece])
        connection.switched()
        listener = Listener(connection)
        assert [listener.message()["type"] for _ in range(2)] == ["pong", "pong"], f"cut at {cut}"
        connection.close()


def test_much_right_behind_the_handshake_is_not_lost(api: Api) -> None:
    """More than a server reads ahead."""
    padded = text('{"type":"ping"}'.ljust(60_000))
    connection = api.say(handshake(api) + padded * 4)
    connection.switched()
    listener = Listener(connection)
    assert [listener.message()["type"] for _ in range(4)] == ["pong"] * 4


# Tokens


def test_a_token_comes_in_the_header(api: Api, user: Api, stranger: Api) -> None:
    """Of an admin or a user: to listen is to read."""
    for token in (api.token, user.token):
        for form in ("Bearer {}", "bearer {}", "{}"):
            let_in(stranger, "Authorization: " + form.format(token))


@pytest.mark.parametrize(
    "offer",
    [
        ["taskflow, bearer.{}"],
        ["taskflow,bearer.{}"],
        ["bearer.{}, taskflow"],
        ["other, taskflow, bearer.{}"],
        ["taskflow", "bearer.{}"],
    ],
)
def test_a_browser_offers_its_token_as_a_subprotocol(
    api: Api, user: Api, stranger: Api, offer: list[str]
) -> None:
    """The answer names `taskflow`, and never the token."""
    for token in (api.token, user.token):
        fields = [f"Sec-WebSocket-Protocol: {line.format(token)}" for line in offer]
        answer = let_in(stranger, *fields)
        assert answer.every("sec-websocket-protocol") == ["taskflow"]


def test_the_subprotocol_alone_needs_a_token_in_the_header(api: Api, stranger: Api) -> None:
    answer = let_in(api, "Sec-WebSocket-Protocol: taskflow")
    assert answer.every("sec-websocket-protocol") == ["taskflow"]
    turned_away(stranger, "INVALID_TOKEN", "Sec-WebSocket-Protocol: taskflow")


@pytest.mark.parametrize("offer", ["bearer.{}", "chat, bearer.{}"])
def test_a_token_offered_without_the_subprotocol_is_refused(
    api: Api, stranger: Api, offer: str
) -> None:
    """A browser would drop a connection that names none of its subprotocols (RFC 6455, 4.1)."""
    field = f"Sec-WebSocket-Protocol: {offer}"
    answer = turned_away(stranger, "BAD_REQUEST", field.format(api.token))
    assert "taskflow" in answer.json()["error"]["message"]
    turned_away(stranger, "INVALID_TOKEN", field.format("wrong"))


def test_other_subprotocols_are_not_agreed_to(api: Api) -> None:
    """The client decides what to make of that (RFC 6455, 4.1)."""
    assert let_in(api, "Sec-WebSocket-Protocol: chat").every("sec-websocket-protocol") == []


@pytest.mark.parametrize(
    "field",
    [
        "X-Name: none",
        "Authorization: Bearer wrong",
        "Authorization: Bearer {}x",
        "Authorization: Basic {}",
        "Sec-WebSocket-Protocol: taskflow, bearer.wrong",
        "Sec-WebSocket-Protocol: taskflow, bearer.{}x",
        "Sec-WebSocket-Protocol: taskflow, bearer.",
        "Sec-WebSocket-Protocol: taskflow, xbearer.{}",
        "Sec-WebSocket-Protocol: taskflow, {}",
        "Sec-WebSocket-Protocol: taskflow, token.{}",
    ],
)
def test_without_a_good_token_nobody_is_let_in(api: Api, stranger: Api, field: str) -> None:
    """And that comes first, whatever else is wrong."""
    field = field.format(api.token)
    for changes in ({}, {"key": None}, {"version": "8"}, {"upgrade": None}):
        answer = turned_away(stranger, "INVALID_TOKEN", field, **changes)
        assert answer.field("www-authenticate") == "Bearer"
    turned_away(stranger, "INVALID_TOKEN", field, "Origin: http://evil.example")


# Origins


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://{host}", "http://{host}.evil.example", "{host}", ""],
)
def test_a_page_of_another_origin_may_not_listen(api: Api, origin: str) -> None:
    """Though it has a token: a browser sends no cookies here, but this door stays shut."""
    origin = origin.format(host=api.host)
    turned_away(api, "FORBIDDEN_ORIGIN", f"Origin: {origin}")
    turned_away(api, "FORBIDDEN_ORIGIN", f"Origin: {origin}", key=None)


def test_a_page_of_the_server_may_listen(api: Api, stranger: Api) -> None:
    """As a browser does it."""
    let_in(api, f"Origin: {api.origin}")
    offer = f"Sec-WebSocket-Protocol: taskflow, bearer.{api.token}"
    let_in(stranger, f"Origin: {api.origin}", offer, "Sec-Fetch-Mode: websocket")


# What is no handshake


@pytest.mark.parametrize(
    "changes",
    [
        {"key": None},
        {"key": ""},
        {"key": base64.b64encode(b"15 bytes of key").decode()},
        {"key": base64.b64encode(b"17 bytes of a key").decode()},
        {"key": "dGhlIHNhbXBsZSBub25jZQ"},
        {"key": "dGhlIHNhbXBsZSBub25jZQ=!"},
        {"key": "not base64 at all, no"},
        {"key": "\xe9" * 24},
        {"version": None},
        {"key": f"{KEY}\r\nSec-WebSocket-Key: {KEY}"},
    ],
)
def test_a_bad_handshake_is_refused(api: Api, changes: dict[str, str | None]) -> None:
    turned_away(api, "BAD_REQUEST", **changes)


@pytest.mark.parametrize("version", ["8", "0", "12", "14", "130", "thirteen", "-13", "8, 13"])
def test_another_version_is_told_which_there_is(api: Api, version: str) -> None:
    upgrade_required(turned_away(api, "UPGRADE_REQUIRED", version=version))


def upgrade_required(answer: Answer, fate: str = "keep-alive") -> None:
    """Two headers name the protocol, and the second says what becomes of the connection as well."""
    assert (answer.field("upgrade") or "").lower() == "websocket"
    assert answer.field("sec-websocket-version") == "13"
    options = {option.lower() for option in answer.options("connection")}
    assert options == {"upgrade", fate}


@pytest.mark.parametrize(
    "fields",
    [
        [],
        handshake_fields(upgrade=None),
        handshake_fields(upgrade="h2c"),
        handshake_fields()[1:],
        ["Connection: keep-alive", *handshake_fields()[1:]],
        ["Connection: Upgrade"],
    ],
)
def test_a_plain_get_is_told_what_is_spoken_here(api: Api, fields: list[str]) -> None:
    connection = api.say(api.head("GET", PATH, *fields))
    answer = connection.answer()
    api.refused(answer, "UPGRADE_REQUIRED")
    upgrade_required(answer)
    connection.send(api.request("GET", "/health"))
    connection.answer().expect(200)


def test_an_upgrade_in_http_1_0_is_ignored(api: Api) -> None:
    """An old proxy may have passed it on without knowing what it means (RFC 9110, 7.8)."""
    connection = api.say(api.head("GET", PATH, *handshake_fields(), version="HTTP/1.0"))
    answer = connection.answer()
    api.refused(answer, "UPGRADE_REQUIRED")
    upgrade_required(answer, "close")
    connection.ended()


def test_a_client_that_closes_is_told_that_it_is_so(api: Api) -> None:
    connection = api.say(api.head("GET", PATH, "Connection: close"))
    upgrade_required(connection.answer().expect(426), "close")
    connection.ended()


def test_head_is_answered_like_a_plain_get(api: Api) -> None:
    plain = api.ask("GET", PATH)
    answer = api.ask("HEAD", PATH)
    upgrade_required(answer.expect(426))
    assert answer.field("content-length") == plain.field("content-length")
    upgrade_required(api.ask("HEAD", PATH, *handshake_fields()).expect(426))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_not_allowed(api: Api, method: str) -> None:
    answer = api.ask(method, PATH, *handshake_fields())
    api.refused(answer, "METHOD_NOT_ALLOWED")
    assert answer.options("allow") == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", ["/health", "/tasks", STATS])
def test_elsewhere_an_upgrade_is_ignored(api: Api, path: str) -> None:
    """A server need not change protocols because a client offers it (RFC 9110, 7.8)."""
    connection = api.say(api.head("GET", path, *handshake_fields()) * 2)
    for _ in range(2):
        connection.answer().expect(200)


@pytest.mark.parametrize("cut", [0, 5, 10])
@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("Content-Length: 10", b"0123456789"),
        ("Transfer-Encoding: chunked", b"5\r\nabcde\r\n0\r\n\r\n"),
    ],
)
def test_a_handshake_with_a_body_is_refused(api: Api, field: str, body: bytes, cut: int) -> None:
    """Or else its bytes would be taken for frames, and which, that would depend on the cut."""
    connection = api.connect()
    api.send_apart(connection, [handshake(api, field) + body[:cut], body[cut:]])
    api.refused(connection.answer(), "BAD_REQUEST")


# Who listens


def test_the_server_counts_who_listens_where(api: Api, user: Api) -> None:
    before = stats(user)
    assert set(before) >= {"clients", "rooms", "delivered", "dropped"}
    assert all(type(count) is int and count >= 0 for count in before.values())
    first, second = listen(api), listen(api, "tasks", "reports")
    during = stats(api)
    assert during["clients"] == before["clients"] + 2
    assert during["rooms"] >= 2
    assert during["delivered"] > before["delivered"]
    for listener in (first, second):
        listener.send(b"\x88\x80\0\0\0\0")
        listener.closed()
    assert stats(api)["clients"] == before["clients"]


def test_a_handshake_that_is_refused_is_no_client(api: Api) -> None:
    before = stats(api)["clients"]
    turned_away(api, "BAD_REQUEST", key=None)
    assert stats(api)["clients"] == before
