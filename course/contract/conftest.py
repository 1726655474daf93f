"""Options, the server under test, and the tests that its step is asked to pass."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .answer import ContractError
from .api import Api
from .changes import DEMOS, FINAL, GRACE, TOKENS, Expectations
from .process import ServerProcess, environment, run

Launch = Callable[..., tuple[Api, ServerProcess]]
"""Starts a server of one's own with flags; stopped when the test is over."""

Attempt = Callable[..., "subprocess.CompletedProcess[str]"]
"""Runs a server that is to refuse its settings."""

OWN_PROGRAM = {"launch", "attempt"}
"""Fixtures that need the program itself, which a server at a URL does not give us."""

STEP_OF_FILE = re.compile(r"test_(?:step(\d\d)|final)_")

USED = pytest.StashKey[list[Api]]()
"""The servers that a test spoke to, for the report of its failure."""

OWN = pytest.StashKey[ServerProcess]()
"""The session's server, if we started it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contract", "the contract of Taskflow")
    group.addoption("--step", help="the step whose promises are checked: 1 to 10, or final")
    group.addoption("--url", help="check this server; without it one is started")
    group.addoption("--admin-token", help="from step 5 (default: the example token)")
    group.addoption("--user-token", help="from step 5 (default: the example token)")
    group.addoption("--slow", action="store_true", help="also the tests that need minutes")


def pytest_configure(config: pytest.Config) -> None:
    for line in (
        "before(change): holds only until this change",
        "since(change): holds only from this change on",
        "slow: needs minutes; runs with --slow",
    ):
        config.addinivalue_line("markers", line)
    if not re.fullmatch(r"[1-9]|10|final", config.getoption("--step", None) or ""):
        raise pytest.UsageError("contract: say which step, such as --step 3")
    parts = urlsplit(config.getoption("--url") or "http://localhost")
    if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query:
        raise pytest.UsageError("contract: --url must look like http://127.0.0.1:9000")


def step_of(config: pytest.Config) -> int:
    step = str(config.getoption("--step"))
    return FINAL if step == "final" else int(step)


def applies(item: pytest.Item, step: int, slow: bool) -> bool:
    """Whether the step promises what this test checks."""
    file = STEP_OF_FILE.match(item.path.name)
    if file is None:
        return True
    return (
        int(file[1] or FINAL) <= step
        and all(step < mark.args[0].step for mark in item.iter_markers("before"))
        and all(step >= mark.args[0].step for mark in item.iter_markers("since"))
        and (slow or item.get_closest_marker("slow") is None)
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drop what this step does not promise, so that a report shows only what it does."""
    step, slow = step_of(config), bool(config.getoption("--slow"))
    dropped = [item for item in items if not applies(item, step, slow)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in set(dropped)]
    for item in items:
        if config.getoption("--url") and OWN_PROGRAM & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.skip(reason="needs a server started with its own flags"))


@pytest.fixture(scope="session")
def expected(pytestconfig: pytest.Config) -> Expectations:
    return Expectations(step_of(pytestconfig))


@pytest.fixture(scope="session")
def tokens(pytestconfig: pytest.Config) -> dict[str, str]:
    """By the names of the environment variables that set them."""
    return {
        "TASKFLOW_ADMIN_TOKEN": pytestconfig.getoption("--admin-token") or "secret-admin-123",
        "TASKFLOW_USER_TOKEN": pytestconfig.getoption("--user-token") or "secret-user-123",
    }


@pytest.fixture(scope="session")
def server(
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
    expected: Expectations,
    tokens: dict[str, str],
) -> Iterator[tuple[str, int]]:
    """The address of the server that most tests share."""
    url = pytestconfig.getoption("--url")
    if url:
        parts = urlsplit(url)
        yield parts.hostname or "", parts.port or 80
        return
    try:
        process = start(tmp_path_factory.mktemp("server"), (), expected, tokens)
    except ContractError as error:  # said once, and not by every test
        pytest.exit(f"the server does not start: {error}", returncode=1)
    pytestconfig.stash[OWN] = process
    yield process.address
    finish(process, expected)


@pytest.fixture
def api(
    request: pytest.FixtureRequest,
    server: tuple[str, int],
    expected: Expectations,
    tokens: dict[str, str],
) -> Iterator[Api]:
    """The shared server. Tasks of earlier tests may be there."""
    api = Api(server, expected, tokens["TASKFLOW_ADMIN_TOKEN"])
    request.node.stash.setdefault(USED, []).append(api)
    yield api
    for connection in api.connections:
        connection.close()


@pytest.fixture
def user(api: Api, tokens: dict[str, str]) -> Api:
    """The shared server, asked by one who may only read."""
    return api.with_token(tokens["TASKFLOW_USER_TOKEN"])


@pytest.fixture
def stranger(api: Api) -> Api:
    """The shared server, asked without a token."""
    return api.with_token("")


@pytest.fixture
def empty(api: Api) -> Api:
    """The shared server without any task. Needs DELETE, so from step 2 on."""
    api.delete(*api.tasks("/tasks?limit=10000"))
    return api


@pytest.fixture
def launch(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    expected: Expectations,
    tokens: dict[str, str],
) -> Iterator[Launch]:
    """A way to start servers of one's own; they are stopped when the test is over.

    `settings` is the environment instead of our tokens, and `dotenv` the text of a `.env`.
    """
    started: list[tuple[Api, ServerProcess]] = []

    def launch(
        *flags: str, settings: dict[str, str] | None = None, dotenv: str | None = None
    ) -> tuple[Api, ServerProcess]:
        directory = tmp_path_factory.mktemp("own")
        if dotenv is not None:
            (directory / ".env").write_text(dotenv, encoding="utf-8")
        process = start(directory, flags, expected, tokens if settings is None else settings)
        api = Api(process.address, expected, tokens["TASKFLOW_ADMIN_TOKEN"])
        request.node.stash.setdefault(USED, []).append(api)
        started.append((api, process))
        return api, process

    yield launch
    for api, process in started:
        for connection in api.connections:
            connection.close()
        finish(process, expected)


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    """A way to start a server that says why it does not start; its end is waited for."""

    def attempt(
        *flags: str, settings: dict[str, str], dotenv: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        if dotenv is not None:
            (tmp_path / ".env").write_text(dotenv, encoding="utf-8")
        return run(tmp_path, *flags, **settings)

    return attempt


def start(
    directory: Path, flags: tuple[str, ...], expected: Expectations, settings: dict[str, str]
) -> ServerProcess:
    demos = ("--demos",) if expected.has(DEMOS) else ()
    grace = ("--grace", "3") if expected.has(GRACE) else ()  # less than the tests wait for its end
    more = settings if expected.has(TOKENS) else {}
    return ServerProcess(directory, (*demos, *grace, *flags), environment(**more))


def finish(process: ServerProcess, expected: Expectations) -> None:
    """Stop it unless the test did, and read its log for signs of a bug."""
    if not process.stopped:
        process.stop()
    faults = expected.faults_in_log(process.log)
    if faults:
        raise ContractError(f"expected no {faults[0]!r} on stderr:\n{process.log[-4000:]}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what was said to whom beside a failure: the bytes, and the server's log."""
    report = yield
    if report.failed:
        for api in item.stash.get(USED, []):
            told = [connection for connection in api.connections if connection is not api.side]
            for connection in told[-2:]:
                report.sections.append(("what was said", str(connection.conversation)))
        process = item.config.stash.get(OWN, None)
        if process is not None and process.log:
            report.sections.append(("the server's stderr", process.log[-2000:]))
    return report
