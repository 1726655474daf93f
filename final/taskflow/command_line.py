"""Where settings are read from, and in which order.

    defaults  <  .env  <  environment, TASKFLOW_*  <  command line

All of it comes as text and goes through the same checks, so that a bad value is refused in the
same words wherever it stands.
"""

import argparse
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import Field, fields
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from taskflow.config import (
    HOW_TO_SET_TOKENS,
    VERSION,
    ConfigError,
    Settings,
    addresses,
    check_together,
    file_name,
    host_names,
    read_env,
    seconds,
    switch,
    with_example_tokens,
)

PREFIX = "TASKFLOW_"
BY_VARIABLE = {PREFIX + one.name.upper(): one for one in fields(Settings)}
BY_FLAG = {"--" + one.name.replace("_", "-"): one for one in fields(Settings)}
SECRETS = {flag for flag, one in BY_FLAG.items() if not one.repr}
# What Kubernetes puts into TASKFLOW_PORT, in the containers beside a Service called taskflow.
SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://.*", re.DOTALL)
# What the help shows for a value, unless it is the setting's own name.
VALUES = {
    addresses: "HOST",
    file_name: "FILE",
    host_names: "NAMES",
    seconds: "SECONDS",
    switch: "yes|no",
}


def load_settings(arguments: Sequence[str], environment: Mapping[str, str], file: Path) -> Settings:
    """Return the settings of the command line, the environment, and the file, in this order.

    An empty text in the environment or the file is as good as none. Raises ConfigError.
    """
    in_file = read_env(file)
    found: dict[str, tuple[str, str]] = {}  # of a setting: where it stands, and the text there
    for values, place in (in_file, f" in {file}"), (environment, ""):
        for variable, one in BY_VARIABLE.items():
            text = values.get(variable)
            if variable == "TASKFLOW_PORT" and SERVICE_ADDRESS.fullmatch(text or ""):
                problem = "%s is passed over: %s is the address of a Kubernetes Service"
                logging.getLogger(__name__).warning(problem, variable + place, text)
            elif text:
                found[one.name] = (variable + place, text)
    for flag, text in flags_of(arguments).items():
        found[BY_FLAG[flag].name] = (flag, text)
    checked = {
        one.name: _checked(one, *found[one.name]) for one in fields(Settings) if one.name in found
    }
    settings = with_example_tokens(Settings(**checked))
    check_together(settings)
    # Not in the environment: container systems put names of their own there.
    for name in sorted(in_file.keys() - BY_VARIABLE.keys()):
        if name.startswith(PREFIX):
            what = name, file, _meant(name, BY_VARIABLE, PREFIX)
            logging.getLogger(__name__).warning("%s in %s is no setting%s", *what)
    return settings


def _checked(one: "Field[Any]", place: str, text: str) -> Any:
    try:
        return one.metadata["check"](text)
    except ValueError as error:
        shown = repr(text[:100]) if one.repr else "its value"  # no secret in a message
        raise ConfigError(f"{place}: {shown} is not {error}") from None


def _meant(unknown: str, known: Iterable[str], prefix: str) -> str:
    names = [name.removeprefix(prefix) for name in known]  # else the prefix makes all alike
    close = get_close_matches(unknown.removeprefix(prefix), names, n=1)
    return f" (is {prefix}{close[0]} meant?)" if close else ""


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong with the command line."""
        raise ConfigError(f"{message.removeprefix('argument ')} (--help explains)")


def flags_of(arguments: Sequence[str]) -> dict[str, str]:
    """Return the flags that are given, with their texts. Raises ConfigError."""
    given, unknown = _parser().parse_known_args(arguments)
    if unknown:
        flag = unknown[0].partition("=")[0]  # what is behind it may be a secret
        if flag in SECRETS:
            raise ConfigError(f"{flag} would be seen by others here: {HOW_TO_SET_TOKENS}")
        if not flag.startswith("-"):
            raise ConfigError("here are flags only, such as --port 3000 (--help explains)")
        meant = _meant(flag, BY_FLAG.keys() - SECRETS, "--")
        raise ConfigError(f"there is no flag {flag[:50]!r}{meant} (--help explains)")
    # A flag that may be given twice is as good as a list that is separated by commas.
    return {
        flag: ",".join(text) if isinstance(text, list) else text
        for flag, text in vars(given).items()
    }


def _parser() -> Parser:
    parser = Parser(
        prog="taskflow",
        usage="taskflow [FLAG VALUE ...]",
        description="A real-time task queue server. What can be set is a flag here; in brackets "
        "stand its name in the environment and in the file .env, and its default. Flags win over "
        "the environment, and the environment over the file.",
        epilog="A signal (Ctrl-C, SIGTERM, SIGHUP) stops the server when the requests that it "
        "serves are done; a second one ends it at once. Neither loses what was acknowledged.",
        formatter_class=partial(argparse.HelpFormatter, max_help_position=30),
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--version", action="version", version=f"taskflow {VERSION}")
    secrets = []
    for (flag, one), variable in zip(BY_FLAG.items(), BY_VARIABLE, strict=True):
        explained, check = one.metadata["help"], one.metadata["check"]
        if flag in SECRETS:
            secrets.append(f"{variable} is the {explained}")
            continue
        default = f", {one.default:g}" if check is seconds else f", {one.default}"
        if isinstance(one.default, tuple):
            default = f", {','.join(one.default)}"
        parser.add_argument(
            flag,
            dest=flag,
            action="append" if check is addresses else "store",
            metavar=VALUES.get(check, one.name.removeprefix("max_").upper()),
            help=explained + f" [{variable}{default if one.default else ''}]",
            nargs="?" if check is switch else None,  # a switch may stand alone
            const="true" if check is switch else None,
        )
    rules = (
        "Each has 16 to 128 letters, digits and . _ ~ -; --demos has examples. Two secrets with a "
        "comma between them are both good, so that clients can change from one to the other."
    )
    parser.add_argument_group("secrets, not as flags", ". ".join([*secrets, rules]))
    return parser
