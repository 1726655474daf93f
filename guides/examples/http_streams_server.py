"""A task server on asyncio streams, in forty lines. It works, and it is not good enough."""

import asyncio
import json

tasks: list[dict[str, object]] = []


def answer(method: str, path: str, body: bytes) -> tuple[str, object]:
    """Return the status and the value to send for one request."""
    if (method, path) == ("GET", "/tasks"):
        return "200 OK", tasks
    if (method, path) == ("POST", "/tasks"):
        tasks.append({"id": len(tasks) + 1, **json.loads(body)})
        return "201 Created", tasks[-1]
    return "404 Not Found", {"error": f"there is nothing at {path}"}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one client, one after the other."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            request_line, *lines = head.decode().strip().split("\r\n")
            method, path, _version = request_line.split(" ")
            headers = dict(line.lower().split(": ", 1) for line in lines)
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            status, value = answer(method, path, body)
            payload = json.dumps(value).encode()
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(payload)}\r\n\r\n".encode())
            writer.write(payload)
            await writer.drain()
    except asyncio.IncompleteReadError:
        pass  # the client has left
    finally:
        writer.close()


async def main() -> None:
    """Listen until Ctrl-C."""
    server = await asyncio.start_server(serve, "127.0.0.1", 3000)
    print("listening on port 3000", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
