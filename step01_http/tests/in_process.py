"""A client without a socket: the parser makes the request, the application responds to it."""

import json
from typing import Any

from taskflow.http import Handler, Response
from taskflow.parser import RequestParser


class Whole(Response):
    """A response whose body has been joined."""

    body: bytes


class Client:
    """A client of one application, which it calls as a connection would."""

    def __init__(self, app: Handler) -> None:
        self.app = app

    async def ask(
        self, method: str, target: str, value: object = None, body: bytes = b"", **headers: str
    ) -> Whole:
        """Return the response. The body of the request is the value as JSON, or these bytes."""
        if value is not None:
            body = json.dumps(value).encode()
        fields = {"host": "localhost", "content-length": str(len(body))}
        fields |= {name.replace("_", "-"): text for name, text in headers.items()}
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields)]
        parser = RequestParser()
        parser.feed("\r\n".join([*lines, "", ""]).encode() + body)
        request = parser.next_request()
        assert request is not None

        async def receive() -> bytes:
            return parser.take_body()

        request.receive = receive
        response = await self.app(request)
        joined = body_of(response)
        return Whole(response.status, joined, response.headers, response.content_type)

    async def created(self, **fields: object) -> Any:
        """Return a new task with these fields, as the response shows it."""
        response = await self.ask("POST", "/tasks", {"title": "a task", **fields})
        assert response.status == 201, response.body
        return json.loads(response.body)

    async def shown(self, target: str) -> Any:
        """Return the JSON at this target."""
        response = await self.ask("GET", target)
        assert response.status == 200, response.body
        return json.loads(response.body)


def body_of(response: Response) -> bytes:
    """Return the body of a response, joined."""
    return b"".join(response.pieces)


def error_of(response: Response) -> str:
    """Return the message of an error response."""
    message = json.loads(body_of(response))["error"]
    assert isinstance(message, str)
    return message
