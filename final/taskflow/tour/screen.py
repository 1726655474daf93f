"""The output of the tour: requests, responses, the results of checks, and a few bar charts.

This module knows the terminal and nothing of the server. It replaces control characters in all that
a server sends, because a title, for example, may hold some that control the terminal.
"""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any, TextIO

WIDTH = 96  # characters
BAR_WIDTH = 40  # characters
# How many lines of a response body are shown.
BODY_LINES = 3
INDENT = "       "
# The first eight digits of an id distinguish it from the others on the screen, so this matches
# the rest, which is left out.
REST_OF_ID = re.compile(r"(?<=\b[0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")

# The codes of styles and colours (ECMA-48, 8.3.117).
BOLD = "1"
DIM = "2"
RED = "31"
GREEN = "32"
YELLOW = "33"
CYAN = "36"


def printable(text: str) -> str:
    """Return the text with question marks for characters that may control a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def wants_colour(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Return whether to use colours: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def tree(values: Sequence[object]) -> list[str]:
    """Return the array of a heap drawn as a tree, one line per level. O(n)."""
    lines: list[str] = []
    first = 0
    width = 1
    while first < len(values):
        level = values[first : first + width]
        column = BAR_WIDTH // width
        lines.append("".join(f"{value!s:^{column}}" for value in level).rstrip())
        first += width
        width *= 2
    return lines


class Screen:
    """Lines on a stream, with or without colours."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._colours = wants_colour(self._stream, os.environ)
        self._encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._tick = "✓"
        self._cross = "✗"
        self._block = "█"
        try:
            (self._tick + self._cross + self._block).encode(self._encoding)
        except UnicodeEncodeError:
            self._tick = "ok"
            self._cross = "NOT"
            self._block = "#"

    def line(self, text: str = "", *codes: str) -> None:
        """Write a line and flush it, because the next one may take seconds."""
        painted = f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes and self._colours else text
        encodable = painted.encode(self._encoding, "replace").decode(self._encoding)
        print(encodable, file=self._stream, flush=True)

    def say(self, text: str) -> None:
        """Write an explanation."""
        for part in wrap(text, WIDTH - 2):
            self.line("  " + part, DIM)

    def request(self, method: str, target: str, value: object = None) -> None:
        """Show a request. A text is shown unchanged, and any other value as JSON."""
        shown = f"{method} {target}"
        if value is not None:
            shown += " " + (value if isinstance(value, str) else as_json(value))
        self.line(f"  {shorten(shown, WIDTH)}", CYAN)

    def row(self, text: str) -> None:
        """Write one line of received or sent text, without its control characters."""
        self.line(f"    {shorten(text, WIDTH)}")

    def response(self, status: int, reason: str, body: bytes) -> None:
        """Show the status of a response and the first lines of its body."""
        try:
            shown = as_json(json.loads(body))
        except ValueError:
            shown = body[: 4 * WIDTH * BODY_LINES].decode(errors="replace").replace("\n", " ")
        self.line(f"    {status} {printable(reason)}", GREEN if status < 400 else YELLOW)
        for row in wrap(shorten(shown, BODY_LINES * WIDTH), WIDTH):
            self.line(INDENT + row)

    def passed(self, claim: str) -> None:
        """Show a claim that is true."""
        self.line(f"  {self._tick} {claim}", GREEN)

    def failed(self, claim: str, expected: object, received: object) -> None:
        """Show a claim that is not true, with the expected and the received value."""
        self.line(f"  {self._cross} {claim}", RED, BOLD)
        self.line(f"      expected  {printable(str(expected)[:500])}")
        self.line(f"      received  {printable(str(received)[:500])}")

    def skipped(self, reason: str) -> None:
        """Show what is left out, and why."""
        self.line(f"  - skipped: {reason}", YELLOW)

    def bars(self, rows: Sequence[tuple[str, float, str]]) -> None:
        """Draw a bar chart. Each row has a name, a value, and the text of the value."""
        longest = max(value for _, value, _ in rows) or 1
        name_width = max(len(name) for name, _, _ in rows)
        for name, value, text in rows:
            bar = self._block * round(BAR_WIDTH * value / longest)
            self.line(f"{INDENT}{name:<{name_width}}  {bar:<{BAR_WIDTH}} {text:>14}")


def as_json(value: Any) -> str:
    """Return a value as JSON for people, with spaces and without escapes."""
    return json.dumps(value, ensure_ascii=False)


def shorten(text: str, length: int) -> str:
    """Return the text without control characters, with short ids, cut to a length."""
    text = REST_OF_ID.sub("…", printable(text[: 4 * length]))
    return text if len(text) <= length else text[: length - 4] + " ..."


def mib(count: float) -> str:
    """Return a number of bytes in MiB as text."""
    return f"{count / 2**20:.1f} MiB"


def milliseconds(seconds: float) -> str:
    """Return a duration in milliseconds as text."""
    return f"{seconds * 1000:.1f} ms"
