"""A client that begins to read an export, stops for a while, and then wants the rest.

python3 guides/examples/streaming_stop.py localhost:3000 4      the pause, in seconds
"""

import sys
import time

from streaming_readers import LAST_CHUNK, Reader


def main() -> None:
    """Read a little, wait, read to the end."""
    reader = Reader(sys.argv[1])
    reader.read(1024)
    time.sleep(float(sys.argv[2]))
    reader.read_all()
    print("the last chunk has come:", reader.end == LAST_CHUNK)


if __name__ == "__main__":
    main()
