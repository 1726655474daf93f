"""An event loop in a hundred lines: a ready queue, timers in a heap, futures and tasks.

    select ─► callbacks of sockets ┐
    timers that are due ───────────┼─► the ready queue ─► called, one after the other
    call_soon, from anywhere ──────┘

Everything that waits, waits in `select`. Everything that runs, is called by `turn`.
"""

import heapq
import itertools
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, Generic, TypeVar, cast

Callback = Callable[[], object]
T = TypeVar("T")


class Loop:
    """Waits for sockets and timers, and calls what is ready."""

    def __init__(self) -> None:
        self._ready: deque[Callback] = deque()
        self._timers: list[tuple[float, int, Callback]] = []  # a heap: the next one is in front
        self._number = itertools.count()  # of two timers of one moment the older is first
        self._selector = selectors.DefaultSelector()
        self._bell, self._button = socket.socketpair()  # see call_soon_threadsafe
        self.add_reader(self._bell, partial(self._bell.recv, 4096))

    def call_soon(self, callback: Callback) -> None:
        """Call this in the next turn. O(1)."""
        self._ready.append(callback)

    def call_later(self, seconds: float, callback: Callback) -> None:
        """Call this when the time has come. O(log n), of n timers."""
        heapq.heappush(self._timers, (self.time() + seconds, next(self._number), callback))

    def call_soon_threadsafe(self, callback: Callback) -> None:
        """Call this soon, though another thread asks for it: end the wait in `select`."""
        self._ready.append(callback)
        self._button.send(b"\0")

    def add_reader(self, connection: socket.socket, callback: Callback) -> None:
        """Call this in every turn that finds something to read there."""
        connection.setblocking(False)
        self._selector.register(connection, selectors.EVENT_READ, callback)

    def remove_reader(self, connection: socket.socket) -> None:
        """Look at this connection no more."""
        self._selector.unregister(connection)

    def turn(self) -> None:
        """Wait until there is something to do, and do all that is ready now."""
        for callback in self.select(self._patience()):
            self._ready.append(callback)
        while self._timers and self._timers[0][0] <= self.time():
            self._ready.append(heapq.heappop(self._timers)[2])
        for _ in range(len(self._ready)):  # what these add is for the next turn
            self.call(self._ready.popleft())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Turn until this one is done, and return its result. Then the loop is over."""
        task = Task(self, coroutine, "main")
        while not task.done:
            self.turn()
        for end in (self._selector, self._bell, self._button):
            end.close()
        return task.result()

    def _patience(self) -> float | None:
        """How long to wait for sockets: not at all, until the next timer, or for ever."""
        if self._ready:
            return 0
        return max(0, self._timers[0][0] - self.time()) if self._timers else None

    # The three ways in which a loop touches the world. A trace can take their place.

    def time(self) -> float:
        """Return the time, in seconds."""
        return time.monotonic()

    def select(self, timeout: float | None) -> list[Callback]:
        """Wait for sockets, and return the callbacks of those that are ready."""
        return [key.data for key, _ in self._selector.select(timeout)]

    def call(self, callback: Callback) -> None:
        """Call what is ready."""
        callback()


class Future(Generic[T]):
    """A result that will be there later, and who wants to be told."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.done = False
        self._result: T | None = None
        self._error: BaseException | None = None
        self._waiting: list[Callback] = []

    def set_result(self, result: T | None, error: BaseException | None = None) -> None:
        """The result is here: those that wait for it are called in the next turn."""
        self.done, self._result, self._error = True, result, error
        for callback in self._waiting:
            self.loop.call_soon(callback)

    def result(self) -> T:
        """Return the result, or raise the error."""
        if self._error is not None:
            raise self._error
        return cast(T, self._result)

    def when_done(self, callback: Callback) -> None:
        """Call this when the result is here."""
        self._waiting.append(callback)

    def __await__(self) -> Generator["Future[T]", None, T]:
        """What `await future` does: hand the future to the task, and stop here until it is done."""
        if not self.done:
            yield self
        return self.result()


class Task(Future[T]):
    """Runs a coroutine from one `await` to the next. It is the future of what that returns."""

    def __init__(self, loop: Loop, coroutine: Coroutine[Any, Any, T], name: str) -> None:
        super().__init__(loop)
        self.name = name
        self._coroutine = coroutine
        loop.call_soon(self.step)

    def step(self) -> None:
        """Run to the next `await` that has to wait; be called again when its future is done."""
        try:
            future = self._coroutine.send(None)
        except StopIteration as end:
            self.set_result(end.value)
        except Exception as error:
            self.set_result(None, error)
        else:
            future.when_done(self.step)


async def sleep(loop: Loop, seconds: float) -> None:
    """Wait, and let others run."""
    future: Future[None] = Future(loop)
    loop.call_later(seconds, partial(future.set_result, None))
    await future


async def receive(loop: Loop, connection: socket.socket) -> bytes:
    """Wait for bytes, and let others run."""
    future: Future[bytes] = Future(loop)

    def can_read() -> None:
        loop.remove_reader(connection)
        future.set_result(connection.recv(4096))

    loop.add_reader(connection, can_read)
    return await future
