"""Measured numbers come from the committed files, and plots are drawn from them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from course.book import plots
from course.book.drawing import COLOURS, spread
from course.book.plot import Plot
from course.book.results import quantity
from course.tests.book_course import Course

ROWS = [
    {"label": label, "n": n, "value": value * n}
    for label, value in (("heap", 2e-6), ("sort", 3e-6))
    for n in (1_000, 100_000)
]


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    made = Course(tmp_path)
    results = {"name": "heap", "title": "Push and pop", "unit": "s", "rounds": 3}
    results |= {"date": "2026-01-02", "machine": {"cores": 2}, "rows": ROWS}
    made.put("benchmarks/results/heap.json", json.dumps(results))
    growth = Plot("heap", "Time to push & pop", "Two lines; the heap stays below", "items")
    monkeypatch.setattr(plots, "PLOTS", {"growth": growth})
    return made


def test_a_table_of_results(course: Course) -> None:
    text = course.made('bench_table("heap")')

    assert "**Push and pop**\n\n| n | heap | sort |\n| ---: | ---: | ---: |\n" in text
    assert "| 1,000 | 2 ms | 3 ms |\n| 100,000 | 200 ms | 300 ms |\n\n" in text
    assert "*Median of 3 rounds, 2026-01-02; cores 2. [The raw numbers](../benchmarks" in text


def test_chosen_columns_in_a_chosen_order(course: Course) -> None:
    text = course.made('bench_table("heap", only=["sort", "heap"], where={"n": 1000})')

    assert "| n | sort | heap |" in text
    assert "100,000" not in text


def test_a_number_in_a_sentence(course: Course) -> None:
    marker = "say(f\"It takes {number('heap', label='heap', n=100000):.1f} s.\")"

    assert "\nIt takes 0.2 s.\n" in course.made(marker)


@pytest.mark.parametrize(
    ("marker", "complaint"),
    [
        ('bench_table("none")', "run the benchmark first"),
        ('bench_table("heap", where={"n": 7})', "nothing in heap matches"),
        ('number("heap", n=1000)', "2 rows of heap"),
        ('plot("none")', "no plot none is declared"),
    ],
)
def test_what_is_missing_is_an_error(course: Course, marker: str, complaint: str) -> None:
    assert complaint in course.refused(marker)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(12.3456, "12.3 s"), (0.0123, "12.3 ms"), (4.56e-5, "45.6 µs"), (2.5e-9, "2.5 ns")],
)
def test_seconds_have_a_fitting_unit(seconds: float, shown: str) -> None:
    assert quantity(seconds, "s") == shown


def test_a_plot_is_drawn_the_same_every_time(course: Course) -> None:
    assert list(plots.stale(course.root)) == [
        ("guides/plots/growth.svg", "out of date: python -m course.book write")
    ]
    assert list(plots.write(course.root)) == []
    assert list(plots.stale(course.root)) == []


def test_a_plot_can_be_read_in_dark_and_by_a_screen_reader(course: Course) -> None:
    list(plots.write(course.root))
    svg = (course.root / "guides/plots/growth.svg").read_text(encoding="utf-8")

    assert "prefers-color-scheme: dark" in svg
    assert '<title id="title">Time to push &amp; pop</title>' in svg
    assert "Two lines; the heap stays below</desc>" in svg
    assert "var(--ink)" in svg
    assert "#010203" not in svg
    assert re.search(r"<text[^>]*>heap</text>", svg)


def test_a_plot_in_a_guide(course: Course) -> None:
    text = course.made('plot("growth")')

    assert "![Two lines; the heap stays below](plots/growth.svg)" in text


def test_a_new_number_makes_the_plot_stale(course: Course) -> None:
    list(plots.write(course.root))
    file = course.root / "benchmarks/results/heap.json"
    file.write_text(
        file.read_text(encoding="utf-8").replace('"n": 1000,', '"n": 2000,'), encoding="utf-8"
    )

    assert len(list(plots.stale(course.root))) == 1


def test_a_plot_that_nobody_declares(course: Course) -> None:
    list(plots.write(course.root))
    course.put("guides/plots/old.svg", "<svg/>")

    assert list(plots.stale(course.root)) == [
        ("guides/plots/old.svg", "no plot of this name is declared")
    ]


@pytest.mark.parametrize("background", ["#ffffff", "#0d1117"])
@pytest.mark.parametrize("colour", COLOURS)
def test_lines_stand_out_on_light_and_on_dark(colour: str, background: str) -> None:
    lights = sorted((luminance(colour), luminance(background)))

    assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 3


def test_names_of_curves_do_not_overlap() -> None:
    heights = {"a": 10.0, "b": 12.0, "c": 90.0, "d": 11.0}

    assert spread(heights, gap=15) == {"a": -4, "d": 11, "b": 26, "c": 90}


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
