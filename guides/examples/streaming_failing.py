"""An answer that fails midway, as curl sees it.

PYTHONPATH=step09_streaming python3 guides/examples/streaming_failing.py
"""

import asyncio
import logging
from collections.abc import AsyncGenerator

from taskflow.deadlines import Timeouts
from taskflow.http import Request, Response
from taskflow.server import Server


async def pieces() -> AsyncGenerator[bytes, None]:
    """Yield two pieces, and then fail."""
    yield b"one\n"
    yield b"two\n"
    raise ZeroDivisionError("a bug, made on purpose")


async def app(request: Request) -> Response:
    """Answer everything with them."""
    return Response(200, pieces(), content_type="text/plain")


class Short(logging.Handler):
    """Shows that something was logged, without the traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        error = record.exc_info[1] if record.exc_info else None
        print(f"the log: {record.getMessage()}: {error}", flush=True)


async def main() -> None:
    """Ask as a client of HTTP/1.1, and as one of HTTP/1.0."""
    logging.basicConfig(handlers=[Short()])
    server = Server(app, 10, Timeouts())
    port = await server.start("127.0.0.1", 0)
    for version in ("--http1.1", "--http1.0"):
        print("curl", version, flush=True)
        curl = await asyncio.create_subprocess_exec(
            "curl", "-s", version, f"http://127.0.0.1:{port}/report"
        )
        print("exit status", await curl.wait(), flush=True)
    await server.stop()


if __name__ == "__main__":
    asyncio.run(main())
