"""The program: `taskflow`, or `python -m taskflow --port 3000`."""

import asyncio
import errno
import os
import ssl
import sys
from functools import partial
from pathlib import Path

from taskflow.app import build_app
from taskflow.command_line import load_settings
from taskflow.config import CannotStart, Settings
from taskflow.deadlines import Timeouts
from taskflow.health import address_file
from taskflow.logs import LogWriter, set_up_logging, standard_error
from taskflow.process import (
    allow_files,
    calm_collector,
    new_event_loop,
    open_standard_streams,
    stop_signal,
    write_line,
)
from taskflow.server import Server
from taskflow.tls import tls_context

REASONS = {
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "a port below 1024 needs more rights",
}


async def serve(settings: Settings, log: LogWriter) -> int:
    """Serve until a signal arrives, and return the exit status. Raises CannotStart."""
    stopped = stop_signal()
    tls = tls_context(settings.tls_cert, settings.tls_key) if settings.tls_cert else None
    timeouts = Timeouts(
        idle=settings.idle_timeout,
        head=settings.head_timeout,
        body=settings.body_timeout,
        write=settings.write_timeout,
    )
    allow_files(settings.max_connections)
    async with build_app(settings, log) as application:
        calm_collector()
        server = Server(application.handler, settings.max_connections, timeouts)
        application.metrics.connections = server.connections
        urls = await listen(server, settings, tls)
        await server.serve()
        with address_file(settings.address_file, urls):
            write_line(f"Taskflow listening on {' and '.join(urls)}", sys.stdout.fileno())
            await stopped.wait()
        application.readiness.stop()
        application.hub.close()
        await server.stop(settings.grace)
    return 0


async def listen(server: Server, settings: Settings, tls: ssl.SSLContext | None) -> list[str]:
    """Listen on every address, all with the same port, and return the URLs. Raises CannotStart."""
    scheme = "http" if tls is None else "https"
    port = settings.port
    urls = []
    for address in settings.host:
        host = f"[{address}]" if ":" in address else address
        try:
            port = await server.bind(address, port, tls)
        except OSError as error:
            server.close()
            raise CannotStart(why_not_listening(error, host, port)) from None
        urls.append(f"{scheme}://{host}:{port}")
    return urls


def why_not_listening(error: OSError, host: str, port: int) -> str:
    """Return one line that says why the server cannot listen."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; try --port 0"
    return f"cannot listen on {host}:{port}: {REASONS.get(error.errno or 0, error.strerror)}"


def run(settings: Settings, log: LogWriter) -> int:
    """Run the server in its event loop, and return the exit status. Raises CannotStart."""
    event_loop = partial(new_event_loop, tls=bool(settings.tls_cert))
    with asyncio.Runner(loop_factory=event_loop) as runner:
        return runner.run(serve(settings, log))


def main() -> int:
    """Read the settings, run the server, and return the exit status."""
    open_standard_streams()
    log = LogWriter(standard_error())
    set_up_logging(log)
    try:
        # The line that says why the server does not start comes after the warnings.
        with log.running():
            settings = load_settings(sys.argv[1:], os.environ, Path(".env"))
            return run(settings, log)
    except CannotStart as error:
        write_line(f"taskflow: {error}", sys.stderr.fileno())
        return 2


if __name__ == "__main__":
    sys.exit(main())
