"""The connection: where bytes come in, requests go up, and answers go out.

    socket ─► data_received ─► RequestParser ─► _serve ─► await app(request)
                                                                  │
    socket ◄─ transport.write ◄─ Outbox ◄─ encode_head ◄───── Response

It holds the transport, or hands it over to `websocket.py`. Its rules:

- One request at a time: the second of two pipelined requests waits in the parser's buffer until
  the first is answered, so answers cannot change places (RFC 9112, 9.3.2).
- Nothing is read that nobody wants: a client that sends faster than it is served, or that does
  not take its answers, is left waiting in the kernel's buffers and not in ours (backpressure).
- A client that leaves takes its request with it: the task that serves it is cancelled.
"""

import asyncio
import logging
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING, cast

from taskflow.chunked import LAST_CHUNK, encode_chunk
from taskflow.codec import http_date
from taskflow.deadlines import Deadline, Waiting
from taskflow.errors import BadRequest, RequestTimeout, ServiceUnavailable
from taskflow.http import Request, RequestParser, Response, encode_head, no_body

if TYPE_CHECKING:
    from taskflow.listener import Server

READ_AHEAD = 64 * 1024  # bytes that may wait in the parser before we stop reading
LINGER_SECONDS = 2.0  # how long we listen to a client after our last word to it
MAX_REFUSED = 100  # connections over the limit that are still told so
SMALL = 8 * 1024  # bytes of a body that may wait for the answers to others
PIECE = 64 * 1024  # bytes of an answer that are handed to the transport at once


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
        if excess > MAX_REFUSED or self._server.stopping:
            self.transport.abort()  # a crowd is not even told, nor who comes too late
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
        # The client may still read: a half-close is not a goodbye. In TLS it is (can_write_eof).
        return not self._closing and self.transport.can_write_eof()

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._server.forget(self)
        if self._linger is not None:
            self._linger.cancel()
        if self._task is not None:
            self._task.cancel()
            self._server.outbox.settle(self.transport)

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
        self._server.outbox.expect(self.transport)
        self._task = self._server.loop.create_task(self._serve(request))

    def _next_request(self) -> Request | None:
        request = self._parser.next_request()
        if request is not None:
            request.receive = partial(self._receive, request)
        elif self._client_ended:
            if not self._parser.between_requests:
                return Request(refusal=BadRequest("the request ended before its head did"))
            self._end()
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
        if self._parser.body_left:
            with suppress(BadRequest):
                self._parser.take_body()  # what the handler left; what comes is not waited for
        keep_alive = request.keep_alive and not self._parser.body_left
        keep_alive = keep_alive and not self._server.stopping
        if isinstance(response.body, bytes):
            head = encode_head(response, http_date(), keep_alive)
            body = b"" if request.method == "HEAD" else response.body
            request.on_answered(request, response, len(body))
            if len(body) <= SMALL and keep_alive and not self.transport.get_write_buffer_size():
                self._server.outbox.send(self.transport, head + body)
            elif len(body) <= PIECE:
                self.transport.write(head + body)
            else:
                await self._write(head + body)
        else:
            keep_alive = keep_alive and request.minor != "0"
            await self._stream(request, response, keep_alive)
        if self._write_paused:
            await self._drain()
        self._task = None
        self._server.outbox.settle(self.transport)
        if response.successor is not None:
            self._hand_over(response.successor)
        elif keep_alive and not self._server.stopping:
            self._advance()
            self._throttle()
        else:
            self._close()

    async def _write(self, data: bytes) -> None:
        """Hand over what is large piece by piece.

        The transport copies what the kernel does not take, and under TLS encrypts all of it first,
        to where the sweeper does not see whether the client takes any.
        """
        for start in range(0, len(data) - PIECE, PIECE):
            self.transport.write(data[start : start + PIECE])
            await self._drain()
        self.transport.write(data[-(len(data) % PIECE or PIECE) :])

    async def _stream(self, request: Request, response: Response, keep_alive: bool) -> None:
        """Send an answer while it is made. One that fails is cut, so that it does not look whole.

        To a client of 1.0 it does: there the end of the connection is all that tells the end.
        """
        assert not isinstance(response.body, bytes)
        chunked = request.minor != "0"  # a client of 1.0 knows the end by the connection's
        if chunked:
            response.headers["Transfer-Encoding"] = "chunked"
        self.transport.write(encode_head(response, http_date(), keep_alive))
        sent = 0
        try:
            if request.method == "HEAD":
                return
            async with aclosing(response.body) as pieces:  # or they outlive a client that left
                async for piece in pieces:
                    self.transport.write(encode_chunk(piece) if chunked else piece)
                    sent += len(piece)
                    await self._drain()
                    await asyncio.sleep(0)  # somebody else's turn
            self.transport.write(LAST_CHUNK if chunked else b"")
        except Exception:
            logging.getLogger(__name__).exception("%s failed midway", request.path)
            self.transport.abort()
        finally:
            request.on_answered(request, response, sent)

    def _hand_over(self, successor: asyncio.Protocol) -> None:
        """Let another protocol go on, beginning with the bytes that came behind the request."""
        self._server.outbox.flush()  # that we agree comes before what it has to say
        successor.connection_made(self.transport)
        self.transport.set_protocol(successor)
        successor.data_received(self._parser.take_rest())
        if self._client_ended:
            successor.eof_received()
        self.transport.resume_reading()

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
                self._end()
            case Waiting.REQUEST | Waiting.WRITE:
                self.transport.abort()
            case Waiting.HEAD:
                self._begin(Request(refusal=RequestTimeout("the head took too long")))
            case Waiting.BODY if self._wakeup is not None and not self._wakeup.done():
                self._wakeup.set_exception(RequestTimeout("the body took too long"))

    def finish(self) -> None:
        """End if there is nothing to finish: no request, and nothing of one.

        Who has heard our last word is given the time to read it (see `_close`), and who took over
        has been told to say goodbye.
        """
        is_ours = self.transport.get_protocol() is self
        if is_ours and self._task is None and self._parser.between_requests and not self._closing:
            self._end()
            if not self.transport.can_write_eof():  # TLS waits for the client to say goodbye too
                self._linger = self._server.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _end(self) -> None:
        """Close once all is sent. Only once: in asyncio's TLS the second time fails."""
        if not self.transport.is_closing():
            self._server.outbox.flush()
            self.transport.close()

    def _close(self) -> None:
        """Send our end, then listen a little longer (RFC 9112, 9.6).

        A socket that is closed with unread bytes in it answers them with a reset, and a reset
        may take the answer away from a client that has not read it yet.
        """
        self._closing = True
        self._wait_for(Waiting.WRITE)
        if self._client_ended or not self.transport.can_write_eof():
            self._end()
        else:
            with suppress(OSError):  # it has reset the connection, as we shall be told
                self.transport.write_eof()
            self.transport.resume_reading()
            self._linger = self._server.loop.call_later(LINGER_SECONDS, self._end)
