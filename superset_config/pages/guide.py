"""The guide for staff, docs/staff.ja.md, as pages show it: the whole, and its parts by heading."""

from __future__ import annotations

import re
from functools import cache

import markdown

from kodomo.home import PROJECT

GUIDE = PROJECT / "docs" / "staff.ja.md"
_PICTURE = re.compile(r"^!\[[^\]]*\]\([^)]*\)\s*$", re.MULTILINE)
_OTHER_FILE = re.compile(r"\[([^\]]+)\]\((?!#|/)[^)]*\)")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


@cache
def _text() -> str:
    """The guide without its title, its pictures, which are those of these pages, and links to files beside it."""
    text = GUIDE.read_text(encoding="utf-8").partition("\n")[2]
    return _OTHER_FILE.sub(r"\1", _PICTURE.sub("", text))


def as_html(text: str) -> str:
    """Markdown of the project's own files as HTML; headings have their text as id."""
    return markdown.markdown(
        text,
        extensions=["tables", "toc"],
        extension_configs={"toc": {"slugify": lambda value, _separator: re.sub(r"\s+", "", value)}},
    )


@cache
def guide() -> str:
    """The whole guide as HTML."""
    return as_html(_text())


@cache
def headings() -> tuple[str, ...]:
    """The headings of its parts, in their order; each is the id of its part."""
    return tuple(_HEADING.findall(_text()))


@cache
def part(heading: str) -> str:
    """One part as HTML, without its heading; of an empty heading the beginning. Raises KeyError."""
    pieces = _HEADING.split(_text())
    return as_html({"": pieces[0], **dict(zip(pieces[1::2], pieces[2::2], strict=True))}[heading])
