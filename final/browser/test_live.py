"""What happens elsewhere arrives here, also after an interruption."""

from pathlib import Path
from urllib.error import HTTPError

import pytest
from playwright.sync_api import Route, WebSocketRoute, expect

from browser.conftest import NewBoard
from browser.running import ADMIN, RunningServer

# What Chromium says when the server is away, which these tests cause.
AWAY = ["Failed to load resource: net::", "WebSocket connection"]


def test_what_is_done_in_one_tab_is_seen_in_another(new_board: NewBoard) -> None:
    one, other = new_board(), new_board()
    one.button("New task").click()
    one.field("Title").fill("Water the plants")
    one.button("Create task").click()
    expect(other.task("Water the plants")).to_contain_text("Ready")
    expect(other.events.first).to_contain_text("Created")
    expect(one.events.first).to_contain_text("you")  # who did it knows it
    expect(other.events.first).not_to_contain_text("you")

    other.button("Claim next").click()
    expect(one.task("Water the plants")).to_contain_text("In progress")
    expect(one.page.locator("#count-in-progress")).to_have_text("1")


def test_the_board_goes_on_after_a_restart(own_server: RunningServer, new_board: NewBoard) -> None:
    server = own_server
    server.create("Survive")
    board = new_board(url=server.url)
    board.expected += AWAY
    expect(board.task("Survive")).to_be_visible()

    server.stop()
    expect(board.page.locator("#connection")).to_contain_text("Connection lost")
    server.start()
    server.create("Come back")  # before the board is there again, in a new epoch
    board.is_live()
    expect(board.task("Come back")).to_be_visible()
    expect(board.task("Survive")).to_be_visible()
    server.create("Go on")
    expect(board.task("Go on")).to_be_visible()
    expect(board.events.first).to_contain_text("Go on")


def test_what_is_gone_after_a_restart_is_gone_from_the_board(
    own_server: RunningServer, new_board: NewBoard
) -> None:
    server = own_server
    board = new_board(url=server.url)
    board.expected += AWAY
    server.create("Vanish")
    expect(board.task("Vanish")).to_be_visible()
    server.stop()
    server.data = ":memory:"
    server.start()
    board.is_live()
    expect(board.tasks).to_have_count(0)


def test_a_lost_connection_resumes_without_loading_anew(
    new_board: NewBoard, server: RunningServer
) -> None:
    board = new_board(token="")
    sockets: list[WebSocketRoute] = []

    def relay(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    board.page.route_web_socket("**/ws/tasks", relay)
    board.open(ADMIN)
    server.create("Before")
    expect(board.events).to_have_count(1)
    asked: list[str] = []
    board.page.on("request", lambda request: asked.append(request.url))
    sockets[0].close(code=1011)
    server.create("Meanwhile")
    expect(board.task("Meanwhile")).to_be_visible()
    board.is_live()
    expect(board.events).to_have_count(2)
    assert not [url for url in asked if "/tasks?limit=1000" in url]


def test_a_change_that_was_taken_back_is_gone_from_the_board(
    own_server: RunningServer, new_board: NewBoard
) -> None:
    """The board has read it before its commit failed. The server says so in `history.gap`."""
    server = own_server
    server.create("Stay")
    board = new_board(token="", url=server.url)

    def with_phantom(route: Route) -> None:
        response = route.fetch()
        [stay] = response.json()
        phantom = {**stay, "id": "00000000-0000-4000-8000-000000000001", "title": "Phantom"}
        route.fulfill(response=response, json=[stay, phantom])

    board.page.route("**/tasks?limit=1000", with_phantom, times=1)
    board.open(ADMIN)
    expect(board.task("Phantom")).to_be_visible()

    data = Path(server.data)
    data.rename(data.with_name("moved.db"))
    with pytest.raises(HTTPError):
        server.create("Refused")

    expect(board.task("Phantom")).to_have_count(0)
    expect(board.task("Stay")).to_be_visible()
