"""What the tour shows: requests, answers, what is as told, and the few numbers worth seeing.

Knows the terminal and nothing of the server. What a server sends is made harmless before it is
shown: a title may hold characters that control a terminal.
"""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any, TextIO

WIDTH = 96  # characters
BODY_LINES = 3  # of an answer
BAR_WIDTH = 40  # characters
INDENT = "       "
# Of an id the beginning is enough to tell it from the others on the screen.
REST_OF_ID = re.compile(r"(?<=\b[0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
BOLD, DIM, RED, GREEN, YELLOW, CYAN = "1", "2", "31", "32", "33", "36"


def printable(text: str) -> str:
    """Return the text without what would control a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def wants_colour(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Return whether there are to be colours: on a terminal, if nobody objects (no-color.org)."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def tree(values: Sequence[object]) -> list[str]:
    """Return the array of a heap drawn as the tree that it is, a line a level. O(n)."""
    lines, first, width = [], 0, 1
    while first < len(values):
        room = BAR_WIDTH // width
        level = values[first : first + width]
        lines.append("".join(f"{value:^{room}}" for value in map(str, level)).rstrip())
        first, width = first + width, 2 * width
    return lines


class Screen:
    """Lines on a stream, in colours or without."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._colours = wants_colour(self._stream, os.environ)
        self._encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            "✓✗█".encode(self._encoding)
            self._yes, self._no, self._block = "✓", "✗", "█"
        except UnicodeEncodeError:
            self._yes, self._no, self._block = "ok", "NOT", "#"

    def line(self, text: str = "", *codes: str) -> None:
        """Write a line at once: whoever waits wants to see how far it is."""
        painted = f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes and self._colours else text
        painted = painted.encode(self._encoding, "replace").decode(self._encoding)
        print(painted, file=self._stream, flush=True)

    def say(self, text: str) -> None:
        """Tell something that needs no check."""
        for part in wrap(text, WIDTH - 2):
            self.line("  " + part, DIM)

    def request(self, method: str, target: str, value: object = None) -> None:
        """Show what is asked."""
        sent = "" if value is None else " " + (value if isinstance(value, str) else as_json(value))
        self.line(f"  {fit(f'{method} {target}{sent}', WIDTH)}", CYAN)

    def row(self, text: str) -> None:
        """Write what a server sent, as one harmless line."""
        self.line(f"    {fit(text, WIDTH)}")

    def answer(self, status: int, reason: str, body: bytes) -> None:
        """Show what is answered: the status, and a few lines of the body."""
        try:
            shown = as_json(json.loads(body))
        except ValueError:
            shown = body[: 4 * WIDTH * BODY_LINES].decode(errors="replace").replace("\n", " ")
        self.line(f"    {status} {printable(reason)}", GREEN if status < 400 else YELLOW)
        for row in wrap(fit(shown, BODY_LINES * WIDTH), WIDTH):
            self.line(INDENT + row)

    def as_told(self, what: str) -> None:
        """Show that something is as it was told."""
        self.line(f"  {self._yes} {what}", GREEN)

    def not_as_told(self, what: str, expected: object, received: object) -> None:
        """Show what is not as it was told, with what was expected and received."""
        self.line(f"  {self._no} {what}", RED, BOLD)
        self.line(f"      expected  {printable(str(expected)[:500])}")
        self.line(f"      received  {printable(str(received)[:500])}")

    def skipped(self, what: str) -> None:
        """Show what is left out, and why."""
        self.line(f"  - skipped: {what}", YELLOW)

    def bars(self, rows: Sequence[tuple[str, float, str]]) -> None:
        """Draw numbers beneath each other: what each is, its size, and how it is written."""
        longest = max(value for _, value, _ in rows) or 1
        names = max(len(name) for name, _, _ in rows)
        for name, value, written in rows:
            bar = self._block * round(BAR_WIDTH * value / longest)
            self.line(f"{INDENT}{name:<{names}}  {bar:<{BAR_WIDTH}} {written:>14}")


def as_json(value: Any) -> str:
    """Return a value as people read it: JSON with spaces."""
    return json.dumps(value, ensure_ascii=False)


def fit(text: str, length: int) -> str:
    """Return the text, harmless, with short ids, and only its beginning if it is longer."""
    text = REST_OF_ID.sub("…", printable(text[: 4 * length]))
    return text if len(text) <= length else text[: length - 4] + " ..."


def mib(count: float) -> str:
    """Return a number of bytes in words."""
    return f"{count / 2**20:.1f} MiB"


def milliseconds(seconds: float) -> str:
    """Return a duration in words."""
    return f"{seconds * 1000:.1f} ms"
