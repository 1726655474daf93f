"""An HTTP server on asyncio's streams, as one writes it first: `readuntil`, then `readexactly`.

It serves `POST /tasks` and `GET /tasks/{id}` and nothing else, believes whatever it is told, and
checks almost nothing. So it does less than step 1, and what it costs is the streams.
"""

import asyncio
import json
from datetime import UTC, datetime
from uuid import uuid4

TASKS: dict[str, bytes] = {}


def create(body: bytes) -> bytes:
    """Add a task and return its JSON."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    fields = {"description": "", "status": "pending", "priority": 1, "dependencies": []}
    task = {"id": str(uuid4()), **fields, **json.loads(body), "createdAt": now, "updatedAt": now}
    encoded = TASKS[task["id"]] = json.dumps(task, separators=(",", ":")).encode()
    return encoded


def answer(method: str, path: str, body: bytes) -> tuple[str, bytes]:
    """Return the status line's end and the body."""
    if method == "POST" and path == "/tasks":
        return "201 Created", create(body)
    if (task := TASKS.get(path.removeprefix("/tasks/"))) is not None:
        return "200 OK", task
    return "404 Not Found", b'{"error":"not found"}'


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection, one after the other."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.split("\r\n")
            method, path, _ = first.split(" ")
            headers = dict(line.lower().split(": ", 1) for line in lines if line)
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            status, content = answer(method, path, body)
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(content)}\r\n\r\n".encode()
                + content
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
