"""For everybody: by keyboard, with a screen reader, on a phone, with many tasks."""

from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import expect

from browser.board_page import Board
from browser.conftest import NewBoard
from browser.running import RunningServer

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


def violations(board: Board) -> list[str]:
    """Return what axe-core finds, best practices included."""
    board.page.evaluate(AXE)
    found: dict[str, Any] = board.page.evaluate("axe.run()")
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(
    new_board: NewBoard, server: RunningServer, scheme: str, viewport: dict[str, int]
) -> None:
    first = server.create("Bake", status="completed")
    server.create("Eat", dependencies=[first, server.create("Cook", status="in-progress")])
    board = new_board(token="", viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    board.page.goto(board.url)
    expect(board.field("Token")).to_be_focused()
    assert violations(board) == []

    board = new_board(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    server.create("Wash up", priority=3)
    server.create("Sleep")
    expect(board.events).to_have_count(2)
    expect(board.heap).to_have_count(2)
    expect(board.graph).to_have_count(3)
    board.button("Claim next").click()
    expect(board.page.locator("#messages")).to_contain_text("Claimed")
    assert violations(board) == []

    board.expected.append("422")
    board.open_task("Eat")
    board.field("Find a task to depend on").fill("s")
    board.field("Priority").fill("x")
    board.button("Save changes").click()
    expect(board.dialog).to_contain_text("must be an integer")
    assert violations(board) == []
    assert board.page.evaluate("document.documentElement.scrollWidth") == viewport["width"]


def test_everything_is_done_by_keyboard(board: Board, server: RunningServer) -> None:
    press = board.page.keyboard.press
    board.page.locator("body").focus()
    press("Tab")
    expect(board.page.get_by_role("link", name="Skip to the tasks")).to_be_focused()
    press("Tab")
    expect(board.button("New task")).to_be_focused()
    press("Enter")
    expect(board.field("Title")).to_be_focused()
    board.page.keyboard.type("Bake")
    press("Enter")
    expect(board.task("Bake")).to_be_visible()
    expect(board.button("New task")).to_be_focused()  # back where one came from
    press("Enter")
    board.page.keyboard.type("Eat")
    for _ in range(4):
        press("Tab")
    expect(board.field("Find a task to depend on")).to_be_focused()
    board.page.keyboard.type("bake")
    press("Enter")
    expect(board.button("Remove \u2068Bake\u2069")).to_be_visible()
    board.button("Create task").focus()
    press("Enter")
    expect(board.task("Eat")).to_contain_text("Blocked")

    board.button("Claim next").focus()
    press("Space")
    expect(board.task("Bake")).to_contain_text("In progress")
    complete = board.task("Bake").get_by_role("button", name="Complete")
    complete.focus()
    press("Enter")
    expect(board.task("Bake")).to_contain_text("Completed")
    expect(board.task("Bake").get_by_role("button", name="Reopen")).to_be_focused()

    expect(board.graph).to_have_count(2)
    board.graph.first.focus()
    press("ArrowRight")
    expect(board.graph.last).to_be_focused()
    press("Enter")
    expect(board.field("Title")).to_have_value("Eat")
    press("Escape")
    expect(board.dialog).to_have_count(0)
    assert [task["title"] for task in server.ask("GET", "/tasks")] == ["Bake", "Eat"]


def test_the_focus_stays_when_its_row_is_filtered_away(board: Board, server: RunningServer) -> None:
    server.create("One")
    server.create("Two")
    board.button("Pending").click()
    board.task("Two").get_by_role("button", name="Complete").press("Enter")
    expect(board.tasks).to_have_count(1)
    expect(board.button("One")).to_be_focused()


def test_events_are_spoken_now_and_then(board: Board, server: RunningServer) -> None:
    spoken = board.page.locator("#events-spoken")
    expect(spoken).to_have_attribute("aria-live", "polite")
    server.create("Bake")
    expect(spoken).to_contain_text("Created \u2068Bake\u2069")


def test_many_tasks_stay_usable(own_server: RunningServer, new_board: NewBoard) -> None:
    server = own_server
    for start in range(0, 24_000, 8_000):
        server.fill(8_000, start)
    board = new_board(url=server.url)
    expect(board.page.locator("#tasks-note")).to_contain_text("10,000+")
    expect(board.heap).to_have_count(15)
    expect(board.page.locator("#heap-note")).to_have_text("the top, … 23,985 more")
    expect(board.page.locator("#count-ready")).to_have_text("24,000")
    expect(board.page.locator("#page-note")).to_have_text("Page 1 of 1,000")
    expect(board.tasks).to_have_count(10)
    board.button("Load more from the server").click()
    expect(board.page.locator("#tasks-note")).to_contain_text("20,000+")
    board.page.locator("#search").fill("Task 15000")
    expect(board.tasks).to_have_count(1)
    server.create("One more")
    board.page.locator("#search").fill("One more")
    expect(board.task("One more")).to_be_visible()


def test_a_large_graph_shows_what_is_near(board: Board, server: RunningServer) -> None:
    ids = [server.create("Root")]
    for number in range(40):
        ids.append(server.create(f"Step {number}", dependencies=[ids[-1]]))
    expect(board.page.locator("#graph-note")).to_contain_text("24 of 41")
    board.page.locator("#search").fill("Step 39")
    board.open_task("Step 39")
    board.page.keyboard.press("Escape")
    expect(board.page.locator("#graph .chosen")).to_have_attribute("data-id", ids[-1])


def test_memory_and_workers_are_drawn(board: Board) -> None:
    expect(board.page.get_by_role("img", name="Memory: now")).to_be_visible()
    expect(board.page.get_by_role("img", name="Workers: 0 of")).to_be_visible()
