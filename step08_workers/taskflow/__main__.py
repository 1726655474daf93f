"""The command line: `python -m taskflow --port 3000`."""

import argparse
import asyncio
import errno
import os
import signal
import sys
from dataclasses import fields
from pathlib import Path

from taskflow.app import build_app
from taskflow.config import ConfigError, Tokens, check_host, limit, load_tokens
from taskflow.deadlines import Timeouts
from taskflow.http import Handler
from taskflow.logs import LogWriter, set_up_logging, standard_error
from taskflow.server import Server

# The defaults, in seconds, by name.
TIMEOUTS = {field.name: field.default for field in fields(Timeouts)}


async def serve(app: Handler, options: argparse.Namespace) -> int:
    """Serve until a signal arrives, and return the exit status."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
    timeouts = Timeouts(**{name: getattr(options, f"{name}_timeout") for name in TIMEOUTS})
    server = Server(app, options.max_connections, timeouts)
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


async def run(tokens: Tokens, log: LogWriter, options: argparse.Namespace) -> int:
    """Serve while the services of the application run, and return the exit status."""
    async with build_app(tokens, log) as app:
        return await serve(app, options)


def main() -> int:
    """Read the command line, run the server, and return the exit status."""
    parser = argparse.ArgumentParser(prog="taskflow", description="A task queue server.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=3000, help="0 picks a free one (%(default)s)")
    parser.add_argument("--max-connections", type=limit, default=1000, help="(%(default)s)")
    for name, seconds in TIMEOUTS.items():
        help_text = "seconds (%(default)s)"
        parser.add_argument(f"--{name}-timeout", type=limit, default=seconds, help=help_text)
    options = parser.parse_args()
    log = LogWriter(standard_error())
    set_up_logging(log)
    try:
        tokens = load_tokens(os.environ, Path(".env"))
        check_host(options.host, tokens)
    except ConfigError as error:
        # A warning may wait for the thread, which will not run.
        log.write_all()
        print(f"taskflow: {error}", file=sys.stderr)
        return 2
    with log.running():
        return asyncio.run(run(tokens, log, options))


if __name__ == "__main__":
    sys.exit(main())
