"""What a person does with tasks: create, claim, complete, edit, connect, delete."""

from playwright.sync_api import expect

from browser.board_page import Board
from browser.running import RunningServer


def test_a_task_is_created_claimed_and_completed(board: Board, server: RunningServer) -> None:
    expect(board.page.get_by_text("No tasks yet")).to_be_visible()
    board.button("New task").click()
    board.field("Title").fill("Write the invoices")
    board.field("Description").fill("all of them")
    board.field("Priority").fill("7")
    board.button("Create task").click()
    expect(board.task("Write the invoices")).to_contain_text("Ready")
    expect(board.heap).to_have_count(1)
    [created] = server.ask("GET", "/tasks")
    assert (created["description"], created["priority"]) == ("all of them", 7)

    board.button("Claim next").click()
    expect(board.task("Write the invoices")).to_contain_text("In progress")
    expect(board.heap).to_have_count(0)

    board.task("Write the invoices").get_by_role("button", name="Complete").click()
    expect(board.task("Write the invoices")).to_contain_text("Completed")
    [done] = server.ask("GET", "/tasks")
    assert done["status"] == "completed"


def test_a_claim_of_nothing_is_no_error(board: Board) -> None:
    board.button("Claim next").click()
    expect(board.page.locator("#messages")).to_contain_text("Nothing is ready to be claimed.")


def test_a_task_that_waits_is_blocked_until_the_other_is_completed(
    board: Board, server: RunningServer
) -> None:
    first = server.create("Bake")
    server.create("Eat", priority=9)
    board.open_task("Eat")
    board.field("Find a task to depend on").fill("bak")
    board.button("Add \u2068Bake\u2069").click()
    board.button("Save changes").click()

    expect(board.task("Eat")).to_contain_text("Blocked")
    expect(board.task("Eat")).to_contain_text("after \u2068Bake\u2069")
    expect(board.heap).to_have_count(1)
    expect(board.graph).to_have_count(2)
    expect(board.page.locator("#graph .arrow")).to_have_count(1)
    left = [board.graph.filter(has_text=title).bounding_box() for title in ("Bake", "Eat")]
    assert left[0]
    assert left[1]
    assert left[0]["x"] + left[0]["width"] < left[1]["x"]

    board.task("Bake").get_by_role("button", name="Complete").click()
    expect(board.task("Eat")).to_contain_text("Ready")
    expect(board.heap).to_contain_text("9Eat")
    eat = server.ask("GET", "/tasks/next")
    assert eat["dependencies"] == [first]


def test_a_cycle_is_refused_and_its_path_shown(board: Board, server: RunningServer) -> None:
    board.expected.append("409")
    first = server.create("Hen")
    server.create("Egg", dependencies=[first])
    board.open_task("Hen")
    board.field("Find a task to depend on").fill("egg")
    board.page.keyboard.press("Enter")
    board.button("Save changes").click()
    steps = board.dialog.get_by_role("list", name="The cycle").get_by_role("listitem")
    expect(steps).to_have_text(["Hen", "Egg", "Hen"])
    assert server.ask("GET", f"/tasks/{first}")["dependencies"] == []


def test_a_dependency_is_taken_away_again(board: Board, server: RunningServer) -> None:
    first = server.create("Bake")
    second = server.create("Eat", dependencies=[first])
    board.open_task("Eat")
    board.button("Remove \u2068Bake\u2069").click()
    board.button("Save changes").click()
    expect(board.task("Eat")).to_contain_text("Ready")
    expect(board.graph).to_have_count(0)
    assert server.ask("GET", f"/tasks/{second}")["dependencies"] == []


def test_what_the_server_refuses_is_said_at_the_field(board: Board) -> None:
    board.expected.append("422")
    board.button("New task").click()
    board.field("Title").fill("Pay")
    board.field("Priority").fill("soon")
    board.button("Create task").click()
    expect(board.field("Priority")).to_have_attribute("aria-invalid", "true")
    expect(board.field("Priority")).to_be_focused()
    expect(board.dialog).to_contain_text("priority: must be an integer")

    board.field("Priority").fill("4")
    board.field("Title").fill(" ")
    board.button("Create task").click()
    expect(board.dialog).to_contain_text("title: must have 1 to 200 characters")
    expect(board.field("Priority")).not_to_have_attribute("aria-invalid", "true")


def test_only_what_was_changed_is_sent(board: Board, server: RunningServer) -> None:
    task_id = server.create("Pay", priority=3)
    board.open_task("Pay")
    server.ask("PATCH", f"/tasks/{task_id}", {"priority": 8})  # somebody else, meanwhile
    board.field("Title").fill("Pay the rent")
    board.button("Save changes").click()
    expect(board.task("Pay the rent")).to_contain_text("Priority 8")


def test_a_task_is_deleted_at_the_second_press(board: Board, server: RunningServer) -> None:
    server.create("Pay")
    board.open_task("Pay")
    board.button("Delete").click()
    assert len(server.ask("GET", "/tasks")) == 1
    board.button("Really delete it?").click()
    expect(board.tasks).to_have_count(0)
    assert server.ask("GET", "/tasks") == []


def test_a_task_that_was_deleted_meanwhile_is_said_to_be_gone(
    board: Board, server: RunningServer
) -> None:
    board.expected.append("404")
    task_id = server.create("Pay")
    board.open_task("Pay")
    server.ask("DELETE", f"/tasks/{task_id}")
    board.field("Title").fill("Pay the rent")
    board.button("Save changes").click()
    expect(board.dialog.get_by_role("alert")).to_contain_text("there is no task")


def test_the_heap_is_drawn_as_it_lies(board: Board, server: RunningServer) -> None:
    for priority in (3, 9, 5):
        server.create(f"Task of {priority}", priority=priority)
    expect(board.heap).to_contain_text(["9Task of 9", "3Task of 3", "5Task of 5"])
    board.heap.first.click()
    expect(board.field("Title")).to_have_value("Task of 9")
