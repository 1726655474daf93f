"""A client without a socket: the parser makes the request, the application answers it."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from described import check_described

from taskflow.app import build_app
from taskflow.config import IN_MEMORY, Settings, Tokens
from taskflow.http import Handler, Request, RequestParser, Response

TOKENS = Tokens(admin="the-token-of-an-admin", user="the-token-of-a-user")
SETTINGS = Settings(data=IN_MEMORY, demos=True, admin_token=TOKENS.admin, user_token=TOKENS.user)


class Whole(Response):
    """An answer that has been taken to its end, if it was made while it was sent."""

    body: bytes


class Client:
    """Asks one application, as a connection would, with the token of an admin unless told."""

    def __init__(self, app: Handler, token: str = TOKENS.admin) -> None:
        self.app = app
        self.token = token

    async def ask(
        self, method: str, target: str, value: object = None, body: bytes = b"", **headers: str
    ) -> Whole:
        """Return the answer. The body is the value as JSON, or these bytes."""
        request, response = await self.begin(method, target, value, body, **headers)
        whole = response.body
        if not isinstance(whole, bytes):
            whole = b"" if method == "HEAD" else await taken(whole)
        request.on_answered(request, response, len(whole))
        check_described(request, response)
        return Whole(response.status, whole, response.headers, response.content_type)

    async def begin(
        self, method: str, target: str, value: object = None, body: bytes = b"", **headers: str
    ) -> tuple[Request, Response]:
        """Return the request and its answer, of which no piece has been made yet."""
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
        """Return a new task with these fields, as the answer shows it."""
        response = await self.ask("POST", "/tasks", {"title": "a task", **fields})
        assert response.status == 201, response.body
        return json.loads(response.body)

    async def shown(self, target: str) -> Any:
        """Return what is there, which must be some JSON."""
        response = await self.ask("GET", target)
        assert response.status == 200, response.body
        return json.loads(response.body)


@asynccontextmanager
async def new_client(settings: Settings = SETTINGS) -> AsyncIterator[Client]:
    """Give a client of a new application, whose services run until the block ends."""
    async with build_app(settings) as application:
        yield Client(application.handler)


async def taken(pieces: AsyncGenerator[bytes, None]) -> bytes:
    """Return all pieces as one."""
    return b"".join([piece async for piece in pieces])


def body_of(response: Response) -> bytes:
    """Return the body of an answer that is not made while it is sent."""
    assert isinstance(response.body, bytes)
    return response.body


def error_of(response: Response) -> str:
    """Return what the answer says was wrong."""
    message = json.loads(body_of(response))["error"]["message"]
    assert isinstance(message, str)
    return message


def code_of(response: Response) -> str:
    """Return the same for programs."""
    code = json.loads(body_of(response))["error"]["code"]
    assert isinstance(code, str)
    return code


def details_of(response: Response) -> Any:
    """Return what programs can read of what was wrong."""
    return json.loads(body_of(response))["error"]["details"]
