"""The form of a numbered guide: its sections in their order, and enough to predict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from course.book.document import Document
from course.book.weave import Finding

SECTIONS = (
    "What you will be able to do",
    "The picture",
    "Run it",
    "What changed since the last step",
    "How it works",
    "Predict, then run",
    "The wrong turn",
    "Break it",
    "Your turn",
    "At work",
    "Next step",
)
LEAST_QUESTIONS = 5

_NUMBERED = re.compile(r"\d\d-[\w-]+\.md")


def check_form(document: Document, root: Path) -> Iterator[Finding]:
    """Nothing to say about a guide without a number; further sections may stand between ours."""
    if not _NUMBERED.fullmatch(document.path.name):
        return
    name = document.path.relative_to(root).as_posix()
    found = [(one.text, one.line) for one in document.headings if one.level == 2]
    places = dict(found)
    last = 0
    for section in SECTIONS:
        count = sum(text == section for text, _ in found)
        if count != 1:
            yield Finding(name, last or 1, f"section {section!r} is there {count} times, not once")
        elif places[section] < last:
            yield Finding(name, places[section], f"section {section!r} stands too early")
        else:
            last = places[section]
    yield from _check_questions(document, name, found)


def _check_questions(
    document: Document, name: str, sections: list[tuple[str, int]]
) -> Iterator[Finding]:
    start = next((line for text, line in sections if text == "Predict, then run"), None)
    if start is None:
        return
    end = min((line for _, line in sections if line > start), default=10**9)
    asked = [
        one for one in document.details if start < one.line < end and one.line in document.generated
    ]
    if len(asked) < LEAST_QUESTIONS:
        yield Finding(name, start, f"{len(asked)} questions, not at least {LEAST_QUESTIONS}")
