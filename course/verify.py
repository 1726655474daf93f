"""`verify`: holds anybody's server, in any language, against the contract.

The suite (`course/contract/`) speaks only TCP, so all it needs is an address.
What can be wrong with the address is said before pytest starts.
"""

import argparse
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from course import processes
from course.environments import tools_python
from course.errors import CourseError
from course.snapshots import parse


def verify(root: Path, options: argparse.Namespace) -> int:
    """Run the contract of `options.step` against `options.url`; returns pytest's status."""
    lesson = parse(options.step)
    host, port = address(options.url)
    demand_answer(host, port, options.url)
    command: list[str | Path] = [
        tools_python(root),
        "-m",
        "pytest",
        "course/contract",
        "-p",
        "no:cacheprovider",
    ]
    command += ["--step", lesson.word, "--url", options.url.rstrip("/")]
    if options.admin_token:
        command += ["--admin-token", options.admin_token]
    if options.user_token:
        command += ["--user-token", options.user_token]
    if options.slow:
        command += ["--slow"]
    return processes.run(command, root, {"PYTHONDONTWRITEBYTECODE": "1"})


def address(url: str) -> tuple[str, int]:
    """Host and port of `http://host:port`, the only form that the suite can dial."""
    with suppress(ValueError):  # of a port that is no number
        parts = urlsplit(url)
        if parts.hostname and parts.port and url.rstrip("/") == f"http://{parts.netloc}":
            return parts.hostname, parts.port
    raise CourseError(f"--url must look like http://host:port, not {url!r}")


def demand_answer(host: str, port: int, url: str) -> None:
    """Somebody must listen there: one clear line instead of a hundred failed tests."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise CourseError(f"nobody answers at {url}: {reason.lower()}") from error
