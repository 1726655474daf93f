"""The upgrade: from a request to a WebSocket (RFC 6455, 4.2)."""

from functools import partial

from websockets import Headers, ServerProtocol, State, Subprotocol
from websockets import Request as Handshake

from taskflow.codec import encode
from taskflow.errors import BadRequest, UpgradeRequired
from taskflow.http import Handler, Request, Response
from taskflow.hub import Hub
from taskflow.websocket import MAX_MESSAGE, WebSocket

# For browsers, which offer it beside a token.
SUBPROTOCOL = Subprotocol("taskflow")

HEADERS = ("Upgrade", "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol")


async def upgrade(hub: Hub, request: Request) -> Response:
    """Respond to a good handshake with 101. Raises UpgradeRequired, BadRequest."""
    version = request.headers.get("sec-websocket-version", "13")
    is_other = request.method != "GET" or request.is_http_1_0 or version != "13"
    offered = request.headers.get("sec-websocket-protocol", "").replace(",", " ").split()
    # Browsers drop a connection that names none of the subprotocols which they offered, so a token
    # that is offered alone is refused. The library does that, because it finds none that it knows.
    has_token = any(name.startswith("bearer.") for name in offered)
    known = [SUBPROTOCOL] if SUBPROTOCOL in offered or has_token else None
    # OPEN, because our own parser has read the handshake: the first bytes will be a frame.
    protocol = ServerProtocol(state=State.OPEN, max_size=MAX_MESSAGE, subprotocols=known)
    accepted = protocol.accept(Handshake(request.path, Headers(request.headers)))
    if is_other or accepted.status_code == UpgradeRequired.status:
        raise UpgradeRequired("this path accepts only WebSockets, of version 13")
    if accepted.status_code != 101 or request.content_length or request.is_chunked:
        raise BadRequest(f"the handshake failed: {protocol.handshake_exc or 'it has a body'}")
    headers = {name: accepted.headers[name] for name in HEADERS if name in accepted.headers}
    return Response(101, headers=headers, successor=WebSocket(protocol, hub))


async def stats(hub: Hub, request: Request) -> Response:
    """Respond with the numbers of clients, rooms and messages."""
    return Response(200, encode(hub.stats()))


def websocket_routes(hub: Hub) -> dict[str, Handler]:
    """Return the handlers by method and path."""
    return {"GET /ws/tasks": partial(upgrade, hub), "GET /tasks/system/ws": partial(stats, hub)}
