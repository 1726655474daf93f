"""Counts timers of the event loop: one for each read, against the sweeper of step 6."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import TypeVarTuple

from taskflow.deadlines import Timeouts
from taskflow.http import Request, Response
from taskflow.server import SWEEP_SECONDS, Server

REQUESTS = 1_000
HEAD = b"POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n"
BODY = b'{"title":"Wash"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


Ts = TypeVarTuple("Ts")


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that counts the timers that are set, and those that fire."""

    timers_set = timers_fired = 0

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Set a timer, and count it."""
        self.timers_set += 1
        return super().call_at(when, self._fire, callback, *args, context=context)

    def _fire(self, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        self.timers_fired += 1
        callback(*args)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one client: a deadline for each read."""
    try:
        while True:
            async with asyncio.timeout(10):
                await reader.readuntil(b"\r\n\r\n")
            async with asyncio.timeout(10):
                await reader.readexactly(len(BODY))
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, TimeoutError):
        writer.close()
        await writer.wait_closed()


async def answer(request: Request) -> Response:
    """Read the body, and answer."""
    await request.read()
    return Response(200)


async def ask(port: int) -> None:
    """Send the requests one after the other, the body a moment after its head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(REQUESTS):
        writer.write(HEAD)
        await asyncio.sleep(0)
        writer.write(BODY)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
        await reader.readexactly(int(length))
    writer.write_eof()
    await reader.read()  # the server has seen our end
    writer.close()
    await writer.wait_closed()


def loop_of_now() -> CountingLoop:
    """Return the running loop, which is one of ours."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, CountingLoop)
    return loop


async def a_timer_for_each_read() -> None:
    """Print a line of the table."""
    loop, server = loop_of_now(), await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        await ask(server.sockets[0].getsockname()[1])
    print(f"| a timer for each read | {loop.timers_set:,} | {loop.timers_fired} |")


async def one_sweeper() -> None:
    """Print a line of the table."""
    loop, server = loop_of_now(), Server(answer, 1000, Timeouts())
    port = await server.start("127.0.0.1", 0)
    started = loop.time()
    await ask(port)
    # At its end, a connection sets one timer, which closes the transport.
    assert loop.timers_fired <= (loop.time() - started) / SWEEP_SECONDS + 1
    # One timer is always set.
    assert loop.timers_set <= loop.timers_fired + 1
    await server.stop()
    often = f"{1 / SWEEP_SECONDS:.0f} a second and 1 at the end, however many requests"
    print(f"| one sweeper | {often} | all but the next |")


def count() -> None:
    """Print the timers that both ways set for as many requests."""
    print(f"| {REQUESTS:,} requests, each with a body | timers set | fired |")
    print("| --- | ---: | ---: |")
    for way in (a_timer_for_each_read, one_sweeper):
        with asyncio.Runner(loop_factory=CountingLoop) as runner:
            runner.run(way())
