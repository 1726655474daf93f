"""`python bare_protocol.py ANSWER`: answers whatever arrives with the bytes in a file.

The least that a server in Python on asyncio can do: no parsing, no task, no routing. What another
one does beyond it is the price of being an HTTP server.
"""

import asyncio
import sys
from pathlib import Path


class Bare(asyncio.Protocol):
    """Writes the same answer for each piece that it reads."""

    answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(self.answer)


async def main(answer: bytes) -> None:
    """Serve until killed."""
    Bare.answer = answer
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_bytes()))
