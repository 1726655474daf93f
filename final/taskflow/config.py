"""Settings: their names, defaults, checks and help texts.

A setting is one field of `Settings`. `command_line.py` derives the flag, the name in the
environment and the help from it (The Twelve-Factor App, III).
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

VERSION = "1.0.0"
EXAMPLE_TOKENS = ("secret-admin-123", "secret-user-123")
MAX_SECONDS = 86_400.0
IN_MEMORY = ":memory:"

# NAME=value, NAME='value' or NAME="value", optionally after `export` and before a comment.
LINE = re.compile(
    r"""(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:'([^']*)'|"([^"]*)"|([^\s'"#].*?|))(?:\s+#.*)?""",
    re.ASCII,
)

# The beginning of a line for this program. The other lines are for programs that share the file.
OURS = re.compile(r"(?:export\s+)?TASKFLOW_")

TOKEN = re.compile(r"[A-Za-z0-9._~-]{16,128}")
HOST_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*", re.DOTALL)

HOW_TO_SET_TOKENS = (
    "set TASKFLOW_ADMIN_TOKEN and TASKFLOW_USER_TOKEN, in the environment or in .env, to two "
    "different secrets of 16 to 128 letters, digits and . _ ~ -"
)


class CannotStart(Exception):
    """The server cannot start. The message is one line that says why."""


class ConfigError(CannotStart):
    """A setting is wrong. The message names it and says what is allowed."""


# Checks. Each takes a text, and raises ValueError with a description of what is allowed.


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """Return a check for a whole number in a range."""

    def check(text: str) -> int:
        if not re.fullmatch("[0-9]{1,12}", text) or not lowest <= int(text) <= highest:
            raise ValueError(f"a whole number from {lowest} to {highest}")
        return int(text)

    return check


def seconds(text: str) -> float:
    """Return a duration."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) or not 0 < float(text) <= MAX_SECONDS:
        raise ValueError(f"a number of seconds, over 0 and up to {MAX_SECONDS:.0f}")
    return float(text)


def switch(text: str) -> bool:
    """Return whether a switch is on."""
    if text.lower() in {"true", "yes", "on", "1"}:
        return True
    if text.lower() in {"false", "no", "off", "0"}:
        return False
    raise ValueError("true or false")


def file_name(text: str) -> str:
    """Return the name of a file."""
    if not text or "\0" in text:
        raise ValueError("the name of a file")
    return text


def addresses(text: str) -> tuple[str, ...]:
    """Return the IP addresses and host names in a list that is separated by commas."""
    hosts = tuple(dict.fromkeys(part.strip(" ") for part in text.split(",")))
    if not all(HOST_NAME.fullmatch(host) or is_ip(host) for host in hosts):
        raise ValueError(
            "an IP address or a host name, without brackets or port, or several with commas between"
        )
    return hosts


def host_names(text: str) -> tuple[str, ...]:
    """Return the names in a list that is separated by commas."""
    names = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not all(HOST_NAME.fullmatch(part) for part in names):
        raise ValueError("a list of host names without ports, separated by commas")
    return names


def token(text: str) -> str:
    """Return a secret that needs no quoting in a header (RFC 6750, 2.1), or two with a comma."""
    secrets = [secret.strip(" ") for secret in text.split(",")]
    good = [secret for secret in secrets if TOKEN.fullmatch(secret) or secret in EXAMPLE_TOKENS]
    if good != secrets or len(secrets) > 2:
        raise ValueError("16 to 128 letters, digits and . _ ~ -, or two such secrets with a comma")
    return ",".join(secrets)


def setting(check: Callable[[str], Any], default: Any, explained: str) -> Any:
    """Return the field of a setting, with its check, its default and its help text."""
    metadata = {"check": check, "help": explained}
    return field(default=default, metadata=metadata, repr=check is not token)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Secrets have no flag, because every user of a machine sees command lines."""

    host: tuple[str, ...] = setting(
        addresses,
        ("127.0.0.1",),
        "address to listen on; for two, give the flag twice, or put a comma between them",
    )
    port: int = setting(whole_number(0, 65_535), 3000, "port to listen on; 0 picks a free one")
    allowed_hosts: tuple[str, ...] = setting(
        host_names, (), "names by which browsers reach this server, separated by commas"
    )
    behind_https: bool = setting(
        switch, False, "a proxy in front of this server speaks HTTPS with the browsers"
    )
    data: str = setting(file_name, "taskflow.db", f"file with the tasks; {IN_MEMORY} keeps none")
    demos: bool = setting(switch, False, "example tokens, and endpoints that show something")
    tls_cert: str = setting(file_name, "", "certificate, with its chain (PEM), for HTTPS")
    tls_key: str = setting(file_name, "", "key of the certificate (PEM, without a password)")
    max_connections: int = setting(whole_number(1, 100_000), 1000, "how many clients at once")
    head_timeout: float = setting(seconds, 10.0, "seconds for the head of a request")
    body_timeout: float = setting(seconds, 10.0, "seconds for each KiB of a body")
    idle_timeout: float = setting(seconds, 75.0, "seconds until the next request begins")
    write_timeout: float = setting(seconds, 30.0, "seconds for a client to take some of an answer")
    ping_interval: float = setting(seconds, 30.0, "seconds from one WebSocket ping to the next")
    grace: float = setting(seconds, 10.0, "seconds for requests to finish when the server stops")
    address_file: str = setting(file_name, "", "file that has the URLs while the server is ready")
    admin_token: str = setting(token, "", "secret of those who may change tasks")
    user_token: str = setting(token, "", "secret of those who may only read")

    @property
    def in_memory(self) -> bool:
        """Whether the tasks are kept in memory only."""
        return self.data == IN_MEMORY

    @property
    def scheme(self) -> str:
        """The scheme of the server's address in a browser."""
        return "https" if self.tls_cert or self.behind_https else "http"


# The file `.env`: one setting per line.


def read_env(file: Path) -> dict[str, str]:
    """Return the settings in a `.env` file, if there is one. Raises ConfigError."""
    try:
        if not file.exists():
            return {}
        # Some editors put a byte order mark first, which utf-8-sig skips. Bytes that are not UTF-8
        # may be in lines of other programs, so they are no reason to refuse the file.
        return parse_env(file.read_text(encoding="utf-8-sig", errors="surrogateescape"))
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None


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


# Checks of several settings together.


@dataclass(frozen=True, slots=True)
class Tokens:
    """The secret that proves each role, or two that both do, with a comma between them.

    A traceback or a log never shows them.
    """

    admin: str = field(repr=False)
    user: str = field(repr=False)


def with_example_tokens(settings: Settings) -> Settings:
    """Return the settings, with the example tokens if there are demos and no other tokens."""
    if settings.demos and not settings.admin_token and not settings.user_token:
        settings = replace(settings, admin_token=EXAMPLE_TOKENS[0], user_token=EXAMPLE_TOKENS[1])
    return settings


def check_together(settings: Settings) -> None:
    """Raise ConfigError for settings that are right alone but wrong together."""
    tokens = (settings.admin_token, settings.user_token)
    if not any(tokens):
        raise ConfigError(f"there are no tokens: {HOW_TO_SET_TOKENS}; or look around with --demos")
    if not all(tokens):
        raise ConfigError(f"there is only one token: {HOW_TO_SET_TOKENS}")
    secrets = ",".join(tokens).split(",")
    if len(set(secrets)) < len(secrets):
        raise ConfigError(f"two tokens are the same: {HOW_TO_SET_TOKENS}")
    if set(secrets).intersection(EXAMPLE_TOKENS):
        for host in settings.host:
            if not is_loopback(host):
                raise ConfigError(f"the example tokens are refused on {host}: {HOW_TO_SET_TOKENS}")
        if not settings.demos:
            raise ConfigError(f"the example tokens are for --demos only: {HOW_TO_SET_TOKENS}")
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise ConfigError("--tls-cert and --tls-key need each other: set both, or none of them")


def is_ip(text: str) -> bool:
    """Return whether this is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach the address."""
    return ipaddress.ip_address(host).is_loopback if is_ip(host) else host.lower() == "localhost"
