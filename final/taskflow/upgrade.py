"""The handshake: from a request to a WebSocket (RFC 6455, 4.2)."""

from functools import partial

from websockets import Headers, ServerProtocol, State, Subprotocol
from websockets import Request as Handshake

from taskflow.codec import encode
from taskflow.errors import BadRequest, UpgradeRequired
from taskflow.http import Handler, Request, Response
from taskflow.hub import Hub
from taskflow.websocket import MAX_MESSAGE, WebSocket

SUBPROTOCOL = Subprotocol("taskflow")  # for browsers, which offer it beside a token
ANSWERED = ("Upgrade", "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol")


async def upgrade(hub: Hub, request: Request) -> Response:
    """Answer a good handshake with 101. Raises UpgradeRequired, BadRequest."""
    version = request.headers.get("sec-websocket-version", "13")
    is_other = request.method != "GET" or request.minor == "0" or version != "13"
    offered = request.headers.get("sec-websocket-protocol", "").replace(",", " ").split()
    known = [SUBPROTOCOL] if SUBPROTOCOL in offered else None
    # OPEN, for our own parser has read the handshake: the protocol begins with the first frame.
    protocol = ServerProtocol(state=State.OPEN, max_size=MAX_MESSAGE, subprotocols=known)
    answer = protocol.accept(Handshake(request.path, Headers(request.headers)))
    if is_other or answer.status_code == UpgradeRequired.status:
        raise UpgradeRequired("here are WebSockets only, of version 13")
    if answer.status_code != 101 or request.content_length or request.chunked:
        raise BadRequest(f"the handshake failed: {protocol.handshake_exc or 'it has a body'}")
    headers = {name: answer.headers[name] for name in ANSWERED if name in answer.headers}
    return Response(101, headers=headers, successor=WebSocket(protocol, hub))


async def stats(hub: Hub, request: Request) -> Response:
    """Answer how many listen."""
    return Response(200, encode(hub.stats()))


def websocket_routes(hub: Hub) -> dict[str, Handler]:
    """Return the handlers by what they answer."""
    return {"GET /ws/tasks": partial(upgrade, hub), "GET /tasks/system/ws": partial(stats, hub)}
