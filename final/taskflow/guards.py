"""Guards: who may reach this server by which name, and from which page.

A browser lets any page send requests to any server. Two things tell them apart: the `Host` that
the browser believes to speak to, and the `Origin` of the page, which a page cannot forge.
"""

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

from taskflow.errors import BadRequest, ForbiddenOrigin
from taskflow.http import Handler, Request, Response

READING = {"GET", "HEAD", "OPTIONS", "TRACE"}  # the safe methods (RFC 9110, 9.2.1)


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Lets nobody in under a name that is not ours.

    Against DNS rebinding: a page of evil.example may have its name point to 127.0.0.1 a second
    later, and is then of the same origin as this server in the eyes of the browser. An address
    cannot be pointed elsewhere: who asks for one is at that address, so addresses are let in;
    names only if they are known. A client of HTTP/1.0 may leave the name out; no browser does.
    """

    names: tuple[str, ...]
    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on what came to a name of ours. Raises BadRequest."""
        host = request.headers.get("host")
        if host is not None and not is_ours(host, self.names):
            raise BadRequest(f"this server is not {host[:100]} (see --allowed-hosts)")
        return await self.next(request)


@lru_cache(maxsize=256)  # clients repeat themselves, and to look for an address takes 3 µs
def is_ours(host: str, names: tuple[str, ...]) -> bool:
    """Return whether a host, with a port or not, is one of the names or an address."""
    name = host.lower().rstrip("0123456789").removesuffix(":") if ":" in host else host.lower()
    if name.removesuffix(".") in names:
        return True
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class SameOrigin:
    """Lets no page of another origin change anything (RFC 6454, 7)."""

    scheme: str
    next: Handler

    async def __call__(self, request: Request) -> Response:
        """Pass on what only reads or comes from here. Raises ForbiddenOrigin.

        An upgrade to another protocol is no mere reading: who knows what is said there.
        """
        changes = request.method not in READING or "upgrade" in request.headers
        if changes and (origin := request.headers.get("origin")) is not None:
            default_port = ":443" if self.scheme == "https" else ":80"
            own = f"{self.scheme}://{request.headers.get('host', '')}".lower()
            if origin.lower().removesuffix(default_port) != own.removesuffix(default_port):
                raise ForbiddenOrigin(f"a page of {origin[:100]} may not change tasks here")
        return await self.next(request)
