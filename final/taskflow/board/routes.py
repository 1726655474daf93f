"""The routes of the board: the page at `/` and the files that it loads.

The files are in this directory. They are read once, when the server starts, and served from
memory. No request names a file, so no path with `..` in it can reach another one. The files hold
no data and need no token: the page asks its user for a token, and then sends the same requests as
any other client.
"""

from functools import partial
from hashlib import sha256
from importlib.resources import files
from pathlib import PurePath

from taskflow.http import Handler, Request, Response

PREFIX = "/board/"
PAGE = "index.html"

# Only files of these types are served, so the Python files in this directory are not.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

# The page may do only what is listed here (Content Security Policy Level 3). Even if an attacker
# placed markup in it, that markup could not run a script, load a file or send data elsewhere.
# 'self' includes WebSockets of the same host (section 6.7.2.8).
POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    # No other page may show the board in a frame, where a user could be tricked into clicking it.
    "frame-ancestors 'none'",
    # No text can become markup through innerHTML.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)

HEADERS = {
    "Content-Security-Policy": "; ".join(POLICY),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # A browser may keep the file but must ask again, because a new server may have a new page.
    "Cache-Control": "no-cache",
}


def _names_by_path() -> dict[str, str]:
    """Return the name of each served file by its path in the URL."""
    names_by_path = {"/": PAGE}
    for name in sorted(file.name for file in files("taskflow.board").iterdir()):
        if name != PAGE and PurePath(name).suffix in CONTENT_TYPES:
            names_by_path[PREFIX + name] = name
    return names_by_path


NAMES = _names_by_path()
# These paths need no token.
BOARD_PATHS = frozenset(NAMES)


def board_routes() -> dict[str, Handler]:
    """Return a handler for each route. Reads all files, about 100 kB."""
    folder = files("taskflow.board")
    routes: dict[str, Handler] = {}
    for path, name in NAMES.items():
        content = folder.joinpath(name).read_bytes()
        content_type = CONTENT_TYPES[PurePath(name).suffix]
        routes[f"GET {path}"] = partial(send_file, content, content_type, _etag(content))
    return routes


def _etag(content: bytes) -> str:
    """Return the entity tag of a content: part of its hash, so that no two contents share one."""
    return f'"{sha256(content).hexdigest()[:32]}"'


async def send_file(content: bytes, content_type: str, etag: str, request: Request) -> Response:
    """Respond with a file, or with 304 if the client already has it (RFC 9110, 15.4.5)."""
    headers = {**HEADERS, "ETag": etag}
    if _matches(request.headers.get("if-none-match", ""), etag):
        return Response(304, b"", headers)
    return Response(200, content, headers, content_type)


def _matches(if_none_match: str, etag: str) -> bool:
    """Return whether the client's list of entity tags contains this one (RFC 9110, 13.1.2)."""
    known = {entry.strip().removeprefix("W/") for entry in if_none_match.split(",")}
    return etag in known or "*" in known
