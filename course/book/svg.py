"""Turns matplotlib's SVG into one that is readable on a light and on a dark page.

Text, axes and grid are drawn in two colours that nothing else has; here they become variables
that a style sheet in the file sets for either scheme. Numbers are rounded, so that two platforms
whose last digit differs write the same file.
"""

from __future__ import annotations

import re
from html import escape

INK = "#010203"
GRID = "#040506"

_STYLE = """<style>
:root { --ink: #1f2328; --grid: #d1d9e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #f0f6fc; --grid: #3d444d; } }
text { font-family: system-ui, sans-serif !important; }
</style>"""

_DECIMAL = re.compile(r"-?\d+\.\d{3,}")
_METADATA = re.compile(r" *<metadata>.*?</metadata>\n", re.DOTALL)


def finish(text: str, title: str, description: str) -> str:
    """The file as it is committed: named for screen readers, and dark where the page is."""
    text = _METADATA.sub("", text)
    text = text.replace(INK, "var(--ink)").replace(GRID, "var(--grid)")
    text = _DECIMAL.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), text)
    opening = re.search(r"<svg\b[^>]*>", text)
    if opening is None:
        raise ValueError("no <svg> element")
    root = f'{opening[0][:-1]} role="img" aria-labelledby="title description">'
    names = (
        f'<title id="title">{escape(title)}</title>\n<desc id="description">'
        f"{escape(description)}</desc>\n{_STYLE}"
    )
    body = f"{text[: opening.start()]}{root}\n{names}{text[opening.end() :]}"
    return "\n".join(line.rstrip() for line in body.splitlines()) + "\n"
