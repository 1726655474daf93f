"""The connection: where bytes come in, requests go up, and answers go out.

    socket ─► data_received ─► RequestParser ─► _serve ─► await app(request)
                                                                  │
    socket ◄─ transport.write ◄─────── encode_head ◄───────── Response

This is the only file that holds a transport. Its rules:

- One request at a time: the second of two pipelined requests waits in the parser's buffer until
  the first is answered, so answers cannot change places (RFC 9112, 9.3.2).
- Nothing is read that nobody wants: a client that sends faster than it is served, or that does
  not take its answers, is left waiting in the kernel's buffers and not in ours (backpressure).
- A client that leaves takes its request with it: the task that serves it is cancelled.
"""

import asyncio
from contextlib import suppress
from functools import partial
from typing import cast

from taskflow.codec import http_date
from taskflow.deadlines import Deadline, Timeouts, Waiting
from taskflow.errors import BadRequest, RequestTimeout, ServiceUnavailable
from taskflow.http import Handler, Request, RequestParser, encode_head, no_body

READ_AHEAD = 64 * 1024  # bytes that may wait in the parser before we stop reading
LINGER_SECONDS = 2.0  # how long we listen to a client after our last word to it
MAX_REFUSED = 100  # connections over the limit that are still told so
SWEEP_SECONDS = 0.25  # how often deadlines are looked at
BACKLOG = 512  # connections that the kernel may hold until we accept them


class Connection(asyncio.Protocol):
    """One client: its bytes, its requests one after the other, and its end."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._parser = RequestParser()
        self._task: asyncio.Task[None] | None = None  # serves a request, if there is one
        self._wakeup: asyncio.Future[None] | None = None  # what that task waits for, if it does
        self._client_ended = False  # the client will send no more
        self._write_paused = False  # the client takes no more for now
        self._closing = False  # we have said our last word
        self._deadline = Deadline(server.timeouts)
        self._unsent = 0  # bytes of answers, when the sweeper last looked
        self._linger: asyncio.TimerHandle | None = None

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # of TCP: it reads and writes
        self._server.connections.add(self)
        excess = len(self._server.connections) - self._server.max_connections
        if excess > MAX_REFUSED:
            self.transport.abort()  # a crowd at the door is not even told
        elif excess > 0:
            self._begin(Request(refusal=ServiceUnavailable("there are too many connections")))
        else:
            self._wait_for(Waiting.REQUEST)

    def data_received(self, data: bytes) -> None:
        if not self._closing:  # else it is discarded, see _close
            self._parser.feed(data)
            self._deadline.received(len(data))
            self._arrived()

    def eof_received(self) -> bool:
        self._client_ended = True
        if not self._closing:
            self._arrived()
        return not self._closing  # the client may still read: a half-close is not a goodbye

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._server.connections.discard(self)
        if self._linger is not None:
            self._linger.cancel()
        if self._task is not None:
            self._task.cancel()

    # From bytes to requests.

    def _arrived(self) -> None:
        """Pass on that bytes or the client's end have come."""
        if self._task is None:
            self._advance()
        self._wake()
        self._throttle()

    def _advance(self) -> None:
        """Begin the next request, if its head is complete or refused."""
        if (request := self._next_request()) is not None:
            self._begin(request)
        elif self._parser.between_requests:
            self._wait_for(Waiting.REQUEST)
        else:
            self._wait_for(Waiting.HEAD)

    def _begin(self, request: Request) -> None:
        self._wait_for(Waiting.NOTHING)
        self._task = self._server.loop.create_task(self._serve(request))

    def _next_request(self) -> Request | None:
        request = self._parser.next_request()
        if request is not None:
            request.receive = partial(self._receive, request)
        elif self._client_ended:
            if not self._parser.between_requests:
                return Request(refusal=BadRequest("the request ended before its head did"))
            self.transport.close()
        return request

    async def _receive(self, request: Request) -> bytes:
        """Return the next piece of the request's body, b"" at its end."""
        while not (piece := self._parser.take_body()) and self._parser.body_left:
            if self._client_ended:
                raise BadRequest("the request ended before its body did")
            if request.expects_continue:
                request.expects_continue = False  # asked for once (RFC 9110, 10.1.1)
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._throttle()
            self._wait_for(Waiting.BODY)
            await self._wait()
        return piece

    def _throttle(self) -> None:
        """Stop reading while more waits than will be wanted soon."""
        if self._parser.unread > READ_AHEAD:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    async def _wait(self) -> None:
        """Wait until bytes arrive, the client ends, or the transport takes more."""
        self._wakeup = self._server.loop.create_future()
        await self._wakeup

    def _wake(self) -> None:
        if self._wakeup is not None and not self._wakeup.done():
            self._wakeup.set_result(None)

    # From requests to answers.

    async def _serve(self, request: Request) -> None:
        """Answer one request; then let the next begin, in a task of its own."""
        response = await self._server.app(request)
        request.receive = no_body  # the request is over, and holds the connection no longer
        self._parser.take_body()  # what the handler left; if more is to come, it is not waited for
        keep_alive = request.keep_alive and not self._parser.body_left
        head = encode_head(response, http_date(), keep_alive)
        body = b"" if request.method == "HEAD" else response.body
        self.transport.write(head + body)
        request.on_answered(request, response, len(body))
        await self._drain()
        self._task = None
        if keep_alive:
            self._advance()
            self._throttle()
        else:
            self._close()

    async def _drain(self) -> None:
        """Wait until the client takes more (backpressure)."""
        while self._write_paused:
            self._wait_for(Waiting.WRITE)
            await self._wait()
            self._wait_for(Waiting.NOTHING)

    # The end.

    def _wait_for(self, waiting: Waiting) -> None:
        self._deadline.wait_for(waiting, self._server.loop.time())

    def check_deadline(self, now: float) -> None:
        """End the wait for a client that is too slow; the sweeper calls this."""
        unsent = self.transport.get_write_buffer_size()
        if unsent < self._unsent:
            self._deadline.taken(now)
        self._unsent = unsent
        match self._deadline.missed(now):
            case Waiting.REQUEST if not unsent:  # else the last answer was not taken either
                self.transport.close()
            case Waiting.REQUEST | Waiting.WRITE:
                self.transport.abort()
            case Waiting.HEAD:
                self._begin(Request(refusal=RequestTimeout("the head took too long")))
            case Waiting.BODY if self._wakeup is not None and not self._wakeup.done():
                self._wakeup.set_exception(RequestTimeout("the body took too long"))

    def _close(self) -> None:
        """Send our end, then listen a little longer (RFC 9112, 9.6).

        A socket that is closed with unread bytes in it answers them with a reset, and a reset
        may take the answer away from a client that has not read it yet.
        """
        self._closing = True
        self._wait_for(Waiting.WRITE)
        with suppress(OSError):  # it has just reset the connection, as we shall be told
            self.transport.write_eof()
        self.transport.resume_reading()
        seconds = 0.0 if self._client_ended else LINGER_SECONDS
        self._linger = self._server.loop.call_later(seconds, self.transport.close)


class Server:
    """Listens, and keeps the number of connections within its bound."""

    def __init__(self, app: Handler, max_connections: int, timeouts: Timeouts) -> None:
        self.app = app
        self.timeouts = timeouts
        self.loop = asyncio.get_running_loop()
        self.max_connections = max_connections
        self.connections: set[Connection] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port, which the system chooses if `port` is 0. Raises OSError."""
        accept = partial(Connection, self)
        self._listener = await self.loop.create_server(accept, host, port, backlog=BACKLOG)
        self._sweeper = self.loop.create_task(self._sweep())
        return int(self._listener.sockets[0].getsockname()[1])

    def stop(self) -> None:
        """Stop listening, and drop every connection."""
        self._listener.close()
        self._sweeper.cancel()
        for connection in list(self.connections):
            connection.transport.abort()

    async def _sweep(self) -> None:
        """Look at all deadlines, again and again."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = self.loop.time()
            for connection in list(self.connections):
                connection.check_deadline(now)
