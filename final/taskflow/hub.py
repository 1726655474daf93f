"""The hub: which client is in which room, and how an event reaches all of them.

An event is framed once, and the same bytes are written to every client in its rooms. A client that
does not take them is closed when too much is waiting for it, so no other client waits. A client
that was away says which event it saw last, and is sent the ones that it missed, unless too many
have happened since.
"""

import asyncio
import re

from websockets import CloseCode

from taskflow.clock import new_id, utc_now
from taskflow.codec import decode_object, encode
from taskflow.errors import InvalidJson
from taskflow.events import Event, Events
from taskflow.websocket import MAX_UNSENT, WebSocket, text_frame

# Rooms of one client.
MAX_ROOMS = 100

ROOM = re.compile(r"tasks|reports|task:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class Hub:
    """The connected clients, and the rooms that each of them is in."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._rooms: dict[WebSocket, set[str]] = {}

        # The reverse index, so that an event finds its clients without a search.
        self._clients: dict[str, set[WebSocket]] = {}

        # Messages.
        self._delivered = 0
        self._dropped = 0

        # The server stops.
        self._is_closing = False

    def publish(self, event: Event) -> None:
        """Send an event to every client in one of its rooms. O(those clients)."""
        clients = {client for room in event.rooms for client in self._clients.get(room, ())}
        if clients:
            frame = text_frame(event.message)
            for client in clients:
                self._send(client, frame)

    def _send(self, client: WebSocket, *frames: bytes) -> None:
        if client.send(b"".join(frames)):
            self._delivered += len(frames)
        else:
            self._dropped += len(frames)

    def _respond(self, client: WebSocket, kind: str, **content: object) -> None:
        message = encode({"type": kind, **content, "timestamp": utc_now()})
        self._send(client, text_frame(message))

    def join(self, client: WebSocket) -> None:
        """Add a new client, and send it the number of the last event."""
        self._enter(client, {"tasks"})
        names = {"clientId": new_id(), "subscribedRooms": ["tasks"]}
        self._respond(client, "connection.ready", **names, **self._events.position)
        if self._is_closing:
            client.close(CloseCode.GOING_AWAY, "the server stops")

    def leave(self, client: WebSocket) -> bool:
        """Remove a client, and return whether it was there. O(its rooms)."""
        rooms = self._rooms.pop(client, None)
        for room in rooms or ():
            self._clients[room].remove(client)
            if not self._clients[room]:
                del self._clients[room]
        return rooms is not None

    def _enter(self, client: WebSocket, rooms: set[str]) -> None:
        """Put a client into these rooms, and out of all others. O(rooms)."""
        self.leave(client)
        self._rooms[client] = rooms
        for room in rooms:
            self._clients.setdefault(room, set()).add(client)

    def received(self, client: WebSocket, message: str | bytes) -> None:
        """Handle a message, or respond with an error if that is not possible."""
        try:
            if isinstance(message, bytes):
                raise InvalidJson("a message must be text")
            request = decode_object(message.encode())
        except InvalidJson as error:
            self._respond(client, "error", code="INVALID_MESSAGE", message=str(error))
            return
        since = request.get("since")
        match request:
            case {"type": "ping"}:
                self._respond(client, "pong")
            # Not isinstance: in Python, True is an int too.
            case {"type": "subscribe", "rooms": list(rooms)} if since is None or type(since) is int:
                if self._subscribe(client, rooms) and since is not None:
                    self._replay(client, since, request.get("epoch"))
            case {"type": str(kind)} if kind != "subscribe":
                allowed = "the type of a message is ping or subscribe"
                self._respond(client, "error", code="UNSUPPORTED_MESSAGE", message=allowed)
            case _:
                allowed = "a message has a type; subscribe has a list of rooms, and since a number"
                self._respond(client, "error", code="INVALID_MESSAGE", message=allowed)

    def _subscribe(self, client: WebSocket, rooms: list[object]) -> bool:
        # Ids are compared without regard to case (RFC 9562, 4).
        names = [room.lower() for room in rooms if isinstance(room, str) and ROOM.fullmatch(room)]
        if len(names) != len(rooms) or len(rooms) > MAX_ROOMS:
            allowed = f"rooms are tasks, reports and task:ID, up to {MAX_ROOMS}"
            self._respond(client, "error", code="INVALID_ROOM", message=allowed)
            return False
        names = names or ["tasks"]
        self._enter(client, set(names))
        self._respond(client, "subscription.confirmed", subscribedRooms=names)
        return True

    def _replay(self, client: WebSocket, since: int, epoch: object) -> None:
        """Send the events that a client missed, or report a gap if they are too many."""
        missed = self._events.since(since, epoch)
        if missed is None or sum(len(event.message) for event in missed) > MAX_UNSENT:
            self._respond(client, "history.gap", **self._events.position)
            return
        rooms = self._rooms.get(client, set())
        frames = [text_frame(event.message) for event in missed if rooms & event.rooms]
        # Together, because a write for each of them would hold up other clients.
        self._send(client, *frames)

    def report_gap(self) -> None:
        """Let all clients fetch the tasks again, because changes were taken back. O(clients)."""
        gap = {"type": "history.gap", **self._events.position, "timestamp": utc_now()}
        frame = text_frame(encode(gap))
        for client in list(self._rooms):
            self._send(client, frame)

    async def run(self, ping_seconds: float) -> None:
        """Ping all clients, again and again."""
        while True:
            await asyncio.sleep(ping_seconds)
            for client in list(self._rooms):
                client.ping()

    def close(self) -> None:
        """Close all clients, and from now on each new one, because the server stops."""
        self._is_closing = True
        for client in list(self._rooms):
            client.close(CloseCode.GOING_AWAY, "the server stops")

    def stats(self) -> dict[str, int]:
        """Return the numbers of clients, of rooms that are not empty, and of messages."""
        return {
            "clients": len(self._rooms),
            "rooms": len(self._clients),
            "delivered": self._delivered,
            "dropped": self._dropped,
        }
