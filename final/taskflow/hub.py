"""Live events: who listens where, and how an event reaches them all.

An event is framed once, and the same bytes are written to every client in its rooms. A client that
does not take them is closed when too much waits for it, so nobody else waits. A client that was
away says what it saw last, and is sent what it missed, if that is not too long ago.
"""

import asyncio
import re
from uuid import uuid4

from websockets import CloseCode

from taskflow.codec import decode_object, encode, utc_now
from taskflow.errors import InvalidJson
from taskflow.events import Event, Events
from taskflow.websocket import MAX_UNSENT, WebSocket, text_frame

MAX_ROOMS = 100  # of one client
ROOM = re.compile(r"tasks|reports|task:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Hub:
    """The clients, and the rooms in which each of them is."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._rooms: dict[WebSocket, set[str]] = {}
        self._counts = {"delivered": 0, "dropped": 0}  # messages
        self._leaving = False  # the server stops
        events.listeners.append(self.publish)

    def publish(self, event: Event) -> None:
        """Send an event to all who are in one of its rooms. O(clients), of whom few are many."""
        inside = [one for one, rooms in self._rooms.items() if not rooms.isdisjoint(event.rooms)]
        if inside:  # mostly nobody is, and then there is no frame to make
            frame = text_frame(event.message)
            for client in inside:
                self._send(client, frame)

    def _send(self, client: WebSocket, frame: bytes) -> None:
        self._counts["delivered" if client.send(frame) else "dropped"] += 1

    def _answer(self, client: WebSocket, kind: str, **content: object) -> None:
        message = encode({"type": kind, **content, "timestamp": utc_now()})
        self._send(client, text_frame(message))

    def join(self, client: WebSocket) -> None:
        """Take a new client in, and tell it where it is."""
        self._rooms[client] = {"tasks"}
        ready = {"clientId": str(uuid4()), "subscribedRooms": ["tasks"]}
        place = {"epoch": self._events.epoch, "seq": self._events.seq}
        self._answer(client, "connection.ready", **ready, **place)
        if self._leaving:
            client.close(CloseCode.GOING_AWAY, "the server stops")

    def leave(self, client: WebSocket) -> bool:
        """Forget a client; return whether it was known."""
        return self._rooms.pop(client, None) is not None

    def received(self, client: WebSocket, message: str | bytes) -> None:
        """Do what a client asks for; answer what cannot be done with an error."""
        try:
            if isinstance(message, bytes):
                raise InvalidJson("a message is text")
            request = decode_object(message.encode())
        except InvalidJson as error:
            self._answer(client, "error", code="INVALID_MESSAGE", message=str(error))
            return
        match request:
            case {"type": "ping"}:
                self._answer(client, "pong")
            case {"type": "subscribe", "rooms": list(rooms), "since": int(since)}:
                if self._subscribe(client, rooms):
                    self._replay(client, since, request.get("epoch"))
            case {"type": "subscribe", "rooms": list(rooms)} if request.get("since") is None:
                self._subscribe(client, rooms)
            case {"type": str(kind)} if kind != "subscribe":
                known = "ping and subscribe are known here"
                self._answer(client, "error", code="UNSUPPORTED_MESSAGE", message=known)
            case _:
                wanted = "a message has a type; subscribe has a list of rooms, and since a number"
                self._answer(client, "error", code="INVALID_MESSAGE", message=wanted)

    def _subscribe(self, client: WebSocket, rooms: list[object]) -> bool:
        wanted = [room for room in rooms if isinstance(room, str) and ROOM.fullmatch(room)]
        if wanted != rooms or len(rooms) > MAX_ROOMS:
            known = f"rooms are tasks, reports and task:ID, up to {MAX_ROOMS}"
            self._answer(client, "error", code="INVALID_ROOM", message=known)
            return False
        self._rooms[client] = set(wanted or ["tasks"])
        self._answer(client, "subscription.confirmed", subscribedRooms=wanted or ["tasks"])
        return True

    def _replay(self, client: WebSocket, since: int, epoch: object) -> None:
        """Send again what a client missed, or tell it that too much has happened since."""
        missed = self._events.since(since, epoch)
        if missed is None or sum(len(event.message) for event in missed) > MAX_UNSENT:
            self._answer(client, "history.gap", epoch=self._events.epoch, seq=self._events.seq)
            return
        for event in missed:
            if not self._rooms.get(client, set()).isdisjoint(event.rooms):
                self._send(client, text_frame(event.message))

    async def run(self, ping_seconds: float) -> None:
        """Ping everybody again and again."""
        while True:
            await asyncio.sleep(ping_seconds)
            for client in list(self._rooms):
                client.ping()

    def say_goodbye(self) -> None:
        """Close everybody, who comes from now on too, for the server stops."""
        self._leaving = True
        for client in list(self._rooms):
            client.close(CloseCode.GOING_AWAY, "the server stops")

    def stats(self) -> dict[str, int]:
        """Return how many listen, and what became of what they were sent."""
        rooms = set[str]().union(*self._rooms.values())
        return {"clients": len(self._rooms), "rooms": len(rooms), **self._counts}
