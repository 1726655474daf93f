"""A server is held against the contract only where there is one."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from course import processes, verify
from course.cli import main
from course.errors import CourseError


@pytest.fixture
def port() -> Iterator[int]:
    """Where somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What pytest would have been asked."""
    words: list[str] = []

    def stand_in(
        command: Sequence[str | Path], cwd: Path, extra: Mapping[str, str] | None = None
    ) -> int:
        words.extend(str(part) for part in command)
        return 1

    monkeypatch.setattr(verify, "tools_python", lambda root: Path("python"))
    monkeypatch.setattr(processes, "run", stand_in)
    return words


def test_the_options_go_to_the_suite(port: int, asked: list[str], tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{port}"
    tokens = ["--admin-token", "a", "--user-token", "b", "--slow"]
    assert main(["verify", "--step", "step05", "--url", f"{url}/", *tokens], tmp_path) == 1
    pytest_words = ["python", "-m", "pytest", "course/contract", "-p", "no:cacheprovider"]
    assert asked == [*pytest_words, "--step", "5", "--url", url, *tokens]


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:3000",
        "https://127.0.0.1:3000",
        "http://127.0.0.1",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999",
        "http://:3000",
        "http://127.0.0.1:3000/tasks",
        "http://127.0.0.1:3000/?q",
        "http://[::1:3000",
        "",
    ],
)
def test_an_address_that_cannot_be_dialled(url: str) -> None:
    with pytest.raises(CourseError, match="--url must look like http://host:port"):
        verify.address(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:9000", ("127.0.0.1", 9000)),
        ("http://localhost:80/", ("localhost", 80)),
        ("http://[::1]:3000", ("::1", 3000)),
    ],
)
def test_addresses(url: str, expected: tuple[str, int]) -> None:
    assert verify.address(url) == expected


def test_nobody_there(asked: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:  # bound, but it never listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert main(["verify", "--step", "3", "--url", url], tmp_path) == 2
    assert capsys.readouterr().err == f"course: nobody answers at {url}: connection refused\n"
    assert asked == []
