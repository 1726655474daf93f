"""Step 5: tokens from the environment and from `.env`. Starts servers of its own."""

from __future__ import annotations

import subprocess

import pytest

from .api import Api
from .changes import OWN_TOKENS, before
from .conftest import Attempt, Launch

ADMIN, USER = "an-admin-of-our-own", "a-user-of-our-own-1"
OWN = {"TASKFLOW_ADMIN_TOKEN": ADMIN, "TASKFLOW_USER_TOKEN": USER}
EXAMPLES = {
    "TASKFLOW_ADMIN_TOKEN": "secret-admin-123",
    "TASKFLOW_USER_TOKEN": "secret-user-123",
}


def role(api: Api, token: str) -> str:
    """What a token proves, seen from outside. Changes nothing."""
    asker = api.with_token(token)
    seen = asker.ask("GET", "/nowhere").status, asker.ask("POST", "/nowhere").status
    return {(404, 404): "admin", (404, 403): "user", (401, 401): "nobody"}[seen]


def complaint(ended: subprocess.CompletedProcess[str]) -> str:
    """The one line with which a server does not start, and exits with 2."""
    __tracebackhide__ = True
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, f"expected one clear line, received\n{ended.stderr}"
    return lines[0]


# Where tokens come from


def test_tokens_come_from_the_environment(launch: Launch) -> None:
    """And then nobody needs to know the examples."""
    api, _ = launch(settings=OWN)
    assert role(api, ADMIN) == "admin"
    assert role(api, USER) == "user"
    for example in EXAMPLES.values():
        assert role(api, example) == "nobody"


def test_tokens_come_from_a_file_of_which_the_environment_wins(launch: Launch) -> None:
    dotenv = (
        "# who may do what\n\n"
        "TASKFLOW_ADMIN_TOKEN=not-this-one-but-the-other\n"
        f"  export TASKFLOW_USER_TOKEN = '{USER}'  # quoted\n"
    )
    api, _ = launch(settings={"TASKFLOW_ADMIN_TOKEN": ADMIN}, dotenv=dotenv)
    assert role(api, ADMIN) == "admin"
    assert role(api, "not-this-one-but-the-other") == "nobody"
    assert role(api, USER) == "user"


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "byte order mark"])
def test_lines_of_other_programs_are_passed_over(launch: Launch, mark: str) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIB+/Q==\n-----END PRIVATE KEY-----\n"
    lines = f"TASKFLOW_ADMIN_TOKEN={ADMIN}\nspring.name=x\n{key}word\nTASKFLOW_USER_TOKEN={USER}\n"
    api, _ = launch(settings={}, dotenv=mark + lines)
    assert role(api, ADMIN) == "admin"
    assert role(api, USER) == "user"


@before(OWN_TOKENS)
def test_without_any_the_examples_are_used_with_a_warning(launch: Launch) -> None:
    api, process = launch(settings={})
    assert role(api, EXAMPLES["TASKFLOW_ADMIN_TOKEN"]) == "admin"
    assert role(api, EXAMPLES["TASKFLOW_USER_TOKEN"]) == "user"
    assert "token" in process.log, "expected a warning on stderr"


# What does not start


@pytest.mark.parametrize(
    ("number", "dotenv"),
    [
        (3, "# fine\nA=b\nTASKFLOW_ADMIN_TOKEN\n"),
        (1, "export TASKFLOW_ADMIN TOKEN=x"),
        (2, "not ours\nTASKFLOW_ADMIN_TOKEN='a\n"),
    ],
)
def test_a_broken_line_is_named_by_its_number(attempt: Attempt, number: int, dotenv: str) -> None:
    line = complaint(attempt(settings=OWN, dotenv=dotenv))
    assert ".env" in line
    assert f"line {number} " in line


@pytest.mark.parametrize("name", ["TASKFLOW_ADMIN_TOKEN", "TASKFLOW_USER_TOKEN"])
def test_one_token_alone_is_not_enough(attempt: Attempt, name: str) -> None:
    line = complaint(attempt(settings={name: ADMIN}))
    assert "TASKFLOW_ADMIN_TOKEN" in line
    assert "TASKFLOW_USER_TOKEN" in line


def test_two_equal_tokens_would_make_every_user_an_admin(attempt: Attempt) -> None:
    assert "TASKFLOW_" in complaint(attempt(settings=dict.fromkeys(OWN, ADMIN)))


@pytest.mark.parametrize(
    "settings",
    [EXAMPLES, OWN | {"TASKFLOW_USER_TOKEN": EXAMPLES["TASKFLOW_USER_TOKEN"]}],
    ids=["both", "one"],
)
def test_tokens_that_everybody_knows_are_refused_beyond_loopback(
    attempt: Attempt, settings: dict[str, str]
) -> None:
    line = complaint(attempt("--host", "0.0.0.0", settings=settings))
    assert "0.0.0.0" in line
    assert "token" in line


@before(OWN_TOKENS)
def test_the_examples_are_refused_there_too_when_nothing_is_set(attempt: Attempt) -> None:
    ended = attempt("--host", "0.0.0.0", settings={})
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "0.0.0.0" in ended.stderr.splitlines()[-1]


def test_tokens_of_ones_own_are_good_for_any_host(launch: Launch) -> None:
    api, _ = launch("--host", "0.0.0.0", settings=OWN)
    assert role(api, ADMIN) == "admin"
