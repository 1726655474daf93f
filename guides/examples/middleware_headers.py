"""Which lines the parser of step 5 reads, when a client says the same things again and again."""

import re
from unittest.mock import patch

from taskflow import http

TOKEN = "Authorization: Bearer secret-user-123"
REQUESTS = [
    ("the first on this connection", "GET /tasks", [TOKEN]),
    ("the same again", "GET /tasks", [TOKEN]),
    ("another path", "GET /tasks/next", [TOKEN]),
    ("one header more", "GET /tasks", [TOKEN, "X-Request-Id: mine"]),
    ("the same again", "GET /tasks", [TOKEN, "X-Request-Id: mine"]),
]


def table() -> None:
    """Print how many lines of each request are read; `_line_at` reads one line a call."""
    parser, calls = http.RequestParser(), 0
    line_at = http._line_at

    def counting(
        pattern: re.Pattern[bytes], data: bytes, position: int, end: int
    ) -> re.Match[bytes]:
        nonlocal calls
        calls += 1
        return line_at(pattern, data, position, end)

    print("| request | lines sent | lines read |")
    print("| --- | ---: | ---: |")
    with patch.object(http, "_line_at", counting):
        for what, asked, headers in REQUESTS:
            lines = [f"{asked} HTTP/1.1", "Host: localhost:3000", "User-Agent: curl", *headers]
            parser.feed("\r\n".join([*lines, "", ""]).encode())
            calls = 0
            request = parser.next_request()
            assert request is not None
            assert request.refusal is None
            print(f"| {what} | {len(lines)} | {calls} |")
