"""Answers on their way out: those of one turn of the event loop are sent together, at its end.

    turn: request ─► answer ─┐
          request ─► answer ─┼─► flush ─► write, write, write
          request ─► answer ─┘

A client that has read everything sleeps, and to wake one on the same machine (a proxy, mostly)
takes the sender longer than the rest of a `send`. If each answer is sent when it is ready, the
client reads it, asks again and is asleep before the next one comes. Sent in a row, they find it
awake: a `POST` costs a quarter less under load (guides/final.md measures it). Nobody waits for
others when there are none.
"""

import asyncio
from collections.abc import Callable

MAX_TOGETHER = 16  # answers that wait for each other


class Outbox:
    """The answers that wait for those to come in the same turn."""

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        """Take what has something called at the end of a turn: `call_soon` of the event loop."""
        self._call_soon = call_soon
        self._answers: list[tuple[asyncio.Transport, bytes]] = []
        self._expecting: set[asyncio.Transport] = set()  # an answer for each of these clients

    def expect(self, transport: asyncio.Transport) -> None:
        """Note that a request of this client is being served from now on. O(1)."""
        self._expecting.add(transport)

    def settle(self, transport: asyncio.Transport) -> None:
        """Note that it is served, or given up. After the last, there is nothing to wait for."""
        self._expecting.discard(transport)
        if not self._expecting:
            self.flush()

    def send(self, transport: asyncio.Transport, answer: bytes) -> None:
        """Send an answer by the end of this turn, or when it is settled if it is the last. O(1).

        Who writes to the transport itself in that turn, or closes it, calls `flush` before.
        """
        if not self._answers:
            self._call_soon(self.flush)  # the others may take longer than this turn
        self._answers.append((transport, answer))
        if len(self._answers) >= MAX_TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Send all that waits, but to clients that are gone. O(answers)."""
        answers, self._answers = self._answers, []
        for transport, answer in answers:
            if not transport.is_closing():
                transport.write(answer)
