"""Final: settings that are refused, and what is there only with `--demos`."""

from __future__ import annotations

import subprocess

import pytest

from .conftest import Attempt, Launch

OWN = {
    "TASKFLOW_ADMIN_TOKEN": "an-admin-of-our-own",
    "TASKFLOW_USER_TOKEN": "a-user-of-our-own-1",
}
EXAMPLES = {
    "TASKFLOW_ADMIN_TOKEN": "secret-admin-123",
    "TASKFLOW_USER_TOKEN": "secret-user-123",
}


def complaint(ended: subprocess.CompletedProcess[str]) -> str:
    """The one line with which a server does not start, and exits with 2."""
    __tracebackhide__ = True
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, f"expected one clear line, received\n{ended.stderr}"
    return lines[0]


# Tokens


@pytest.mark.parametrize("settings", [{}, dict.fromkeys(OWN, "")], ids=["unset", "empty"])
def test_without_tokens_it_does_not_start_and_says_how(
    attempt: Attempt, settings: dict[str, str]
) -> None:
    line = complaint(attempt(settings=settings))
    for name in OWN:
        assert name in line
    assert "--demos" in line


@pytest.mark.parametrize("token", ["x" * 15, "x" * 129, "sixteen letters!", "sixteen\u00e4letters"])
@pytest.mark.parametrize("name", list(OWN))
def test_a_token_that_is_too_weak_or_not_plain_is_refused_and_not_shown(
    attempt: Attempt, name: str, token: str
) -> None:
    line = complaint(attempt(settings=OWN | {name: token}))
    assert name in line
    assert "16 to 128" in line
    assert token not in line


def test_of_two_tokens_for_a_role_both_are_good(launch: Launch) -> None:
    """So that clients can change from the old one to the new one while the server runs."""
    settings = {name: f"new-{token},{token}" for name, token in OWN.items()}
    api, _ = launch(settings=settings)
    for prefix in "new-", "":
        admin = api.with_token(prefix + OWN["TASKFLOW_ADMIN_TOKEN"])
        user = api.with_token(prefix + OWN["TASKFLOW_USER_TOKEN"])
        admin.ask("POST", "/tasks", value={"title": "a"}).expect(201)
        user.ask("GET", "/tasks").expect(200)
        user.ask("POST", "/tasks", value={"title": "a"}).expect(403)
    for text in settings.values():
        api.with_token(text).ask("GET", "/tasks").expect(401)


@pytest.mark.parametrize(
    "admin",
    [
        "one-token-of-them,the-second-of-them,the-third-of-them",
        "one-token-of-them,one-token-of-them",
        f"one-token-of-them,{OWN['TASKFLOW_USER_TOKEN']}",
        "one-token-of-them,",
    ],
    ids=["three", "twice the same", "that of the user", "and none"],
)
def test_at_most_two_tokens_that_differ_are_good(attempt: Attempt, admin: str) -> None:
    line = complaint(attempt(settings=OWN | {"TASKFLOW_ADMIN_TOKEN": admin}))
    assert "TASKFLOW_ADMIN_TOKEN" in line
    assert "one-token-of-them" not in line


@pytest.mark.parametrize("name", list(OWN))
def test_the_example_tokens_need_demos(attempt: Attempt, name: str) -> None:
    line = complaint(attempt(settings=OWN | {name: EXAMPLES[name]}))
    assert "--demos" in line


def test_demos_with_the_example_tokens_are_for_this_machine_only(attempt: Attempt) -> None:
    line = complaint(attempt("--demos", "--host", "0.0.0.0", settings={}))
    assert "0.0.0.0" in line
    assert "token" in line


# Other settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "65536"),
        ("grace", "0"),
        ("head-timeout", "soon"),
        ("max-connections", "0"),
        ("demos", "perhaps"),
        ("host", "a b"),
        ("allowed-hosts", "a:80"),
    ],
)
@pytest.mark.parametrize("place", ["flag", "environment", "file"])
def test_a_bad_value_is_refused_by_name_wherever_it_stands(
    attempt: Attempt, name: str, value: str, place: str
) -> None:
    variable = "TASKFLOW_" + name.upper().replace("-", "_")
    match place:
        case "flag":
            line = complaint(attempt(f"--{name}", value, settings=OWN))
            assert f"--{name}" in line
        case "environment" if name != "port":  # the tests give that as a flag, which wins
            line = complaint(attempt(settings=OWN | {variable: value}))
            assert variable in line
        case "file" if name != "port":
            line = complaint(attempt(settings=OWN, dotenv=f"{variable}='{value}'\n"))
            assert variable in line
            assert ".env" in line
        case _:
            return
    assert repr(value) in line


@pytest.mark.parametrize("flags", [("--prot", "1"), ("--admin-token", "hunter2"), ("serve",)])
def test_an_unknown_flag_is_refused(attempt: Attempt, flags: tuple[str, ...]) -> None:
    assert "hunter2" not in complaint(attempt(*flags, settings=OWN))


def test_a_certificate_needs_its_key_and_both_must_be_there(attempt: Attempt) -> None:
    assert "--tls-key" in complaint(attempt("--tls-cert", "cert.pem", settings=OWN))
    line = complaint(attempt("--tls-cert", "cert.pem", "--tls-key", "key.pem", settings=OWN))
    assert "'cert.pem'" in line


def test_an_address_of_another_machine_is_refused(attempt: Attempt) -> None:
    assert "192.0.2.1" in complaint(attempt("--host", "192.0.2.1", settings=OWN))


def test_the_help_names_every_setting(attempt: Attempt) -> None:
    ended = attempt("--help", settings={})
    assert (ended.returncode, ended.stderr) == (0, "")
    for name in ("HOST", "PORT", "DATA", "DEMOS", "GRACE", "TLS_CERT", "TLS_KEY", *OWN):
        assert f"TASKFLOW_{name.removeprefix('TASKFLOW_')}" in ended.stdout


# Demos

DEMOS = [
    "/demo/error/internal",
    "/demo/error/validation",
    "/demo/stream/csv",
    "/demo/stream/ndjson",
    "/demo/cpu/ping",
    "/demo/cpu/worker/stats",
    "/demo/cpu/worker/jobs/1",
    "/tasks/memory/leak",
    "/tasks/memory/safe",
    "/tasks/memory/clear",
]


def test_without_demos_their_paths_are_not_there(launch: Launch) -> None:
    api, _ = launch("--demos", "no", settings=OWN)
    admin = api.with_token(OWN["TASKFLOW_ADMIN_TOKEN"])
    for path in DEMOS:
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            admin.refused(admin.ask(method, path), "NOT_FOUND")
    # This one looks like the path of a report, whose id nobody has.
    admin.ask("GET", "/tasks/reports/blocking").expect(404)
    for token in EXAMPLES.values():
        api.with_token(token).ask("GET", "/tasks").expect(401)
    admin.ask("GET", "/tasks").expect(200)
