"""A guide, read back as Markdown: its headings, links, fences and what is written as code.

Parsed by markdown-it, so that what the check sees is what a viewer shows. This module only reads;
`rules` and `forms` judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from course.book.markers import generated_lines

_HTML_LINK = re.compile(r"<(?:a|img|source)\b[^>]*?\b(?:href|src|srcset)=[\"']([^\"']+)")
_HTML_ANCHOR = re.compile(r"<\w+\b[^>]*?\b(?:id|name)=[\"']([^\"']+)")


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block."""

    line: int
    language: str
    content: str
    generated: bool
    following: str  # the next text below it

    @property
    def is_shell(self) -> bool:
        return self.language in ("sh", "bash", "console", "shell")


@dataclass(frozen=True, slots=True)
class Text:
    """A heading, a link target or a piece of code, and where it stands."""

    line: int
    text: str
    level: int = 0


@dataclass(slots=True)
class Document:
    """All that the rules ask about."""

    path: Path
    generated: set[int]
    headings: list[Text] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    links: list[Text] = field(default_factory=list)
    fences: list[Fence] = field(default_factory=list)
    codes: list[Text] = field(default_factory=list)
    details: list[Text] = field(default_factory=list)


def read(path: Path) -> Document:
    """Parse a file."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    document = Document(path, generated_lines(text))
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for before, token in zip([None, *tokens], tokens, strict=False):
        line = (token.map[0] if token.map else 0) + 1
        match token.type:
            case "fence":
                document.fences.append(_fence(token, line, lines, document.generated))
            case "html_block":
                _read_html(document, token.content, line)
            case "inline":
                if before is not None and before.type == "heading_open":
                    _read_heading(document, token, line, int(before.tag[1]))
                _read_inline(document, token, line)
    return document


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _fence(token: Token, line: int, lines: list[str], generated: set[int]) -> Fence:
    end = token.map[1] if token.map else line
    following = next((text.strip() for text in lines[end:] if text.strip()), "")
    language = token.info.split()[0] if token.info.split() else ""
    return Fence(line, language, token.content, line in generated, following)


def _read_heading(document: Document, token: Token, line: int, level: int) -> None:
    text = "".join(_words(token))
    document.headings.append(Text(line, text, level))
    anchor, number = slug(text), 0
    while anchor in document.anchors:
        number += 1
        anchor = f"{slug(text)}-{number}"
    document.anchors.add(anchor)


def _read_inline(document: Document, token: Token, first: int) -> None:
    line = first
    for child in token.children or []:
        match child.type:
            case "softbreak" | "hardbreak":
                line += 1
            case "link_open":
                document.links.append(Text(line, str(child.attrs.get("href", ""))))
            case "image":
                document.links.append(Text(line, str(child.attrs.get("src", ""))))
            case "code_inline":
                document.codes.append(Text(line, child.content))
            case "html_inline":
                _read_html(document, child.content, line)


def _read_html(document: Document, html: str, first: int) -> None:
    if html.lstrip().startswith("<!--"):
        return
    for line, text in enumerate(html.splitlines(), start=first):
        document.links += [Text(line, target) for target in _HTML_LINK.findall(text)]
        document.anchors.update(_HTML_ANCHOR.findall(text))
        if "<details" in text:
            document.details.append(Text(line, text))


def _words(token: Token) -> Iterator[str]:
    """The text of a heading, without its markup."""
    for child in token.children or []:
        if child.type in ("text", "code_inline"):
            yield child.content
