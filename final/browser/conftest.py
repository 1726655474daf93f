"""What the tests share: one browser for all, and a server and tabs for each."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from browser.board_page import Board
from browser.running import ADMIN, RunningServer

NAMES = ("chromium", "chromium-browser", "google-chrome")

expect.set_options(timeout=15_000)

NewBoard = Callable[..., Board]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Give the browser of the system: none is downloaded."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path, "these tests need the system's Chromium (Debian package chromium)"
    # Root, as in a container, has no user namespace to build Chromium's sandbox from.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Give a server that keeps its tasks in memory, for all tests: to start one takes a second."""
    server = RunningServer(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(shared_server: RunningServer) -> Iterator[RunningServer]:
    """Give a server without tasks."""
    yield shared_server
    shared_server.clear()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RunningServer]:
    """Give a server of the test's own, which it may stop, and which keeps its tasks in a file.

    Ask for it before `new_board`: then the tabs are closed while it still runs.
    """
    server = RunningServer(tmp_path, data=str(tmp_path / "tasks.db"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def new_board(chromium: Browser, server: RunningServer) -> Iterator[NewBoard]:
    """Give what opens another tab, with a session and options of its own."""
    boards = []
    contexts = []

    def new(token: str = ADMIN, url: str = server.url, **options: Any) -> Board:
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context = chromium.new_context(**options)
        contexts.append(context)
        board = Board(context.new_page(), url)
        boards.append(board)
        return board.open(token) if token else board

    yield new
    for context in contexts:
        context.close()
    for board in boards:
        board.check()


@pytest.fixture
def board(new_board: NewBoard) -> Board:
    """Give a tab with the board of an admin."""
    return new_board()
