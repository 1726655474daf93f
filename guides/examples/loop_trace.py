"""Shows every turn of the loop in loop_mini.py, as a row of a table."""

import socket
from functools import partial

from loop_mini import Callback, Loop, Task, receive, sleep


class TracedLoop(Loop):
    """A loop that writes down what it does. Instead of waiting it turns its clock forward."""

    def __init__(self) -> None:
        self._now = 0.0
        self._turns = 0
        self._wait = self._calls = ""
        super().__init__()

    def time(self) -> float:
        """Return the time on our own clock."""
        return self._now

    def select(self, timeout: float | None) -> list[Callback]:
        """Look which sockets are ready; if none is, let the time pass that we might wait."""
        ready = super().select(0)
        if ready:
            self._wait = "a socket is ready"
        elif timeout is None:
            raise RuntimeError("nothing will ever happen again")
        elif timeout > 0:
            self._now += timeout
            self._wait = f"{timeout:g} s pass, a timer is due"
        else:
            self._wait = "no wait: something is ready"
        return ready

    def call(self, callback: Callback) -> None:
        """Call it, and write down what that does."""
        self._calls += ("; " if self._calls else "") + describe(callback)
        super().call(callback)

    def turn(self) -> None:
        """Make one turn, and print its row."""
        self._turns += 1
        self._calls = ""
        super().turn()
        print(f"| {self._turns} | {self._now:g} s | {self._wait} | {self._calls} |")

    def tell(self, what: str) -> None:
        """Add what a task says of itself."""
        self._calls += f" {what}"


def describe(callback: Callback) -> str:
    """Return whose callback this is."""
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, Task):
        return f"**{owner.name}**"
    return (
        "a timer's future is done" if isinstance(callback, partial) else "a socket's future is done"
    )


async def kettle(loop: TracedLoop) -> None:
    """Wait for time."""
    loop.tell("puts the kettle on, and sleeps 3 s")
    await sleep(loop, 3)
    loop.tell("makes tea, and ends")


async def door(loop: TracedLoop, bell: socket.socket) -> None:
    """Wait for bytes."""
    loop.tell("listens at the door")
    name = await receive(loop, bell)
    loop.tell(f"lets {name.decode()} in, and ends")


async def main(loop: TracedLoop) -> None:
    """Start both, and ring the bell after a while."""
    inside, outside = socket.socketpair()
    with inside, outside:
        tasks = [Task(loop, kettle(loop), "kettle"), Task(loop, door(loop, inside), "door")]
        loop.tell("starts two tasks, and sleeps 2 s")
        await sleep(loop, 2)
        loop.tell("rings the bell, and waits for both")
        outside.send(b"Ada")
        for task in tasks:
            await task
        loop.tell("ends")


def table() -> None:
    """Print a row for each turn."""
    loop = TracedLoop()
    print("| turn | time | `select` | calls, in this order |")
    print("| ---: | ---: | --- | --- |")
    loop.run(main(loop))


if __name__ == "__main__":
    table()
