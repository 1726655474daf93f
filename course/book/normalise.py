"""Makes real output the same in every run: ids, times, ports, paths.

What changes from run to run is replaced by something that has the same shape, so that the reader
sees an answer as it looks and the check can compare it byte for byte. The placeholder of an id
can be used in a later command: `Normaliser.real` puts the real one back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

INSTANT = "2026-01-01T12:00:00.000Z"
HTTP_DATE = "Thu, 01 Jan 2026 12:00:00 GMT"
UPTIME = "1.5"
READER_PORT = 3000

_PLACEHOLDER = "00000000-0000-4000-8000-"
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?:([.,])(\d+))?")
_HTTP_DATE = re.compile(r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
_UPTIME = re.compile(r'("uptimeSeconds": ?)([\d.e+-]+)')
_LENGTH = re.compile(r"(?i)(content-length: )(\d+)")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{8,16}\b")
_CURL = re.compile(r"\bcurl/\d+[\d.]*")
_DURATION = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e-?\d+)?( ?)(ns|µs|us|ms|s|seconds)\b")

# A port stands behind a host, in an address or behind the word; any other 3000 is a number.
_BEFORE_PORT = r"(?:(?:localhost|127\.0\.0\.1)(?::|/| |[\"'], ?)|\bport(?: |=)|:)"


class Normaliser:
    """Remembers the ids that a guide has shown, in the order in which they came up."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = sorted(places.items(), key=lambda place: -len(place[0]))
        self._shown: dict[str, str] = {}

    def shown(self, text: str, port: int | None = None, *, durations: bool = False) -> str:
        """Output as the guide shows it."""
        for place, name in self._places:
            text = text.replace(place, name)
        if port is not None:
            text = exchange_port(text, port, READER_PORT)
        text = _UUID.sub(self._placeholder, text.replace("\r\n", "\n"))
        text = _HTTP_DATE.sub(HTTP_DATE, _TIME.sub(_fixed_time, text))
        text = _ADDRESS.sub("0x7f0000000000", _CURL.sub("curl/8", _fixed_uptime(text)))
        if durations:
            text = _DURATION.sub(_some_duration, text)
        return "\n".join(line.rstrip() for line in text.splitlines())

    def real(self, command: str, port: int | None = None) -> str:
        """A command as it is run: with the real port, and the real id for each placeholder."""
        for uuid, placeholder in self._shown.items():
            command = command.replace(placeholder, uuid)
        return command if port is None else exchange_port(command, READER_PORT, port)

    def _placeholder(self, found: re.Match[str]) -> str:
        uuid = found[0]
        if uuid.startswith(_PLACEHOLDER):
            return uuid
        return self._shown.setdefault(uuid, f"{_PLACEHOLDER}{len(self._shown) + 1:012}")


def exchange_port(text: str, old: int, new: int) -> str:
    """Replace a port number where it is one, never a number that happens to be equal."""
    return re.sub(rf"({_BEFORE_PORT}){old}\b", rf"\g<1>{new}", text)


def names_port(text: str, port: int = READER_PORT) -> bool:
    """Whether a command talks to a port."""
    return re.search(rf"{_BEFORE_PORT}{port}\b", text) is not None


def _fixed_time(found: re.Match[str]) -> str:
    """The fixed instant, written as the time that was found."""
    between, point, fraction = found.groups()
    return f"2026-01-01{between}12:00:00" + (point + "0" * len(fraction) if point else "")


def _some_duration(found: re.Match[str]) -> str:
    """A duration without its number. All units below a second become one: fast runs cross them."""
    return f"…{found[1]}{'s' if found[2] in ('s', 'seconds') else 'ms'}"


def _fixed_uptime(text: str) -> str:
    """Fix the uptime, and the length of the body that its digits change."""
    for found in reversed(list(_UPTIME.finditer(text))):
        head, tail = text[: found.start()], text[found.end() :]
        if lengths := list(_LENGTH.finditer(head)):
            at = lengths[-1]
            length = int(at[2]) + len(UPTIME) - len(found[2])
            head = f"{head[: at.start()]}{at[1]}{length}{head[at.end() :]}"
        text = f"{head}{found[1]}{UPTIME}{tail}"
    return text
