"""The rules for guides: each is broken once, and the complaint says where."""

from __future__ import annotations

from pathlib import Path

import pytest

from course.book import plots
from course.book.__main__ import main
from course.book.document import read, slug
from course.book.forms import LEAST_QUESTIONS, SECTIONS, check_form
from course.book.rules import check_document, check_skipped
from course.tests.book_course import Course

SHELL = "```console\n$ true\n```\n"
SKIPPED = f"{SHELL}\n*Not run by the checks: it needs root.*\n\n"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    monkeypatch.setattr(plots, "PLOTS", {})  # ours need results that a small course has not
    return Course(tmp_path)


def complaints(course: Course, text: str) -> list[str]:
    document = read(course.put("guides/some.md", text))
    return [str(finding) for finding in check_document(document, course.root)]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("\n[x](none.md)", "guides/some.md:2: dead link: none.md"),
        ("![x](plots/none.svg)", "guides/some.md:1: dead link: plots/none.svg"),
        ('a <a href="none.md">x</a>', "guides/some.md:1: dead link: none.md"),
        ("# Here\n\na\n[x](#there)", "guides/some.md:4: no heading for #there"),
        ("[x](other.md#two)", "guides/some.md:1: no heading for other.md#two"),
        ("[x](https:nowhere)", "guides/some.md:1: not a web address: https:nowhere"),
        ("[x](/etc/passwd)", "guides/some.md:1: link from the root of a disk or site: /etc/passwd"),
        ("[x](../../outside)", "guides/some.md:1: dead link: ../../outside"),
        (SHELL, "guides/some.md:1: a shell block typed by hand: make it with shell()"),
        ("```mermaid\nflowers LR\n```", "guides/some.md:1: Mermaid knows no diagram 'flowers'"),
        ("in `taskflow/heep.py`", "guides/some.md:1: no such file: taskflow/heep.py"),
    ],
)
def test_a_broken_rule(course: Course, text: str, complaint: str) -> None:
    course.put("guides/other.md", "# One\n")

    assert complaints(course, text) == [complaint]


def test_what_is_right(course: Course) -> None:
    course.put("guides/other.md", "# One `two`, three\n")
    text = (
        "# Here & there\n\n## Again\n\n## Again\n\n[a](#here--there) [b](#again-1)"
        " [c](other.md#one-two-three) [d](https://example.org/x) [e](../step01_http/taskflow)\n\n"
        "in `taskflow/heap.py`, CPython's `Lib/heapq.py` and `step01_http/taskflow/__init__.py`\n\n"
        f"<!-- [[[cog x ]]] -->\n{SHELL}<!-- [[[end]]] -->\n\n{SKIPPED}"
        "```mermaid\nflowchart LR\n```\n\n```python\n[x](none.md)\n```\n"
    )

    assert complaints(course, text) == []


def test_anchors_are_those_of_github() -> None:
    assert slug("Predict, then run") == "predict-then-run"
    assert slug("What it costs: O(log n)") == "what-it-costs-olog-n"


@pytest.mark.parametrize(("run", "found"), [(98, 0), (97, 1)])
def test_one_block_in_fifty_may_be_skipped(course: Course, run: int, found: int) -> None:
    document = read(course.put("guides/some.md", SKIPPED * 2 + SHELL * run))

    assert len(list(check_skipped([document], course.root))) == found


def form(course: Course, sections: list[str], questions: int) -> list[str]:
    asked = "<details>\n\n</details>\n\n" * questions
    text = "".join(
        f"## {name}\n\n"
        + (f"<!-- [[[cog x ]]] -->\n{asked}<!-- [[[end]]] -->\n\n" if "Predict" in name else "")
        for name in sections
    )
    document = read(course.put("guides/03-heap.md", text))
    return [finding.message for finding in check_form(document, course.root)]


def test_a_guide_in_the_right_form(course: Course) -> None:
    with_more = [*SECTIONS[:3], "A section of its own", *SECTIONS[3:]]

    assert form(course, with_more, LEAST_QUESTIONS) == []


def test_a_section_is_missing(course: Course) -> None:
    assert form(course, [*SECTIONS[:-1]], 5) == ["section 'Next step' is there 0 times, not once"]


def test_sections_are_in_order(course: Course) -> None:
    swapped = ["The picture", "What you will be able to do", *SECTIONS[2:]]

    assert form(course, swapped, 5) == ["section 'The picture' stands too early"]


def test_there_is_enough_to_predict(course: Course) -> None:
    assert form(course, list(SECTIONS), 4) == ["4 questions, not at least 5"]


def test_the_command_writes_then_agrees(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    name = "guides/README.md"
    marker = '<!-- [[[cog shell("echo $((6*7))") ]]] -->\n'
    course.put(name, f"# Hello\n\n{marker}<!-- [[[end]]] -->\n")

    assert main(["check"], course.root) == 1
    assert f"{name}:4: out of date" in capsys.readouterr().out
    assert main(["write"], course.root) == 0
    assert main(["check"], course.root) == 0
    assert "$ echo $((6*7))\n42\n```\n\n<!--" in (course.root / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("[[[cog listing('x') ]]] -->", ":3: there is no file x"),
        ("[[[cog\nsay('a')\n\nlisting('x')\n]]] -->", ":6: there is no file x"),
        ("[[[cog say(\n'a')\n]]] -->", ":3: code of several lines begins in the line below [[[cog"),
        ("[[[cog listing( ]]] -->", ":3: '(' was never closed"),
        ("[[[cog\nsay('a')\nnobody()\n]]] -->", ":5: NameError: name 'nobody' is not defined"),
        ("[[[cog nobody() ]]] -->", ":3: NameError: name 'nobody' is not defined"),
        ("[[[cog say('[[[' + 'end]]]') ]]] -->", ":3: the output holds a marker of Cog"),
    ],
)
def test_an_error_in_a_marker_names_its_line(
    course: Course, code: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"# Hello\n\n<!-- {code}\nold\n<!-- [[[end]]] -->\n"
    guide = course.put("guides/README.md", text)

    assert main(["write"], course.root) == 1
    assert f"guides/README.md{complaint}" in capsys.readouterr().out
    assert guide.read_text(encoding="utf-8") == text


def test_a_marker_without_an_end(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    course.put("guides/README.md", "\n<!-- [[[cog say('a') ]]] -->\n")

    assert main(["check"], course.root) == 1
    assert "Missing '[[[end]]]' before end of file." in capsys.readouterr().out


def test_a_guide_that_is_not_there(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "guides/none.md"], course.root) == 2
    assert "no such guide" in capsys.readouterr().err


def test_bash_and_curl_are_needed(
    course: Course, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(course.root))

    assert main(["check"], course.root) == 2
    assert "the guides need bash and curl" in capsys.readouterr().err
