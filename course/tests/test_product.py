"""What a person is told of final before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from course.product import notes

DATA = "--data=:memory:"


@pytest.mark.parametrize(
    ("given", "environment", "board"),
    [
        ([], {}, "http://127.0.0.1:3000/#token=secret-admin-123"),
        (["--port", "80", "--port=81"], {}, "http://127.0.0.1:81/#token=secret-admin-123"),
        (["--host", "::1"], {}, "http://[::1]:3000/#token=secret-admin-123"),
        (["--host", "::1, 192.0.2.1"], {}, "http://[::1]:3000/#token=secret-admin-123"),
        (["--host", "0.0.0.0"], {}, "http://localhost:3000/#token=secret-admin-123"),
        (["--tls-cert", "a.pem"], {}, "https://127.0.0.1:3000/#token=secret-admin-123"),
        ([], {"TASKFLOW_PORT": "8080"}, "http://127.0.0.1:8080/#token=secret-admin-123"),
        (["--port", "1"], {"TASKFLOW_PORT": "2"}, "http://127.0.0.1:1/#token=secret-admin-123"),
        (["--port", "0"], {}, "the address below, with /#token=secret-admin-123 behind it"),
        (["--port"], {}, "http://127.0.0.1:3000/#token=secret-admin-123"),
    ],
)
def test_the_board(
    tmp_path: Path, given: list[str], environment: dict[str, str], board: str
) -> None:
    told = notes([*given, DATA] if given != ["--port"] else [DATA, *given], environment, tmp_path)
    assert told == [f"the board: {board}", "the tasks: in memory only"]


def test_a_secret_of_ones_own_is_not_shown(tmp_path: Path) -> None:
    asks = "the board: http://127.0.0.1:3000/ (it asks for your token)"
    assert notes([DATA], {"TASKFLOW_ADMIN_TOKEN": "my-own-secret"}, tmp_path)[0] == asks
    assert "secret" not in notes([DATA, "--port=0"], {"TASKFLOW_ADMIN_TOKEN": "x"}, tmp_path)[0]
    (tmp_path / ".env").write_text("# mine\nexport TASKFLOW_ADMIN_TOKEN = 'my-own-secret' # !\n")
    assert notes([DATA], {}, tmp_path)[0] == asks
    (tmp_path / ".env").write_text("TASKFLOW_ADMIN_TOKEN=\nTASKFLOW_PORT=3000\n")
    assert "#token=secret-admin-123" in notes([DATA], {}, tmp_path)[0]


def test_where_the_tasks_are(tmp_path: Path) -> None:
    def kept(*given: str, **environment: str) -> str:
        return notes(given, environment, tmp_path)[1].removesuffix(" (--data :memory: keeps none)")

    assert kept() == f"the tasks: {tmp_path / 'taskflow.db'}"
    assert kept("--data", "mine.db") == f"the tasks: {tmp_path / 'mine.db'}"
    assert kept(TASKFLOW_DATA="/srv/tasks.db") == f"the tasks: {Path('/srv/tasks.db')}"
    (tmp_path / ".env").write_text("TASKFLOW_DATA=here.db\n")
    assert kept() == f"the tasks: {tmp_path / 'here.db'}"


def test_help_is_the_servers_alone(tmp_path: Path) -> None:
    assert notes(["--help"], {}, tmp_path) == []


def test_a_file_that_cannot_be_read_is_the_servers_matter(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"TASKFLOW_PORT=\xff")
    assert notes([], {}, tmp_path)[0] == "the board: http://127.0.0.1:3000/#token=secret-admin-123"
