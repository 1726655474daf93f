"""What `serve` does for final, and not for the steps: the demos, and a word on board and data.

The server alone decides what its settings mean. They are looked up here only to tell a person where
the board and the tasks are, in the server's own order: flags, the environment, the file `.env`.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

EXAMPLE_TOKEN = "secret-admin-123"
IN_MEMORY = ":memory:"
EVERYWHERE = ("0.0.0.0", "::")  # no address that a browser can be sent to
ONLY_TOLD = {"--help", "-h", "--version"}  # with these no server starts


def with_demos(given: Sequence[str]) -> list[str]:
    """The arguments of the server. The user's own stand last, where they win: `--demos no`."""
    return ["--demos", *given]


def notes(given: Sequence[str], environment: Mapping[str, str], folder: Path) -> list[str]:
    """Where the board and the tasks are of a server with these arguments, started in `folder`."""
    if ONLY_TOLD & set(given):
        return []
    file = _text(folder / ".env")

    def setting(name: str, default: str = "") -> str:
        variable = "TASKFLOW_" + name.upper().replace("-", "_")
        found = _flag(given, f"--{name}"), environment.get(variable), _line(file, variable)
        return next(filter(None, found), default)

    has_token = bool(setting("admin-token"))
    ending = "/" if has_token else f"/#token={EXAMPLE_TOKEN}"
    if (port := setting("port", "3000")) == "0":
        board = f"the board: the address below, with {ending} behind it"
    else:
        host = setting("host", "127.0.0.1").partition(",")[0].strip()
        host = "localhost" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
        board = f"the board: http{'s' if setting('tls-cert') else ''}://{host}:{port}{ending}"
    if has_token:
        board += " (it asks for your token)"
    if (data := setting("data", "taskflow.db")) == IN_MEMORY:
        return [board, "the tasks: in memory only"]
    return [board, f"the tasks: {folder / data} (--data {IN_MEMORY} keeps none)"]


def _flag(given: Sequence[str], flag: str) -> str:
    """The value of a flag, the last one if it comes twice."""
    found = ""
    for word, following in zip(given, [*given[1:], ""], strict=False):
        if word == flag:
            found = following
        elif word.startswith(f"{flag}="):
            found = word.partition("=")[2]
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""  # the server says what is wrong with it


def _line(text: str, variable: str) -> str:
    """The value of a setting in a file of lines NAME=value, the last one if it comes twice."""
    line = re.compile(rf"\s*(?:export\s+)?{variable}\s*=\s*(.*?)(?:\s+#.*)?\s*")
    found = [match[1] for match in map(line.fullmatch, text.splitlines()) if match]
    return found[-1].strip("'\"") if found else ""
