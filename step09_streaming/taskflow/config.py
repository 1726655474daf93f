"""Settings from outside the program: the environment, and a `.env` file in the working directory.

The environment overrides the file. The file holds what is usual on this machine, and a single
start of the program can differ from it (The Twelve-Factor App, III).
"""

import argparse
import ipaddress
import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

EXAMPLE_TOKENS = ("secret-admin-123", "secret-user-123")

# NAME=value, NAME='value' or NAME="value", optionally after `export` and before a comment.
LINE = re.compile(
    r"""(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^\s'"#].*?|))(?:\s+#.*)?""",
    re.ASCII,
)

# The beginning of a line for this program. The other lines are for programs that share the file.
OURS = re.compile(r"(?:export\s+)?TASKFLOW_")


class ConfigError(Exception):
    """A setting is wrong. The message names it and says what is allowed."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The secret that proves each role. A traceback or a log never shows them."""

    admin: str = field(repr=False)
    user: str = field(repr=False)


def parse_env(text: str) -> dict[str, str]:
    """Return the settings in the text of a `.env` file. O(len(text)).

    Raises ConfigError, with the line number, for a line of ours that is not NAME=value. Other lines
    are passed over, because their programs may read them differently.
    """
    values = {}
    for number, line in enumerate(text.split("\n"), start=1):
        match = LINE.fullmatch(line.strip())
        if match is not None:
            values[match[1]] = match[2] or match[3] or match[4] or ""
        elif OURS.match(line.strip()):
            raise ConfigError(f"line {number} of .env is not NAME=value")
    return values


def load_tokens(environment: Mapping[str, str], file: Path) -> Tokens:
    """Return the tokens from the environment, else from the file, else the examples.

    Raises ConfigError if the file cannot be read, or if the tokens cannot be told apart or sent.
    """
    values: dict[str, str] = {}
    try:
        if file.exists():
            # Some editors put a byte order mark first, which utf-8-sig skips. Bytes that are not
            # UTF-8 may be in lines of other programs, so they are no reason to refuse the file.
            values = parse_env(file.read_text(encoding="utf-8-sig", errors="surrogateescape"))
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error}") from None
    values.update(environment)
    admin = values.get("TASKFLOW_ADMIN_TOKEN", "")
    user = values.get("TASKFLOW_USER_TOKEN", "")
    if not admin and not user:
        logging.getLogger(__name__).warning("no tokens are set: using %s and %s", *EXAMPLE_TOKENS)
        return Tokens(*EXAMPLE_TOKENS)
    if not admin or not user or admin == user:
        raise ConfigError("set TASKFLOW_ADMIN_TOKEN and TASKFLOW_USER_TOKEN, to different values")
    if not (admin + user).isascii():
        raise ConfigError("TASKFLOW_ADMIN_TOKEN and TASKFLOW_USER_TOKEN must be ASCII")
    return Tokens(admin, user)


def limit(text: str) -> float:
    """Return the number, over 0, in an option of the command line. Raises ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    # Written in this way, the condition refuses NaN too.
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number over 0")
    return number


def check_host(host: str, tokens: Tokens) -> None:
    """Raise ConfigError if other machines could use an example token, which is public."""
    if {tokens.admin, tokens.user}.intersection(EXAMPLE_TOKENS) and not is_loopback(host):
        raise ConfigError(f"the example tokens are refused on {host}: set tokens of your own")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
