"""A page as PDF, by the Chromium that also takes the pictures: the print is the page, with its fonts in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.programs import require_program
from superset_config.pages.print_queue import WaitingError, turn

SECONDS = 60
WAIT_SECONDS = 0.5


def to_pdf(home: Home, html: str, key: str | None = None) -> bytes:
    """The PDF of a page that needs nothing from anywhere else. Raises KodomoError without Chromium, or if it fails.

    With a ``key`` (whose print of what it is) WaitingError says its place where it is not its turn; without one (a
    command) it waits for its turn.
    The page's own policy forbids scripts and requests. What is printed is about people: it lies in a folder of the
    home that only its owner reads, until it is printed.
    """
    chromium = require_program("chromium")
    home.ensure()
    while True:
        try:
            with turn(home, key or f"process {os.getpid()}"):
                return _print(home, chromium, html)
        except WaitingError:
            if key is not None:
                raise
            time.sleep(WAIT_SECONDS)


def _print(home: Home, chromium: str, html: str) -> bytes:
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
