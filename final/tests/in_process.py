"""A client without a socket: the parser makes the request, the application responds to it."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

from described import check_described

from taskflow.app import build_app
from taskflow.config import IN_MEMORY, Settings, Tokens
from taskflow.http import Handler, Request, Response
from taskflow.logs import LogWriter
from taskflow.parser import RequestParser

TOKENS = Tokens(admin="the-token-of-an-admin", user="the-token-of-a-user")
SETTINGS = Settings(data=IN_MEMORY, demos=True, admin_token=TOKENS.admin, user_token=TOKENS.user)


class Whole(Response):
    """A response whose body has been joined."""

    body: bytes


class Client:
    """A client of one application, which it calls as a connection would, as an admin by default."""

    def __init__(self, app: Handler, token: str = TOKENS.admin) -> None:
        self.app = app
        self.token = token

    async def ask(
        self, method: str, target: str, value: object = None, body: bytes = b"", **headers: str
    ) -> Whole:
        """Return the response. The body of the request is the value as JSON, or these bytes."""
        request, response = await self.begin(method, target, value, body, **headers)
        if isinstance(response.body, AsyncGenerator):
            joined = b"" if method == "HEAD" else await taken(response.body)
        else:
            joined = body_of(response)
        request.on_sent(request, response.status, len(joined))
        whole = Whole(response.status, joined, response.headers, response.content_type)
        check_described(request, whole)
        return whole

    async def begin(
        self, method: str, target: str, value: object = None, body: bytes = b"", **headers: str
    ) -> tuple[Request, Response]:
        """Return the request and its response, of which no piece has been made yet."""
        if value is not None:
            body = json.dumps(value).encode()
        fields = {"host": "localhost", "content-length": str(len(body))}
        if self.token:
            fields["authorization"] = f"Bearer {self.token}"
        fields |= {name.replace("_", "-"): text for name, text in headers.items()}
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields)]
        parser = RequestParser()
        parser.feed("\r\n".join([*lines, "", ""]).encode() + body)
        request = parser.next_request()
        assert request is not None

        async def receive() -> bytes:
            return parser.take_body()

        request.receive = receive
        return request, await self.app(request)

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


@asynccontextmanager
async def new_client(settings: Settings = SETTINGS) -> AsyncIterator[Client]:
    """Give a client of a new application, whose services run until the block ends."""
    async with build_app(settings, LogWriter(BytesIO())) as application:
        yield Client(application.handler)


async def taken(pieces: AsyncGenerator[bytes, None]) -> bytes:
    """Return all pieces as one."""
    return b"".join([piece async for piece in pieces])


def body_of(response: Response) -> bytes:
    """Return the body of a response, joined."""
    return b"".join(response.pieces)


def error_of(response: Response) -> str:
    """Return the message of an error response."""
    message = json.loads(body_of(response))["error"]["message"]
    assert isinstance(message, str)
    return message


def code_of(response: Response) -> str:
    """Return the code of an error response."""
    code = json.loads(body_of(response))["error"]["code"]
    assert isinstance(code, str)
    return code


def details_of(response: Response) -> Any:
    """Return the details of an error response."""
    return json.loads(body_of(response))["error"]["details"]
