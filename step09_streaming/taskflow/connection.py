"""One client's connection: bytes come in, requests go to the app, responses go out.

    socket ─► data_received ─► RequestParser ─► _serve ─► await app(request)
                                                                  │
    socket ◄─ _write ◄─────────────────────── encode_head ◄── Response

This is the only module that holds a transport. Accepting and counting connections is the work of
`server.py`, which this module never imports. Its rules:

- Requests are served one at a time. A pipelined request waits in the parser's buffer until the
  response to the one before it has been written, so responses stay in order (RFC 9112, 9.3.2).
- The memory that a client can occupy is bounded (backpressure). If a client sends faster than it
  is served, the connection stops reading. If it does not read its responses, the connection stops
  serving it. The surplus waits in the kernel's buffers, and TCP slows the client down.
- A client that disconnects cancels its request.
- Each wait for a client has a deadline. The server calls `check_deadline`, which enforces it.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import cast

from taskflow.clock import http_date
from taskflow.connection_state import State
from taskflow.deadlines import Deadline, Timeouts, Waiting
from taskflow.errors import BadRequest, RequestTimeout, TaskflowError
from taskflow.flow_control import FlowControl
from taskflow.http import Handler, Request, Response, batches, encode_head, no_body
from taskflow.parser import RequestParser
from taskflow.sending import send_stream

# Reading stops while the parser holds more than this many bytes.
READ_AHEAD = 64 * 1024

# How long a client may go on sending after its final response.
LINGER_SECONDS = 2.0

# In logs only: the client left before its response. The number is that of nginx.
CLIENT_LEFT = 499

logger = logging.getLogger(__name__)


class Connection(asyncio.Protocol):
    """One client: its bytes, its requests one after the other, and its end.

    Calls `on_open` when the connection has been made, and `on_close` when it is gone.
    """

    def __init__(
        self,
        app: Handler,
        timeouts: Timeouts,
        on_open: Callable[["Connection"], None],
        on_close: Callable[["Connection"], None],
    ) -> None:
        self._app = app
        self._on_open = on_open
        self._on_close = on_close
        self._loop = asyncio.get_running_loop()
        self._parser = RequestParser()
        self._flow = FlowControl()
        self._state = State.READING
        self._deadline = Deadline(timeouts)
        self._write_deadline = Deadline(timeouts)

        # Bytes since the connection was made.
        self._received = 0
        self._sent = 0

        # The asyncio task that serves the current request, if there is one.
        self._serving: asyncio.Task[None] | None = None

        # The future that `_serving` awaits while it needs more input. `_wake` completes it.
        self._waiter: asyncio.Future[None] | None = None

        # The current request's client waits for "100 Continue" before it sends the body.
        self._expects_continue = False

        # The client has sent EOF. It may still read: TCP closes each direction separately.
        self._input_ended = False

        # Closes the transport at the end of the linger.
        self._linger: asyncio.TimerHandle | None = None

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio declares the base class, but a TCP transport can always read and write.
        self.transport = cast(asyncio.Transport, transport)
        # A client that has already reset the connection has no address.
        self._client = str((transport.get_extra_info("peername") or [""])[0])
        self._set_deadline(Waiting.REQUEST)
        self._on_open(self)

    def data_received(self, data: bytes) -> None:
        if self._state is not State.CLOSING:
            self._parser.feed(data)
            self._received += len(data)
            self._input_changed()

    def eof_received(self) -> bool:
        self._input_ended = True
        if self._state is State.CLOSING:
            return False
        self._input_changed()
        # True keeps the transport open, so that the client still gets its responses.
        return True

    def pause_writing(self) -> None:
        self._flow.pause()

    def resume_writing(self) -> None:
        self._flow.resume()

    def connection_lost(self, error: Exception | None) -> None:
        self._state = State.CLOSED
        self._on_close(self)
        if self._linger is not None:
            self._linger.cancel()
        if self._serving is not None:
            self._serving.cancel()
        # The asyncio task refers to the request, and the request to this connection, so these two
        # references belong to a cycle. Without them, reference counting frees the connection and
        # its buffers at once, and nothing has to wait for the cycle collector.
        self._serving = None
        self._waiter = None

    # Called by the server.

    def refuse(self, error: TaskflowError) -> None:
        """Let the app turn this error into the final response, then close."""
        self._begin(Request(refusal=error))

    def abort(self) -> None:
        """Drop the connection now, with any bytes that have not been sent."""
        self.transport.abort()

    def check_deadline(self, now: float) -> None:
        """End a wait that has taken too long. Called a few times a second."""
        taken = self._sent - self.transport.get_write_buffer_size()
        has_rest = self._state is State.READING and taken < self._sent
        must_take = has_rest or self._state is State.CLOSING or self._flow.is_paused
        self._write_deadline.set(Waiting.WRITE if must_take else Waiting.NOTHING, now, taken)
        if self._write_deadline.missed(now, taken) is Waiting.WRITE:
            # Closing would wait until the client has taken its last response.
            self.abort()
        needs_input = self._waiter is not None and not self._waiter.done()
        if self._state is State.SERVING and not needs_input:
            # The client waits for the server, so this time does not count.
            self._set_deadline(Waiting.NOTHING)
        match self._deadline.missed(now, self._received):
            case Waiting.REQUEST:
                self.transport.close()
            case Waiting.HEAD:
                self.refuse(RequestTimeout("the head took too long"))
            case Waiting.BODY if self._waiter is not None and not self._waiter.done():
                self._waiter.set_exception(RequestTimeout("the body took too long"))

    def _set_deadline(self, waiting: Waiting) -> None:
        self._deadline.set(waiting, self._loop.time(), self._received)

    # From bytes to requests.

    def _input_changed(self) -> None:
        """Use the bytes or the EOF that have just arrived."""
        self._throttle()
        if self._state is State.READING:
            self._advance()
        self._wake()

    def _advance(self) -> None:
        """Begin the next request if its head is complete, or close if there will be no more."""
        request = self._parser.next_request()
        if request is not None:
            request.receive = self._receive
            self._begin(request)
        elif self._input_ended and self._parser.between_requests:
            self._close_after_flush()
        elif self._input_ended:
            self.refuse(BadRequest("the request ended before its head did"))
        elif self._parser.between_requests:
            self._set_deadline(Waiting.REQUEST)
        else:
            self._set_deadline(Waiting.HEAD)

    def _begin(self, request: Request) -> None:
        self._state = State.SERVING
        request.client = self._client
        self._expects_continue = request.expects_continue
        self._serving = self._loop.create_task(self._serve(request))

    async def _receive(self) -> bytes:
        """Return the next piece of the current request's body, or b"" at its end."""
        piece = self._parser.take_body()
        while not piece and not self._parser.body_is_complete:
            if self._input_ended:
                raise BadRequest("the request ended before its body did")
            if self._expects_continue:
                # One interim response is enough (RFC 9110, 10.1.1). The write may have to wait,
                # and bytes may arrive meanwhile, so look again before waiting for them.
                self._expects_continue = False
                await self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
            else:
                self._throttle()
                self._set_deadline(Waiting.BODY)
                await self._wait()
            piece = self._parser.take_body()
        return piece

    def _throttle(self) -> None:
        """Stop reading while the parser holds enough, and resume when it has room again."""
        if self._parser.unread > READ_AHEAD:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    async def _wait(self) -> None:
        """Wait until bytes or an EOF arrive."""
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # From requests to responses.

    async def _serve(self, request: Request) -> None:
        """Respond to one request, then begin the next in an asyncio task of its own."""
        try:
            response = await self._app(request)
        finally:
            # The request may be kept, in a log for example. It must not keep the connection alive.
            request.receive = no_body
            if self._state is State.CLOSED:
                request.on_sent(request, CLIENT_LEFT, 0)

        # The client has left, and the handler has ignored that it was cancelled.
        if self._state is State.CLOSED:
            return

        # Discard the part of the body that the handler did not read. If the rest has not arrived
        # yet, close instead of waiting for it: the client might never send it.
        if not self._parser.body_is_complete:
            with suppress(BadRequest):
                self._parser.take_body()
        keep_alive = request.keep_alive and self._parser.body_is_complete

        keep_alive = await self._send(request, response, keep_alive)
        if self.transport.is_closing():
            return
        self._serving = None
        self._set_deadline(Waiting.NOTHING)
        if keep_alive:
            self._state = State.READING
            self._advance()
            self._throttle()
        else:
            self._close_after_flush()

    async def _send(self, request: Request, response: Response, keep_alive: bool) -> bool:
        """Send a response, and return whether the connection can be kept.

        The response to HEAD ends after its head (RFC 9110, 9.3.2).
        """
        if isinstance(response.body, AsyncGenerator):
            # For a client of HTTP/1.0, the end of the connection is the end of the body.
            keep_alive = keep_alive and not request.is_http_1_0
            try:
                await send_stream(request, response, response.body, keep_alive, self._write)
            except Exception:
                # The last chunk is missing, which shows the client that the body is not complete.
                logger.exception("%r failed midway", request.path)
                self.abort()
                return False
            return keep_alive
        head = encode_head(response, http_date(), keep_alive)
        body = () if request.method == "HEAD" else response.pieces
        sent = 0
        try:
            for batch in batches(head, body):
                sent += len(batch)
                await self._write(batch)
        finally:
            request.on_sent(request, response.status, max(0, sent - len(head)))
        return keep_alive

    async def _write(self, data: bytes) -> None:
        """Send bytes, and wait while the client is not reading. All output passes through here."""
        self._sent += len(data)
        self.transport.write(data)
        if self._flow.is_paused:
            await self._flow.drain()

    # The end of the connection.

    def _close_after_flush(self) -> None:
        """Send what is buffered and an EOF, then keep reading for a while (RFC 9112, 9.6).

        If a socket is closed while it holds unread bytes, TCP sends a reset, and the reset can
        destroy a response that the client has not read yet.
        """
        self._state = State.CLOSING
        # The client may have reset the connection already; `connection_lost` follows in that case.
        with suppress(OSError):
            self.transport.write_eof()
        self.transport.resume_reading()
        delay = 0.0 if self._input_ended else LINGER_SECONDS
        self._linger = self._loop.call_later(delay, self.transport.close)
