"""Step 9 with one change: a connection that never waits for its client. It takes the same options.

PYTHONPATH=step09_streaming .venv/step09/bin/python guides/examples/streaming_careless.py --port 0
"""

import sys

from taskflow.__main__ import main
from taskflow.connection import Connection


async def write(connection: Connection, data: bytes) -> None:
    """Send bytes and return at once, whatever the client has taken."""
    connection.transport.write(data)


if __name__ == "__main__":
    setattr(Connection, "_write", write)  # noqa: B010 - a type checker would rightly object
    sys.exit(main())
