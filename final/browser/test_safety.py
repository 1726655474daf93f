"""Whatever is typed stays text, tokens stay secret, and who may only look cannot change."""

import pytest
from playwright.sync_api import expect

from browser.board_page import Board
from browser.conftest import NewBoard
from browser.running import ADMIN, USER, RunningServer

HOSTILE = [
    '<img src=x onerror="document.title=1">',
    "<script>document.title = 1</script>",
    "</title><svg onload=document.title=1>",
    '"><b onmouseover=document.title=1 style=position:fixed;inset:0>',
    "javascript:document.title=1",
    "\u202eright to left\u202c and \u2067back",
    "\u200f\u0627\u0644\u0639\u0631\u0628\u064a\u0629 123 abc",
    "W" * 200,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 28,
    "{{7*7}} ${7*7} &lt;i&gt; &amp;",
    "Z" + "\u0300" * 150,
]


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_titles_are_shown_as_text(
    new_board: NewBoard, server: RunningServer, width: int
) -> None:
    before: list[str] = []
    for title in HOSTILE:  # each depends on the one before, so they are all in the graph too
        before = [server.create(title, description=title, dependencies=before)]
    board = new_board(viewport={"width": width, "height": 844})
    board.page.locator("#search").fill(" ")
    shown = board.page.locator("#tasks .title")
    board.page.locator("#order").select_option("oldest")
    expect(shown).to_have_text(HOSTILE[:10])
    expect(board.graph).to_have_count(len(HOSTILE))
    shown.first.click()
    expect(board.field("Title")).to_have_value(HOSTILE[0])
    board.page.keyboard.press("Escape")
    server.ask("PATCH", f"/tasks/{before[0]}", {"priority": 5})
    expect(board.events).to_have_count(1)
    expect(board.page).to_have_title("Taskflow")
    assert board.page.locator("#board img, #board script, #board b, #board i").count() == 0
    assert board.page.evaluate("document.documentElement.scrollWidth") == width


def test_the_token_is_asked_for_and_kept_for_the_tab(new_board: NewBoard) -> None:
    board = new_board(token="")
    board.expected.append("401")
    board.page.goto(board.url)
    board.field("Token").fill("not-the-token")
    board.button("Open the board").click()
    expect(board.page.get_by_role("alert")).to_contain_text("does not know that token")
    board.field("Token").fill(ADMIN)
    board.button("Open the board").click()
    board.is_live()
    board.page.reload()
    board.is_live()
    other = board.page.context.new_page()  # a tab of the same browser, but not the same tab
    other.goto(board.url)
    expect(other.get_by_label("Token")).to_be_visible()
    board.button("Sign out").click()
    board.page.reload()
    expect(board.field("Token")).to_be_visible()


def test_a_token_in_the_link_leaves_the_address_bar(board: Board) -> None:
    assert board.page.url == f"{board.url}/"
    assert board.page.evaluate("history.length") <= 2
    assert ADMIN not in board.page.content()


def test_the_user_token_looks_on(new_board: NewBoard, server: RunningServer) -> None:
    server.create("Look at me")
    board = new_board(USER)
    expect(board.page.get_by_text("You are looking on.")).to_be_visible()
    for name in ("New task", "Claim next", "Complete \u2068Look at me\u2069"):
        expect(board.button(name)).to_be_disabled()
    board.open_task("Look at me")
    expect(board.field("Title")).not_to_be_editable()
    for name in ("Save changes", "Delete"):
        expect(board.button(name)).to_have_count(0)
    board.button("Close").click()
    server.create("Arrive")
    expect(board.task("Arrive")).to_be_visible()


def test_the_page_can_make_no_markup_of_text(board: Board) -> None:
    board.expected += ["TrustedHTML", "CSP violation", "Trusted Type"]
    script = "try { document.body.innerHTML = '<b>x</b>'; } catch (error) { error.name }"
    assert board.page.evaluate(script) == "TypeError"
