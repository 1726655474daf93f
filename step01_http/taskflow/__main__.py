"""The command line: `python -m taskflow --port 3000`."""

import argparse
import asyncio
import errno
import logging
import signal
import sys

from taskflow.app import build_app
from taskflow.http import Handler
from taskflow.server import Server


async def serve(app: Handler, options: argparse.Namespace) -> int:
    """Serve until a signal arrives, and return the exit status."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
    server = Server(app, options.max_connections)
    try:
        port = await server.start(options.host, options.port)
    except (OSError, OverflowError) as error:
        print(f"taskflow: {why_not_listening(error, options)}", file=sys.stderr)
        return 2
    host = f"[{options.host}]" if ":" in options.host else options.host
    print(f"Taskflow listening on http://{host}:{port}", flush=True)
    await stopped.wait()
    await server.stop()
    return 0


def why_not_listening(error: Exception, options: argparse.Namespace) -> str:
    """Return one line that says why the server cannot listen."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {options.port} is in use; try --port 0"
    return f"cannot listen on {options.host}:{options.port}: {error}"


def main() -> int:
    """Read the command line, run the server, and return the exit status."""
    parser = argparse.ArgumentParser(prog="taskflow", description="A task queue server.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=3000, help="0 picks a free one (%(default)s)")
    parser.add_argument("--max-connections", type=int, default=1000, help="(%(default)s)")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    return asyncio.run(serve(build_app(), parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
