"""Step 9 with one change: a connection that never waits for its client. It takes the same options.

PYTHONPATH=step09_streaming .venv/step09/bin/python guides/examples/streaming_careless.py --port 0
"""

import sys

from taskflow.__main__ import main
from taskflow.server import Connection


async def no_drain(connection: Connection) -> None:
    """Go on at once, whatever the client has taken."""


if __name__ == "__main__":
    setattr(Connection, "_drain", no_drain)  # noqa: B010 - a type checker would rightly object
    sys.exit(main())
