"""Three ways to send events to many clients, of whom one never reads. Plain asyncio streams."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

EVENTS, EVENT = 300, bytes(64 * 1024)
READERS = 5
SMALL = 64 * 1024  # what a client's kernel may hold for it, so that the server notices soon
BOUND = 1024 * 1024  # bytes that may wait for one client
PATIENCE = 3.0  # seconds

Clients = list[asyncio.StreamWriter]


async def in_turn(clients: Clients) -> None:
    """Send each event to each client, and wait until the client takes it."""
    for _ in range(EVENTS):
        for client in clients:
            client.write(EVENT)
            await client.drain()


async def as_tasks(clients: Clients) -> None:
    """Send each event to each client in a task of its own, and wait for none of them."""

    async def send(client: asyncio.StreamWriter) -> None:
        client.write(EVENT)
        await client.drain()

    tasks: set[asyncio.Task[None]] = set()  # or the collector may take them
    for _ in range(EVENTS):
        tasks.update(asyncio.create_task(send(client)) for client in clients)
        await asyncio.sleep(0.001)
    waiting = sum(not task.done() for task in tasks)
    assert waiting > EVENTS // 2, waiting
    for task in tasks:
        task.cancel()


async def with_a_bound(clients: Clients) -> None:
    """Send each event to each client, and wait for nobody; who leaves too much is dropped."""
    for _ in range(EVENTS):
        for client in list(clients):
            client.write(EVENT)
            if client.transport.get_write_buffer_size() > BOUND:
                client.transport.abort()
                clients.remove(client)
        await asyncio.sleep(0.001)  # until the next event, in which the loop serves others


async def connect(port: int) -> socket.socket:
    """Return a client's socket with little room."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
    return client


async def read_all(client: socket.socket) -> None:
    """Read as fast as possible, until all events are here."""
    count = 0
    while count < EVENTS * len(EVENT):
        count += len(await asyncio.get_running_loop().sock_recv(client, 256 * 1024))


async def broadcast(send: Callable[[Clients], Coroutine[Any, Any, None]]) -> tuple[int, int]:
    """Send to readers and to one that never reads.

    Return how many readers have got all, and how many bytes wait for the one.
    """
    accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(
        lambda _, client: accepted.put_nowait(client), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    ends = [await connect(port) for _ in range(READERS + 1)]
    clients = [await accepted.get() for _ in ends]
    readers = [asyncio.create_task(read_all(end)) for end in ends[:READERS]]
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await send(clients)
            await asyncio.wait(readers)
    whole = sum(reader.done() for reader in readers)
    waiting = max(client.transport.get_write_buffer_size() for client in clients)
    for reader in readers:
        reader.cancel()
    for client in clients:
        client.transport.abort()
    for end in ends:
        end.close()
    server.close()
    return whole, waiting


def compare() -> None:
    """Print who has got what, after three seconds at most."""
    ways = {"each in turn": in_turn, "a task for each": as_tasks, "with a bound": with_a_bound}
    print(f"| {EVENTS} events | readers that have got all | waiting for the one that never reads |")
    print("| --- | ---: | --- |")
    for title, send in ways.items():
        whole, waiting = asyncio.run(broadcast(send))
        assert waiting < 2 * BOUND or waiting > 8 * BOUND, waiting
        size = "nothing" if not waiting else "more than 8 MiB" if waiting > BOUND else "a little"
        print(f"| {title} | {whole} of {READERS} | {size} |")


if __name__ == "__main__":
    compare()
