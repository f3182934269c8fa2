"""A document for people, written as a PDF or as the page that it is printed from."""

from __future__ import annotations

from pathlib import Path

from kodomo.errors import UsageError
from kodomo.files import write_atomically
from kodomo.home import Home

_SUFFIXES = {".pdf", ".html"}


def require_suffix(output: Path) -> None:
    """Raise UsageError for a file that is neither .pdf nor .html, before anything is made."""
    if output.suffix not in _SUFFIXES:
        raise UsageError("--output takes a file that ends in .pdf or .html.")


def write_document(home: Home, output: Path, html: str) -> None:
    """Write a printed page to a file, by its ending."""
    from superset_config.pages.printing import to_pdf

    write_atomically(output, to_pdf(home, html) if output.suffix == ".pdf" else html.encode())
