"""Sending a stream: a response whose body is made while it is sent.

This module never touches a transport. All bytes leave through `write`, the connection's one door,
which waits while the client is not reading.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from taskflow.chunked import LAST_CHUNK, encode_chunk
from taskflow.clock import http_date
from taskflow.http import Request, Response, batches, encode_head

Write = Callable[[bytes], Awaitable[None]]


async def send_pieces(request: Request, response: Response, keep_alive: bool, write: Write) -> None:
    """Send a response whose body is there, in batches.

    The response to HEAD ends after its head (RFC 9110, 9.3.2).
    """
    head = encode_head(response, http_date(), keep_alive)
    body = () if request.method == "HEAD" else response.pieces
    sent = 0
    try:
        for batch in batches(head, body):
            sent += len(batch)
            await write(batch)
    finally:
        request.on_sent(request, response.status, max(0, sent - len(head)))


async def send_stream(
    request: Request,
    response: Response,
    body: AsyncGenerator[bytes, None],
    keep_alive: bool,
    write: Write,
) -> None:
    """Send a response while its body is made, in chunks. Raises what making the body raises.

    A client of HTTP/1.0 cannot read chunks. For it, the end of the connection is the end of the
    body, so it cannot tell a body that failed from one that is complete.
    """
    is_chunked = not request.is_http_1_0
    if is_chunked:
        response.headers["Transfer-Encoding"] = "chunked"
    sent = 0
    try:
        await write(encode_head(response, http_date(), keep_alive))
        # A generator that is not closed would live on after its client has left.
        async with aclosing(body) as pieces:
            if request.method == "HEAD":
                return
            async for piece in pieces:
                sent += len(piece)
                await write(encode_chunk(piece) if is_chunked else piece)
                # Other requests get their turn.
                await asyncio.sleep(0)
        if is_chunked:
            await write(LAST_CHUNK)
    finally:
        request.on_sent(request, response.status, sent)
