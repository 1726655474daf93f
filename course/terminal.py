"""What reaches the eye: notes, colours and aligned tables.

Results go to stdout, notes to stderr, so that a result can be piped and the
server's one line on stdout stays the only one. Knows nothing of the course.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

BOLD, RED, GREEN, CYAN, DIM = "1", "31", "32", "36", "2"


def note(text: str) -> None:
    """Say what the helper does, beside the result."""
    print(f"course: {text}", file=sys.stderr, flush=True)


def paint(text: str, *codes: str) -> str:
    """`text` in a colour or weight; an empty text stays empty."""
    return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if text else text


def wants_colour(stream: TextIO, asked: bool | None) -> bool:
    """What the user asked for; else colour on a terminal only (see no-color.org)."""
    if asked is not None:
        return asked
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def table(rows: Iterable[Sequence[str | int]], indent: str = "  ") -> str:
    """Rows under each other in columns; numbers to the right, text to the left.

    The first row holds the headings, and each stands as its column does.
    """
    cells = [list(row) for row in rows]
    columns = list(zip(*cells, strict=True))
    widths = [max(len(str(cell)) for cell in column) for column in columns]
    right = [any(isinstance(cell, int) for cell in column) for column in columns]
    lines = []
    for row in cells:
        padded = (
            str(cell).rjust(width) if is_right else str(cell).ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        )
        lines.append((indent + "  ".join(padded)).rstrip())
    return "\n".join(lines) + "\n"
