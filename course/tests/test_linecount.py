"""What counts as a line of code."""

from __future__ import annotations

import pytest

from course.linecount import changed, code_lines, code_of, longest_common_subsequence, measure

TRICKY = '''#!/usr/bin/env python3
"""Module docstring

with an empty line, and # no comment.
"""

import re  # trailing

HASH = "# not a comment"
TEXT = """a string that is data

# and so is this
"""


class Value:
    """Docstring."""

    name: str
    """What it is called."""

    def method(self) -> str:
        "One line."
        return (
            # why
            f"{self.name}#1"
            "and more"
        )


def tight(): "doc"; return {"key": "value"}
'''


def test_prose_and_blank_lines_are_left_out() -> None:
    assert list(code_lines(TRICKY)) == [
        "import re",
        'HASH = "# not a comment"',
        'TEXT = """a string that is data',
        "# and so is this",
        '"""',
        "class Value:",
        "    name: str",
        "    def method(self) -> str:",
        "        return (",
        '            f"{self.name}#1"',
        '            "and more"',
        "        )",
        'def tight(): "doc"; return {"key": "value"}',
    ]


def test_measure_counts_prose() -> None:
    source = '"""Two\n\nlines."""\n\nx = 1  # why\n# alone\n'
    count = measure(source)
    assert (count.code, count.prose, count.filled) == (1, 4, 4)


@pytest.mark.parametrize("source", ["", "\n\n", "# only\n", '"""Only."""', '"""A."""\n"""B."""\n'])
def test_nothing_but_prose(source: str) -> None:
    assert code_lines(source) == ()


@pytest.mark.parametrize("source", ["x = 1", "x = 1\r\n", "\ufeffx = 1\n", "\n\f\nx = 1\n"])
def test_ends_of_lines_and_files(source: str) -> None:
    assert [line.lstrip("\ufeff") for line in code_of("a.py", source.encode())] == ["x = 1"]


def test_several_lines_in_one_statement() -> None:
    assert code_lines("call(\n    1,\n\n    2,\n)\n") == ("call(", "    1,", "    2,", ")")


def test_broken_python_is_read_as_text() -> None:
    assert code_of("a.py", b"def f(:\n\n# why\n") == ("def f(:", "# why")


def test_other_files_count_their_lines_that_are_not_blank() -> None:
    assert code_of("board.html", b"<p>\n\n</p>\n") == ("<p>", "</p>")
    assert code_of("picture.png", b"\x89PNG\0\n") == ()


def test_changed_counts_the_shortest_way() -> None:
    assert changed("abcd", "abcd") == (0, 0)
    assert changed("abcd", "axcd") == (1, 1)
    assert changed("", "abc") == (3, 0)
    assert changed("abc", "") == (0, 3)
    # The longest block that both share is bcde; building on it alone costs more.
    assert changed("abcabba", "cbabac") == (2, 3)


@pytest.mark.parametrize(
    ("old", "new", "length"),
    [("", "", 0), ("aaa", "aa", 2), ("xaybzc", "abc", 3), ("abc", "cba", 1), ("abab", "baba", 3)],
)
def test_longest_common_subsequence(old: str, new: str, length: int) -> None:
    assert longest_common_subsequence(old, new) == length
    assert longest_common_subsequence(new, old) == length
