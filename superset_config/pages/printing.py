"""A page as PDF, by the Chromium that also takes the pictures: the print is the page, with its fonts in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.programs import require_program

SECONDS = 60


def to_pdf(home: Home, html: str) -> bytes:
    """The PDF of a page that needs nothing from anywhere else. Raises KodomoError without Chromium, or if it fails.

    The page's own policy forbids scripts and requests. What is printed is about people: it lies in a folder of the
    home that only its owner reads, until it is printed.
    """
    chromium = require_program("chromium")
    home.ensure()
    folder = Path(tempfile.mkdtemp(prefix=".print-", dir=home.root))
    try:
        page, out = folder / "page.html", folder / "page.pdf"
        page.write_text(html, encoding="utf-8")
        result = subprocess.run(
            [
                chromium,
                "--headless",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-extensions",
                "--disable-background-networking",
                # Nothing is fetched, whatever a text on the page may say.
                "--host-resolver-rules=MAP * ~NOTFOUND",
                # Root has no sandbox of its own; everybody else has.
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
                f"--user-data-dir={folder / 'profile'}",
                "--no-pdf-header-footer",
                f"--print-to-pdf={out}",
                page.as_uri(),
            ],
            env={**os.environ, "HOME": str(folder)},
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        if result.returncode != 0 or not out.exists():
            raise KodomoError("Chromium could not print the page.")
        return out.read_bytes()
    except subprocess.TimeoutExpired as error:
        raise KodomoError("Chromium took too long to print the page.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
