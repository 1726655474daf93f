"""The command line: `python -m taskflow --port 3000`."""

import argparse
import asyncio
import os
import signal
import sys
from dataclasses import fields
from pathlib import Path

from taskflow.app import build_app
from taskflow.config import ConfigError, Tokens, check_host, load_tokens
from taskflow.deadlines import Timeouts
from taskflow.http import Handler
from taskflow.hub import PING_SECONDS
from taskflow.logs import set_up_logging
from taskflow.server import Server

TIMEOUTS = {field.name: field.default for field in fields(Timeouts)}  # seconds


async def serve(app: Handler, options: argparse.Namespace) -> int:
    """Serve until a signal says stop; return the exit status."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
    timeouts = Timeouts(**{name: getattr(options, f"{name}_timeout") for name in TIMEOUTS})
    server = Server(app, options.max_connections, timeouts)
    try:
        port = await server.start(options.host, options.port)
    except (OSError, OverflowError) as error:
        print(f"taskflow: cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 2
    host = f"[{options.host}]" if ":" in options.host else options.host
    print(f"Taskflow listening on http://{host}:{port}", flush=True)
    await stopped.wait()
    server.stop()
    return 0


async def run(tokens: Tokens, options: argparse.Namespace) -> int:
    """Serve for as long as the services of the application run; return the exit status."""
    async with build_app(tokens, options.ping_interval) as app:
        return await serve(app, options)


def main() -> int:
    """Read the command line and run the server; return the exit status."""
    parser = argparse.ArgumentParser(prog="taskflow", description="A task queue server.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=3000, help="0 picks a free one (%(default)s)")
    parser.add_argument("--max-connections", type=int, default=1000, help="(%(default)s)")
    for name, seconds in TIMEOUTS.items():
        flag = f"--{name}-timeout"
        parser.add_argument(flag, type=float, default=seconds, help="seconds (%(default)s)")
    parser.add_argument("--ping-interval", type=float, default=PING_SECONDS, help="(%(default)s)")
    set_up_logging()
    options = parser.parse_args()
    try:
        tokens = load_tokens(os.environ, Path(".env"))
        check_host(options.host, tokens)
    except ConfigError as error:
        print(f"taskflow: {error}", file=sys.stderr)
        return 2
    return asyncio.run(run(tokens, options))


if __name__ == "__main__":
    sys.exit(main())
