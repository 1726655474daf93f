"""The program: `taskflow`, or `python -m taskflow --port 3000`."""

import asyncio
import errno
import os
import sys
from functools import partial
from pathlib import Path

from taskflow.app import build_app
from taskflow.command_line import load_settings
from taskflow.config import ConfigError, Settings
from taskflow.deadlines import Timeouts
from taskflow.listener import Server
from taskflow.logs import set_up_logging
from taskflow.system import (
    allow_files,
    calm_collector,
    new_event_loop,
    open_standard_streams,
    say,
    stop_signal,
)
from taskflow.tls import tls_context

WHY_NOT = {
    errno.EADDRINUSE: "the port is in use; --port 0 picks a free one",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "a port under 1024 needs more rights",
}


async def serve(settings: Settings) -> int:
    """Serve until a signal says stop; return the exit status. Raises ConfigError."""
    stopped = stop_signal()
    tls = tls_context(settings.tls_cert, settings.tls_key) if settings.tls_cert else None
    timeouts = Timeouts(
        idle=settings.idle_timeout,
        head=settings.head_timeout,
        body=settings.body_timeout,
        write=settings.write_timeout,
    )
    allow_files(settings.max_connections)
    async with build_app(settings) as application:
        calm_collector()
        server = Server(application.handler, settings.max_connections, timeouts)
        application.metrics.connections = server.connections
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        try:
            port = await server.start(settings.host, settings.port, tls)
        except OSError as error:
            why = WHY_NOT.get(error.errno or 0, error.strerror)
            raise ConfigError(f"cannot listen on {host}:{settings.port}: {why}") from None
        scheme = "http" if tls is None else "https"
        say(f"Taskflow listening on {scheme}://{host}:{port}", sys.stdout.fileno())
        await stopped.wait()
        application.say_goodbye()
        await server.stop(settings.grace)
    return 0


def main() -> int:
    """Read the settings and run the server; return the exit status."""
    open_standard_streams()
    set_up_logging()
    try:
        settings = load_settings(sys.argv[1:], os.environ, Path(".env"))
        event_loop = partial(new_event_loop, tls=bool(settings.tls_cert))
        with asyncio.Runner(loop_factory=event_loop) as runner:
            return runner.run(serve(settings))
    except ConfigError as error:
        say(f"taskflow: {error}", sys.stderr.fileno())
        return 2


if __name__ == "__main__":
    sys.exit(main())
