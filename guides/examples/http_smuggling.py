"""One message, two readers: what each takes for the next request."""

from taskflow.parser import RequestParser

MESSAGE = (
    b"POST /tasks HTTP/1.1\r\n"
    b"Host: a.example\r\n"
    b"Content-Length: 50\r\n"
    b"Transfer-Encoding: chunked\r\n"
    b"\r\n"
    b"0\r\n"
    b"\r\n"
    b"DELETE /tasks/7 HTTP/1.1\r\n"
    b"Host: a.example\r\n"
    b"\r\n"
)


def by_length(data: bytes) -> list[bytes]:
    """Split as a reader does that believes Content-Length alone."""
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        found.append(head)
        _, _, value = head.partition(b"Content-Length: ")
        data = rest[int(value.split(b"\r\n")[0] or 0) :]
    return found


def by_chunks(data: bytes) -> list[bytes]:
    """Split as a reader does that believes Transfer-Encoding alone. Here all chunks are empty."""
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        found.append(head)
        if b"Transfer-Encoding: chunked" in head:
            _, _, data = data.partition(b"0\r\n\r\n")  # the chunk of size 0 ends a body
    return found


def two_readers() -> None:
    """Print the message, the requests that each reader finds in it, and what step 1 says."""
    print(MESSAGE.decode().replace("\r", "").rstrip())
    print("\n--- the body has", len(MESSAGE.partition(b"\r\n\r\n")[2]), "bytes in all ---\n")
    for name, reader in (("Content-Length", by_length), ("Transfer-Encoding", by_chunks)):
        lines = [head.split(b"\r\n")[0].decode() for head in reader(MESSAGE)]
        print(f"by {name + ':':19}{len(lines)} request{'s' * (len(lines) > 1)}: {', '.join(lines)}")
    parser = RequestParser()
    parser.feed(MESSAGE)
    request = parser.next_request()
    assert request is not None
    assert request.refusal is not None
    print(f"step 1:               {request.refusal.status}, {request.refusal}")
