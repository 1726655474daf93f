"""``path_table()``: the lessons in their order, with a link to each guide that is there."""

from __future__ import annotations

from collections.abc import Mapping

from course.book.guide import Guide
from course.snapshots import LESSONS


def path_table(guide: Guide, times: Mapping[int, tuple[str, str]]) -> str:
    """The path; ``times`` gives, by step, how long one reads and how long one codes."""
    lines = ["| step | what you build | reading | coding |", "| ---: | --- | --- | --- |"]
    for lesson in LESSONS:
        name = f"{lesson.stem}-{lesson.name}.md" if not lesson.is_final else "final.md"
        title = lesson.title
        if (guide.root / "guides" / name).is_file():
            title = f"[{title}]({guide.link(f'guides/{name}')})"
            reading, coding = times.get(lesson.number, ("–", "–"))
        else:
            reading, coding = "coming", "coming"
        lines.append(f"| {lesson.word} | {title} | {reading} | {coding} |")
    return "\n".join(lines)
