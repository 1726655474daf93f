"""The handshake: which request becomes a WebSocket, and what the others are told."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import TOKENS, Client
from over_websocket import HANDSHAKE, KEY
from websockets import ClientProtocol, Headers
from websockets import Response as HandshakeAnswer
from websockets.uri import parse_uri

from taskflow.errors import BadRequest, UpgradeRequired
from taskflow.events import Events
from taskflow.http import Request, Response, encode_head
from taskflow.hub import Hub
from taskflow.upgrade import upgrade
from taskflow.websocket import WebSocket

ADMIN = {"authorization": TOKENS.admin}


def handshake(headers: Mapping[str, str | None], **fields: object) -> Request:
    """Return a good handshake with these headers changed, or without those that are None."""
    changed = {**HANDSHAKE, **headers}
    kept = {name: value for name, value in changed.items() if value is not None}
    request = Request("GET", "/ws/tasks", headers=kept)
    for name, value in fields.items():
        setattr(request, name, value)
    return request


async def answered(headers: Mapping[str, str | None] = {}, **fields: object) -> Response:
    return await upgrade(Hub(Events()), handshake(headers, **fields))


# Let in.


async def test_the_answer_is_that_of_the_rfc() -> None:
    response = await answered()
    assert response.status == 101
    assert response.body == b""
    assert response.headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert isinstance(response.successor, WebSocket)
    head = encode_head(response, "now", keep_alive=True).decode().split("\r\n")
    assert sorted(head) == sorted(
        [
            "",
            "",
            "HTTP/1.1 101 Switching Protocols",
            "Date: now",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        ]
    )


async def test_a_client_of_another_make_is_content() -> None:
    """The library's own client checks each header of the answer."""
    client = ClientProtocol(parse_uri("ws://localhost/ws/tasks"))
    request = client.connect()
    headers = {name.lower(): value for name, value in request.headers.raw_items()}
    response = await upgrade(Hub(Events()), Request("GET", "/ws/tasks", headers=headers))
    answer = Headers({**response.headers, "Connection": "Upgrade"})
    client.process_response(HandshakeAnswer(101, "Switching Protocols", answer))


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [
        ("taskflow", "taskflow"),
        ("taskflow, bearer.abc", "taskflow"),
        ("bearer.abc,taskflow", "taskflow"),
        ("chat", None),
        ("Taskflow", None),
    ],
)
async def test_only_one_subprotocol_is_agreed_to(offered: str, agreed: str | None) -> None:
    response = await answered({"sec-websocket-protocol": offered})
    assert response.headers.get("Sec-WebSocket-Protocol") == agreed


@pytest.mark.parametrize("offered", ["bearer.abc", "chat, bearer.abc", "Taskflow,bearer.abc"])
async def test_a_token_that_is_offered_alone_is_refused(offered: str) -> None:
    with pytest.raises(BadRequest, match="taskflow"):
        await answered({"sec-websocket-protocol": offered})


async def test_no_extension_is_agreed_to() -> None:
    response = await answered({"sec-websocket-extensions": "permessage-deflate"})
    assert set(response.headers) == {"Upgrade", "Sec-WebSocket-Accept"}


async def test_nobody_is_a_client_before_the_answer_is_sent() -> None:
    hub = Hub(Events())
    await upgrade(hub, handshake({}))
    assert hub.stats()["clients"] == 0


# Turned away.


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-websocket-key": None},
        {"sec-websocket-key": ""},
        {"sec-websocket-key": KEY[:-1]},
        {"sec-websocket-key": "AAAA"},
        {"sec-websocket-key": f"{KEY}, {KEY}"},
        {"sec-websocket-key": "é" * 24},
        {"sec-websocket-version": None},
        {"sec-websocket-protocol": "a b"},
        {"upgrade": "///"},
    ],
)
async def test_a_bad_handshake_is_refused(headers: dict[str, str | None]) -> None:
    with pytest.raises(BadRequest):
        await answered(headers)


@pytest.mark.parametrize("fields", [{"content_length": 10}, {"is_chunked": True}])
async def test_a_handshake_with_a_body_is_refused(fields: dict[str, object]) -> None:
    """What of the body has not come yet would be taken for frames."""
    with pytest.raises(BadRequest):
        await answered({}, **fields)


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ({"sec-websocket-version": "8"}, {}),
        ({"sec-websocket-version": ""}, {}),
        ({"upgrade": None}, {}),
        ({"upgrade": "h2c"}, {}),
        ({"upgrade": "websocket, h2c"}, {}),
        ({"connection": None}, {}),
        ({"connection": "keep-alive"}, {}),
        ({}, {"is_http_1_0": True}),
        ({}, {"method": "HEAD"}),
    ],
)
async def test_others_are_told_what_is_spoken_here(
    headers: dict[str, str | None], fields: dict[str, str]
) -> None:
    with pytest.raises(UpgradeRequired) as caught:
        await answered(headers, **fields)
    assert caught.value.status == 426
    told = dict(caught.value.headers)
    assert told == {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}


LATIN = st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=40)
PARTS = st.sampled_from(["websocket", "Upgrade", "13", KEY, ",", " ", '"', "/", ";", "=", "\t"])
VALUES = LATIN | st.lists(PARTS, max_size=6).map("".join)
NAMES = st.sampled_from(
    [*list(HANDSHAKE)[1:], "sec-websocket-protocol", "sec-websocket-extensions"]
)


@given(st.dictionaries(NAMES, VALUES | st.none(), max_size=3))
def test_any_headers_have_an_answer(headers: dict[str, str | None]) -> None:
    """Never a failure of ours."""
    with suppress(BadRequest, UpgradeRequired):
        response = asyncio.run(answered(headers))
        assert response.status == 101
        encode_head(response, "now", keep_alive=True)


# Inside the chain.


async def status_of(client: Client, headers: Mapping[str, str | None]) -> int:
    request = handshake(headers)
    return (await client.app(request)).status


async def test_who_may_listen(client: Client) -> None:
    offer = "taskflow, bearer."
    for token in (TOKENS.admin, TOKENS.user):
        assert await status_of(client, {"authorization": token}) == 101
        assert await status_of(client, {"authorization": f"Bearer {token}"}) == 101
        assert await status_of(client, {"sec-websocket-protocol": offer + token}) == 101
        origin = {"authorization": token, "origin": "http://localhost"}
        assert await status_of(client, origin) == 101


async def test_who_may_not(client: Client) -> None:
    assert await status_of(client, {}) == 401
    assert await status_of(client, {"authorization": "wrong"}) == 401
    assert await status_of(client, {"sec-websocket-protocol": "taskflow, bearer.wrong"}) == 401
    assert await status_of(client, {"sec-websocket-protocol": "bearer.wrong"}) == 401
    for origin in ("http://evil.example", "null", "https://localhost", "http://localhost:81"):
        assert await status_of(client, {**ADMIN, "origin": origin}) == 403
    assert await status_of(client, {**ADMIN, "upgrade": None}) == 426
    assert await status_of(client, {**ADMIN, "sec-websocket-key": None}) == 400


async def test_the_answer_has_the_id_of_its_request(client: Client) -> None:
    response = await client.app(handshake({**ADMIN, "x-request-id": "ws-1"}))
    assert response.headers["X-Request-Id"] == "ws-1"


async def test_a_refusal_says_why(client: Client) -> None:
    response = await client.app(handshake({**ADMIN, "sec-websocket-key": None}))
    assert isinstance(response.body, bytes)
    error = json.loads(response.body)["error"]
    assert error["code"] == "BAD_REQUEST"
    assert "Sec-WebSocket-Key" in error["message"]


async def test_head_is_answered_like_a_plain_get(client: Client) -> None:
    """With the same headers, its length among them (RFC 9110, 9.3.2)."""
    bodies = []
    for method in ("GET", "HEAD"):
        response = await client.app(handshake({**ADMIN, "upgrade": None}, method=method))
        assert isinstance(response.body, bytes)
        bodies.append(json.loads(response.body)["error"]["message"])
    assert bodies[0] == bodies[1]


async def test_the_server_counts_who_listens(client: Client) -> None:
    counts = await client.shown("/tasks/system/ws")
    assert counts == {"clients": 0, "rooms": 0, "delivered": 0, "dropped": 0}
