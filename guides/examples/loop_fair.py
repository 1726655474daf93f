"""Shows who runs and who waits: tasks that give way, tasks that do not, and a full buffer."""

import asyncio
import socket


async def work(name: str, pieces: int, *, gives_way: bool) -> None:
    """Do some work, piece by piece."""
    for _ in range(pieces):
        print(name, end=" ")
        if gives_way:
            await asyncio.sleep(0)


async def _two(*, gives_way: bool) -> None:
    async with asyncio.TaskGroup() as group:
        for name in "AB":
            group.create_task(work(name, 5, gives_way=gives_way))


def two() -> None:
    """Print in which order two tasks do their pieces."""
    for gives_way in (False, True):
        print("with sleep(0):    " if gives_way else "without an await: ", end="")
        asyncio.run(_two(gives_way=gives_way))
        print()


async def drain(name: str, queue: asyncio.Queue[int]) -> None:
    """Take all that is in the queue."""
    while not queue.empty():
        await queue.get()
        print(name, end=" ")


async def _queues() -> None:
    async with asyncio.TaskGroup() as group:
        for name in "AB":
            queue: asyncio.Queue[int] = asyncio.Queue()
            for number in range(5):
                queue.put_nowait(number)
            group.create_task(drain(name, queue))
    print()


def queues() -> None:
    """Print in which order two tasks empty two full queues, with an await for each item."""
    asyncio.run(_queues())


class Sender(asyncio.Protocol):
    """Sends until the transport says stop."""

    def __init__(self) -> None:
        self.paused = False
        self.resumed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send far more than the other side takes, if nobody stops us."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        low, high = transport.get_write_buffer_limits()
        print(f"the marks: {low:,} and {high:,} bytes")
        while not self.paused:
            transport.write(b"x" * 4096)

    def _waiting(self) -> int:
        return self.transport.get_write_buffer_size()

    def pause_writing(self) -> None:
        """Stop: so many bytes wait in this process, beside those in the kernel."""
        self.paused = True
        over = self._waiting() > self.transport.get_write_buffer_limits()[1]
        print("pause_writing:", "more wait than the high mark" if over else "too early")

    def resume_writing(self) -> None:
        """Go on."""
        under = self._waiting() <= self.transport.get_write_buffer_limits()[0]
        print("resume_writing:", "no more wait than the low mark" if under else "too early")
        self.resumed.set()


async def _pressure() -> None:
    loop, sender = asyncio.get_running_loop(), Sender()
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.setblocking(False)
        await loop.create_connection(lambda: sender, sock=ours)
        print("now the other side reads")
        while not sender.resumed.is_set():
            await loop.sock_recv(theirs, 65_536)
        sender.transport.abort()


def pressure() -> None:
    """Print what a transport tells a sender whose client does not read, and then does."""
    asyncio.run(_pressure())


if __name__ == "__main__":
    two()
