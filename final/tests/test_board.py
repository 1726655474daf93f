"""The board's page and files: open to all, limited by a strict policy, and cached by clients."""

import re

import pytest
from in_process import TOKENS, Client
from over_socket import guarded, serving

from taskflow.board import BOARD_PATHS, board_routes
from taskflow.http import Response
from taskflow.router import Router

FILES = sorted(BOARD_PATHS)
NAMED = re.compile(r'(?:src|href|from) ?=? ?"((?:/board/|\./)[^"]+)"')


def text_of(response: Response) -> str:
    """Return a body of text that is not streamed."""
    assert isinstance(response.body, bytes)
    return response.body.decode()


async def test_the_page_needs_no_token(client: Client) -> None:
    client.token = ""
    response = await client.ask("GET", "/")
    assert response.status == 200
    assert response.content_type == "text/html; charset=utf-8"
    assert text_of(response).startswith("<!doctype html>")


async def test_the_files_name_each_other_and_nothing_else(client: Client) -> None:
    client.token = ""
    named = set()
    for path in FILES:
        response = await client.ask("GET", path)
        assert response.status == 200, path
        names = NAMED.findall(text_of(response))
        named |= {name.replace("./", "/board/") for name in names}
    # No file is missing, and every served file is used.
    assert named == BOARD_PATHS - {"/"}


async def test_other_paths_need_a_token(client: Client) -> None:
    client.token = ""
    for path in (
        "/board",
        "/board/",
        "/board/routes.py",
        "/board/__init__.py",
        "/board/../app.py",
        "/board/%2e%2e/app.py",
        "/app.py",
    ):
        response = await client.ask("GET", path)
        assert response.status == 401, path


@pytest.mark.parametrize("path", FILES)
async def test_every_file_may_do_little(client: Client, path: str) -> None:
    response = await client.ask("GET", path)
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert {"script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"} < set(policy)
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", FILES)
async def test_no_file_needs_what_the_policy_forbids(client: Client, path: str) -> None:
    body = text_of(await client.ask("GET", path))
    assert not re.search(r"\bstyle=|\bon\w+=\"|javascript:|innerHTML\b(?! in)|eval\(", body)
    # The page works without the internet.
    assert not re.search(r"https?://(?!www\.w3\.org/)", body)


async def test_a_file_that_the_client_has_is_not_sent_again(client: Client) -> None:
    etag = (await client.ask("GET", "/")).headers["ETag"]
    for condition in (etag, f'"other", W/{etag}', "*"):
        response = await client.ask("GET", "/", if_none_match=condition)
        assert (response.status, response.body) == (304, b"")
        assert response.headers["ETag"] == etag
    response = await client.ask("GET", "/", if_none_match='"other"')
    assert response.status == 200


async def test_etags_differ(client: Client) -> None:
    etags = {(await client.ask("GET", path)).headers["ETag"] for path in FILES}
    assert len(etags) == len(FILES)


async def test_over_a_socket_304_has_neither_body_nor_length() -> None:
    async with serving(guarded(Router(board_routes()))) as served:
        wire = await served.connect()
        await wire.send(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = await wire.answer("HEAD")
        assert int(head.headers["content-length"]) > 1000
        condition = head.headers["etag"].encode()
        await wire.send(b"GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: " + condition + b"\r\n\r\n")
        known = await wire.answer()
        assert (known.status, known.body) == (304, b"")
        assert not {"content-length", "content-type"} & set(known.headers)
        # The connection still knows where the next response begins.
        await wire.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await wire.answer()).body.startswith(b"<!doctype html>")


async def test_the_page_only_reads(client: Client) -> None:
    response = await client.ask("POST", "/")
    assert response.status == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(("token", "role"), [(TOKENS.admin, "admin"), (TOKENS.user, "user")])
async def test_a_list_of_tasks_tells_the_page_what_the_token_allows(
    client: Client, token: str, role: str
) -> None:
    response = await Client(client.app, token).ask("GET", "/tasks?limit=1")
    assert response.headers["X-Role"] == role
