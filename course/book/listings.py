"""``listing()``: code from a snapshot, headed by the file that it comes from."""

from __future__ import annotations

from course.book.guide import BookError, Guide
from course.book.source import between, cut

_LANGUAGES = {".py": "python", ".toml": "toml", ".ini": "ini", ".diff": "diff", ".json": "json"}


def listing(
    guide: Guide,
    path: str,
    *names: str,
    docstring: bool = True,
    lines: tuple[str, str] | None = None,
) -> str:
    """Definitions of a file by name, or some of its lines, or the whole file.

    ``lines=("start", "end")`` gives the lines from the one with the first text to the next one
    with the second, within the named definition if there is one.
    """
    file = guide.file(path)
    text = file.read_text(encoding="utf-8")
    if names:
        try:
            text = "\n\n".join(cut(text, name, docstring=docstring) for name in names)
        except BookError as error:
            raise BookError(f"{path}: {error}") from None
    if lines is not None:
        text = between(text, *lines)
    head = f"**[`{path}`]({guide.link(path)})**"
    if names:
        head += ", " + ", ".join(f"`{name}`" for name in names)
    return f"{head}\n\n{fenced(text, _LANGUAGES.get(file.suffix, 'text'))}"


def fenced(text: str, language: str) -> str:
    """A fenced block, its fence longer than any in the text."""
    text = text.strip("\n")
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"
