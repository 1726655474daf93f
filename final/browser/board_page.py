"""The board as a person meets it: by roles, names and what is written there."""

import re
from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

# What the policy of the page refuses is an error in the console of Chromium, and said here too.
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error("CSP violation", event.violatedDirective, event.blockedURI));
"""


@dataclass  # without slots: Playwright keeps something of its own on the object
class Board:
    """One tab with the board in it."""

    page: Page
    url: str
    expected: list[str] = field(default_factory=list)  # parts of errors that a test provokes
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(REPORT_VIOLATIONS)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(message.text)

    def check(self) -> None:
        """Fail if anything went wrong in the page that the test has not told to expect."""
        unexpected = [
            text for text in self.problems if not any(part in text for part in self.expected)
        ]
        assert unexpected == []

    def open(self, token: str) -> "Board":
        """Come by a link with the token in it, and wait until the board is live."""
        self.page.goto(f"{self.url}/#token={token}")
        self.is_live()
        return self

    def is_live(self) -> None:
        """Wait until events arrive."""
        expect(self.page.locator("#connection")).to_have_text("Live")

    def button(self, name: str) -> Locator:
        """Return the button of exactly this name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def field(self, name: str) -> Locator:
        """Return the field whose label begins like this."""
        return self.page.get_by_label(re.compile(f"^{name}"))

    @property
    def tasks(self) -> Locator:
        """The rows of the list."""
        return self.page.get_by_role("list", name="Tasks", exact=True).get_by_role("listitem")

    def task(self, title: str) -> Locator:
        """Return the row of the task with this title."""
        titled = self.page.get_by_role("button", name=title, exact=True)
        return self.tasks.filter(has=titled)

    def open_task(self, title: str) -> None:
        """Open the task with this title."""
        self.task(title).get_by_role("button", name=title, exact=True).click()

    @property
    def dialog(self) -> Locator:
        """The dialog of a task."""
        return self.page.get_by_role("dialog")

    @property
    def heap(self) -> Locator:
        """The boxes of the heap, in the order of its array."""
        return self.page.locator("#heap .node")

    @property
    def graph(self) -> Locator:
        """The boxes of the graph."""
        return self.page.locator("#graph .node")

    @property
    def events(self) -> Locator:
        """The events, the newest first."""
        return self.page.locator("#events li")
