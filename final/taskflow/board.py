"""The board: the page at `/` that shows what the server does, and the files that belong to it.

The files lie in the directory `board` beside this module. They are read once, when the server
starts, and served from memory: no request ever names a file, so no trick with `..` can reach one.
There are no data in them and they need no token. The page asks for one, and fetches all that it
shows as any other client would.
"""

from functools import partial
from hashlib import sha256
from importlib.resources import files
from pathlib import PurePath

from taskflow.http import Handler, Request, Response

PREFIX = "/board/"
PAGE = "index.html"

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

# What the page may do: nothing, but for these. Markup that somebody smuggled into it would run no
# script, load nothing and send nothing anywhere (Content Security Policy Level 3). That 'self'
# includes WebSockets of the same host is said in its section 6.7.2.8.
POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",  # no other page may show it in a frame, and have it clicked there
    "require-trusted-types-for 'script'",  # no text can become markup by way of innerHTML
    "trusted-types 'none'",
)

HEADERS = {
    "Content-Security-Policy": "; ".join(POLICY),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # kept, but asked for again: a new server brings a new page
}


def _names_by_path() -> dict[str, str]:
    """Return the name of each file by the path that it is served at."""
    found = sorted(file.name for file in files("taskflow").joinpath("board").iterdir())
    names = [name for name in found if name != PAGE and PurePath(name).suffix in CONTENT_TYPES]
    return {"/": PAGE, **{PREFIX + name: name for name in names}}


NAMES = _names_by_path()
BOARD_PATHS = frozenset(NAMES)  # open to all


def board_routes() -> dict[str, Handler]:
    """Return the handlers by what they answer. Reads all files: about 100 kB."""
    folder = files("taskflow").joinpath("board")
    return {
        f"GET {path}": partial(answer, *_prepared(name, folder.joinpath(name).read_bytes()))
        for path, name in NAMES.items()
    }


def _prepared(name: str, body: bytes) -> tuple[bytes, str, str]:
    """Return a file with its type and its ETag, which is another for each content."""
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    return body, CONTENT_TYPES[PurePath(name).suffix], etag


async def answer(body: bytes, content_type: str, etag: str, request: Request) -> Response:
    """Answer with a file, or that the client has it already (RFC 9110, 15.4.5)."""
    headers = {**HEADERS, "ETag": etag}
    if _knows(request.headers.get("if-none-match", ""), etag):
        return Response(304, b"", headers)
    return Response(200, body, headers, content_type)


def _knows(condition: str, etag: str) -> bool:
    """Whether the ETag is in the list of those that the client has (RFC 9110, 13.1.2)."""
    known = {entry.strip().removeprefix("W/") for entry in condition.split(",")}
    return etag in known or "*" in known
