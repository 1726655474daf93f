"""Guards: by which names, and from which pages, this server can be reached."""

from contextlib import suppress
from dataclasses import replace

import pytest
from in_process import SETTINGS, TOKENS, Client, new_client

from taskflow.errors import BadRequest, ForbiddenOrigin
from taskflow.http import Request, Response
from taskflow.middleware import AllowedHosts, SameOrigin


class Inner:
    """What is behind a guard: remembers its requests."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return Response(200, b"inner")


# Names.

OURS = ("localhost", "tasks.example")


async def is_let_in(host: str | None) -> bool:
    """Return whether a request to this host passes."""
    inner = Inner()
    headers = {} if host is None else {"host": host}
    with suppress(BadRequest):
        await AllowedHosts(OURS, inner)(Request("GET", "/tasks", headers=headers))
    return len(inner.requests) == 1


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:3000",
        "LocalHost:3000",
        "localhost.",
        "localhost.:3000",
        "localhost:",
        "tasks.example",
        "tasks.example:443",
        "127.0.0.1",
        "127.0.0.1:3000",
        "192.0.2.7:80",
        "[::1]",
        "[::1]:3000",
        "[2001:db8::7]:3000",
        None,  # HTTP/1.0
    ],
)
async def test_names_of_ours_and_addresses_are_let_in(host: str | None) -> None:
    assert await is_let_in(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "localhost.evil.example",
        "evil.localhost",
        "tasks.example.evil",
        "127.0.0.1.evil.example",
        "evil127.0.0.1",
        "localhost:3000:3000",
        "localhost@evil.example",
        "loc%61lhost",
        "127.0.0.1..",
        "0x7f.1",
        "127.1",
        "",
    ],
)
async def test_other_names_are_not(host: str) -> None:
    assert not await is_let_in(host)


async def test_a_foreign_name_is_refused_before_the_token_is_looked_at(client: Client) -> None:
    for token in "", TOKENS.user, TOKENS.admin:
        response = await Client(client.app, token).ask("GET", "/health", host="evil.example")
        assert response.status == 400


async def test_the_name_that_the_server_listens_on_is_its_own() -> None:
    settings = replace(SETTINGS, host=("Box.Example",), allowed_hosts=("tasks.example",))
    async with new_client(settings) as client:
        for host in "box.example:3000", "tasks.example", "localhost:3000":
            assert (await client.ask("GET", "/health", host=host)).status == 200
        assert (await client.ask("GET", "/health", host="example")).status == 400


# Pages.


def from_page(method: str, origin: str | None, host: str = "localhost:3000") -> Request:
    """Return a request as a browser sends it for a page of this origin."""
    headers = {"host": host} if origin is None else {"host": host, "origin": origin}
    return Request(method, "/tasks", headers=headers)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "CONNECT"])
@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://evil.example",
        "https://localhost:3000",
        "http://localhost:3001",
        "http://localhost",
        "http://localhost:30000",
        "http://localhost:3000.evil.example",
        "http://127.0.0.1:3000",
        "localhost:3000",
    ],
)
async def test_a_page_of_another_origin_changes_nothing(method: str, origin: str) -> None:
    inner = Inner()
    with pytest.raises(ForbiddenOrigin):
        await SameOrigin("http", inner)(from_page(method, origin))
    assert inner.requests == []


async def test_a_page_of_another_origin_gets_no_other_protocol() -> None:
    inner = Inner()
    request = from_page("GET", "http://evil.example")
    request.headers["upgrade"] = "websocket"
    with pytest.raises(ForbiddenOrigin):
        await SameOrigin("http", inner)(request)
    assert inner.requests == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_what_only_reads_passes_from_anywhere(method: str) -> None:
    inner = Inner()
    await SameOrigin("http", inner)(from_page(method, "http://evil.example"))
    assert len(inner.requests) == 1


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "localhost:3000"),  # no browser
        ("http://localhost:3000", "localhost:3000"),
        ("http://LOCALHOST:3000", "localhost:3000"),
        ("http://localhost", "localhost:80"),
        ("http://localhost:80", "localhost"),
        ("http://[::1]:3000", "[::1]:3000"),
    ],
)
async def test_a_page_of_our_own_may_change_tasks(origin: str | None, host: str) -> None:
    inner = Inner()
    await SameOrigin("http", inner)(from_page("POST", origin, host))
    assert len(inner.requests) == 1


@pytest.mark.parametrize(
    ("origin", "host", "passes"),
    [
        ("https://localhost:3000", "localhost:3000", True),
        ("https://localhost", "localhost:443", True),
        ("https://localhost:443", "localhost", True),
        ("http://localhost:3000", "localhost:3000", False),
        ("https://localhost:80", "localhost", False),
        ("https://evil.example", "localhost", False),
    ],
)
async def test_with_https_our_own_pages_are_of_https(origin: str, host: str, passes: bool) -> None:
    inner = Inner()
    guard = SameOrigin("https", inner)
    if passes:
        await guard(from_page("POST", origin, host))
    else:
        with pytest.raises(ForbiddenOrigin):
            await guard(from_page("POST", origin, host))
    assert len(inner.requests) == passes


async def test_behind_a_proxy_that_speaks_https_the_pages_are_of_https() -> None:
    settings = replace(SETTINGS, behind_https=True)
    async with new_client(settings) as client:
        task = {"title": "a task"}
        created = await client.ask("POST", "/tasks", task, origin="https://localhost")
        assert created.status == 201
        assert (await client.ask("POST", "/tasks", task, origin="http://localhost")).status == 403
