"""The parser of step 1, fed in every way: what the guide shows of it is computed here."""

from http_one_recv import answer

from taskflow.errors import TaskflowError
from taskflow.http import Request
from taskflow.parser import RequestParser

BODY = b'{"title":"Wash"}'
REQUEST = b"POST /tasks HTTP/1.1\r\nHost: a.example\r\nContent-Length: 16\r\n\r\n" + BODY
SECOND = b"GET /tasks HTTP/1.1\r\nHost: a.example\r\n\r\n"


def requests(pieces: list[bytes]) -> tuple[str, ...]:
    """Feed the pieces one by one; return each request that comes out, with its body."""
    parser, found = RequestParser(), []
    request, body = None, b""
    for piece in pieces:
        parser.feed(piece)
        while request or (request := parser.next_request()):
            body += parser.take_body()
            if not parser.body_is_complete:
                break  # the rest of it is in a later piece
            found.append(f"{request.method} {request.path} {body.decode()}".strip())
            request, body = None, b""
    return tuple(found)


def every_split() -> None:
    """Cut the bytes of two requests in every way into two and into three; count the results."""
    data = REQUEST + SECOND
    size = len(data)
    twos = [[data[:i], data[i:]] for i in range(size + 1)]
    threes = [[data[:i], data[i:k], data[k:]] for i in range(size + 1) for k in range(i, size + 1)]
    singles = [[data[i : i + 1] for i in range(size)]]
    print(f"{size} bytes, two requests\n")
    results = set()
    for name, ways in (("in two", twos), ("in three", threes), ("byte by byte", singles)):
        found = {requests(pieces) for pieces in ways}
        print(f"cut {name:12} {len(ways):6,} ways, {len(found)} result")
        results |= found
    for result in results:
        print("\nthe one result:", *result, sep="\n  ")


def first_word(data: bytes) -> tuple[int, str]:
    """Feed byte by byte; return how many bytes it takes until the parser says something."""
    parser = RequestParser()
    for count in range(1, len(data) + 1):
        parser.feed(data[count - 1 : count])
        if (request := parser.next_request()) is not None:
            return count, said(request)
    return len(data), "nothing yet"


def said(request: Request) -> str:
    """Return what the parser has made of the bytes, in a few words."""
    if isinstance(error := request.refusal, TaskflowError):
        return f"{error.status}, {error!s}"
    return f"{request.method} {request.path}"


def verdicts() -> None:
    """Show at which byte of a head the parser knows what to say."""
    heads = [
        b"GET /tasks HTTP/1.1\r\nHost: a.example\r\n\r\n",
        b"GET /tasks HTTP/1.1\nHost: a.example\n\n",
        b"BREW /tea HTTP/1.1\r\nHost: a.example\r\n\r\n",
        b"GET /tasks HTTP/1.1\r\nHost : a.example\r\n\r\n",
        b"GET /tasks HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n",
    ]
    print("| bytes, one at a time | the parser speaks after | and says |\n| --- | --- | --- |")
    for head in heads:
        count, answered = first_word(head)
        shown = repr(head)[2:-1]
        print(f"| `{shown}` | byte {count:,} of {len(head):,} | {answered} |")


def one_recv() -> None:
    """Cut a request in two at every place, and let the wrong turn see the first part."""
    right = answer(REQUEST)
    cuts = range(1, len(REQUEST))
    wrong = sum(answer(REQUEST[:cut]) != right for cut in cuts)
    print(f"not cut: {right[9:20].decode()}")
    print(f"cut in two: wrong at {wrong} of {len(cuts)} places")
    whole = requests([REQUEST])
    ours = sum(requests([REQUEST[:cut], REQUEST[cut:]]) != whole for cut in cuts)
    print(f"the parser of step 1: wrong at {ours} of {len(cuts)} places")
