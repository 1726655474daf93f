"""Shows the bytes of a chunked body, part by part, as they came from a server.

curl -s --raw localhost:3000/demo/stream/csv?count=2 … | python3 guides/examples/streaming_wire.py
"""

import sys
from typing import BinaryIO

COLUMNS = 16  # bytes in a line


def show(data: bytes, meaning: str) -> None:
    """Print bytes in hexadecimal, and beside them what they are."""
    print(f"{data.hex(' '):{COLUMNS * 3}} {meaning}")


def walk(stream: BinaryIO) -> None:
    """Print all parts of one chunked body without trailers."""
    while True:
        line = stream.readline()
        size = int(line, 16)
        show(line, f"size 0x{size:x}: {size} bytes follow" if size else "size 0: the last chunk")
        if size == 0:
            show(stream.readline(), "end of the body")
            return
        data = stream.read(size)
        for start in range(0, size, COLUMNS):
            piece = data[start : start + COLUMNS]
            show(piece, piece.decode().encode("unicode_escape").decode())
        show(stream.readline(), "end of the chunk")


if __name__ == "__main__":
    walk(sys.stdin.buffer)
