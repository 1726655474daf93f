"""Step 4's parser and app, on asyncio's streams in place of our `connection.py`.

What it lacks beside our own: a bound on the number of connections, the cancelling of a request
whose client left, `100 Continue`, the lingering close, and bodies that arrive in pieces.
"""

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

encode_head = import_module("taskflow.http").encode_head
http_date = import_module("taskflow.clock").http_date
new_parser: Callable[[], Any] = import_module("taskflow.parser").RequestParser
app: Callable[[Any], Awaitable[Any]] = import_module("taskflow.app").build_app()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection, one after the other."""
    parser = new_parser()

    async def receive() -> bytes:
        body: bytes = parser.take_body()
        return body

    try:
        while data := await reader.read(64 * 1024):
            parser.feed(data)
            while (request := parser.next_request()) is not None:
                request.receive = receive
                response = await app(request)
                writer.write(encode_head(response, http_date(), True) + b"".join(response.pieces))
                await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
