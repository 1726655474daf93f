"""Shows why a thread has to wake the loop of loop_mini.py: a callback from outside, in two ways."""

import time
from collections.abc import Callable
from threading import Thread

from loop_mini import Callback, Loop, sleep


class CountingLoop(Loop):
    """A loop that counts its turns."""

    turns = 0

    def turn(self) -> None:
        """Make one turn."""
        self.turns += 1
        super().turn()


def in_turn(name: str, loop: CountingLoop, way: Callable[[Callback], None]) -> None:
    """Run a loop that sleeps for a second, while a thread hands it a callback."""
    seen: list[int] = []

    def from_outside() -> None:
        time.sleep(0.1)  # now the loop waits in select
        way(lambda: seen.append(loop.turns))

    thread = Thread(target=from_outside)
    loop.call_soon(thread.start)
    loop.run(sleep(loop, 1))
    thread.join()
    # Turn 1 starts the thread and the sleep, 2 waits; the last but one is that of the timer.
    late = seen == [loop.turns - 1]
    print(f"{name}: called {'only when the timer woke the loop' if late else 'at once'}")


def both() -> None:
    """Print when the callback is called, in either way."""
    loop = CountingLoop()
    in_turn("call_soon           ", loop, loop.call_soon)
    loop = CountingLoop()
    in_turn("call_soon_threadsafe", loop, loop.call_soon_threadsafe)


if __name__ == "__main__":
    both()
