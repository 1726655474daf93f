"""Step 10 with one change: a protocol that waits for a handshake. It takes the same options.

PYTHONPATH=step10_websockets .venv/step10/bin/python guides/examples/websockets_connecting.py
"""

import sys
from typing import Any

from websockets import ServerProtocol, State

from taskflow import upgrade
from taskflow.__main__ import main


def waiting(**options: Any) -> ServerProtocol:
    """Return the protocol in the state that it has by default."""
    return ServerProtocol(**{**options, "state": State.CONNECTING})


if __name__ == "__main__":
    setattr(upgrade, "ServerProtocol", waiting)  # noqa: B010 - a type checker would rightly object
    sys.exit(main())
