"""Pictures of the dashboards as each account sees them, taken in a browser, and the problems it reports."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kodomo.access.access import read_access
from kodomo.errors import KodomoError
from kodomo.programs import require_program
from superset_config.pages.base import url_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTH, HEIGHT, MAX_HEIGHT = 1600, 1000, 6000
LOADING = '[data-test="loading-indicator"], .loading, .ant-spin-spinning'
# What a chart shows instead of itself when its query fails.
FAILED = ".chart-container .ant-alert-error, .dashboard-chart .ant-alert-error, .missing-chart-container"
QUIET_SECONDS = 1.5
LOGIN_REFUSED = 429
FORBIDDEN = 403


@dataclass
class Picture:
    """One page as one account saw it. ``failures``: charts that showed an error."""

    account: str
    dashboard: str
    path: Path
    failures: int = 0


@dataclass
class Album:
    """All pictures of one go, and every address outside the server that a page asked for."""

    pictures: list[Picture] = field(default_factory=list)
    outside: set[str] = field(default_factory=set)


def read_accounts(path: Path) -> dict[str, str]:
    """User names and initial passwords of the demo. Raises KodomoError when there are none."""
    if not path.exists():
        raise KodomoError("There are no demo accounts: run `kodomo superset apply` first.")
    with path.open(encoding="utf-8") as file:
        return {row["username"]: row["password"] for row in csv.DictReader(file)}


def take(
    address: str,
    accounts: dict[str, str],
    folder: Path,
    *,
    seconds: float = 60,
    on_picture: Callable[[Picture], None] = lambda _: None,
) -> Album:
    """Log in as each account and take every dashboard that it sees, as ``folder/<account>/<dashboard>.png``.

    Of an account that sees none, what the list of dashboards says.

    ``seconds``: how long a page may take to load. Raises KodomoError when no server answers at ``address``, there is
    no browser, or an account cannot log in.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise KodomoError("Pictures need Playwright: run `make setup`.") from error
    chromium = require_program("chromium")
    album = Album()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            # Fields for dates look as the browser's language has them.
            env={**os.environ, "LANGUAGE": "ja"},
        )
        for account, password in accounts.items():
            for picture in _as_account(browser, address, account, password, folder, seconds, album):
                album.pictures.append(picture)
                on_picture(picture)
        browser.close()
    return album


def _as_account(
    browser: Browser, address: str, account: str, password: str, folder: Path, seconds: float, album: Album
) -> Iterable[Picture]:
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, locale="ja-JP")
    context.on("requestfinished", lambda request: _note_outside(request.url, address, album))
    # What the page's own policy stops has never left the browser.
    context.on(
        "requestfailed",
        lambda request: None if request.failure == "csp" else _note_outside(request.url, address, album),
    )
    page = context.new_page()
    page.set_default_timeout(seconds * 1000)
    _log_in(page, address, account, password)
    (folder / account).mkdir(parents=True, exist_ok=True)
    dashboards = _dashboards(page, address)
    if not dashboards:
        page.goto(f"{address}/dashboard/list/")
        _settle(page, seconds)
        path = folder / account / "no-dashboard.png"
        page.screenshot(path=path)
        yield Picture(account, "no-dashboard", path)
    for slug in dashboards:
        page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        page.goto(f"{address}/superset/dashboard/{slug}/")
        _settle(page, seconds)
        page.set_viewport_size({"width": WIDTH, "height": _page_height(page)})
        _settle(page, seconds)
        path = folder / account / f"{slug}.png"
        page.screenshot(path=path)
        yield Picture(account, slug, path, page.locator(FAILED).count())
    yield from _entry_pages(page, address, account, folder)
    context.close()


def _entry_pages(page: Page, address: str, account: str, folder: Path) -> Iterable[Picture]:
    """The pages of entry that the account may open; of 個別検討 and 個票 what they look like for a child."""
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    for entry in read_access().entry_pages.values():
        answer = page.goto(f"{address}{url_of(entry.name)}")
        if answer is None or answer.status == FORBIDDEN:
            continue
        if entry.name == "assess":
            _determine_first(page)
        if entry.name == "child":
            _open_first(page)
        path = folder / account / f"entry-{entry.name}.png"
        page.screenshot(path=path, full_page=True)
        yield Picture(account, f"entry-{entry.name}", path, page.locator("[role=alert]").count())


def _open_first(page: Page) -> None:
    """Open the sheet of the first child whose name has a common sound; without one the search is the picture."""
    page.fill("#name", "ア")
    page.click("button:has-text('検索')")
    found = page.locator("a:has-text('個票を開く')").first
    if found.count():
        found.click()


def _determine_first(page: Page) -> None:
    """Determine the first child whose name has a common sound; where there is none, the search is the picture."""
    page.fill("#name", "ア")
    page.click("button:has-text('検索')")
    choose = page.locator("button:has-text('選ぶ')").first
    if choose.count():
        choose.click()
        page.fill("#purpose", "画面の確認")
        page.click("button:has-text('判定する')")


def _note_outside(url: str, address: str, album: Album) -> None:
    parts = urlsplit(url)
    if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != urlsplit(address).netloc:
        album.outside.add(f"{parts.scheme}://{parts.netloc}")


def _log_in(page: Page, address: str, account: str, password: str) -> None:
    from playwright.sync_api import Error

    try:
        response = page.goto(f"{address}/login/")
    except Error as error:
        raise KodomoError(
            "Superset does not answer at {address}: run `kodomo serve` first.", address=address
        ) from error
    if response is not None and response.status == LOGIN_REFUSED:
        raise KodomoError("Too many log-ins in a short time: wait five minutes, or name fewer accounts.")
    page.fill("#username", account)
    page.fill("#password", password)
    page.press("#password", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def _dashboards(page: Page, address: str) -> list[str]:
    """Slugs of the dashboards that the account sees."""
    query = "(columns:!(slug),page_size:100)"
    answer: dict[str, Any] = page.request.get(f"{address}/api/v1/dashboard/?q={query}").json()
    return sorted(row["slug"] for row in answer.get("result", []) if row.get("slug"))


def _settle(page: Page, seconds: float) -> None:
    """Wait until nothing has been loading for a moment; a page that never settles is taken as it is."""
    until = time.monotonic() + seconds
    quiet_since: float | None = None
    page.wait_for_timeout(1500)
    while time.monotonic() < until:
        if page.locator(LOADING).count():
            quiet_since = None
        elif quiet_since is None:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > QUIET_SECONDS:
            return
        page.wait_for_timeout(200)


def _page_height(page: Page) -> int:
    """Height at which nothing of the dashboard is scrolled away, charts that load when seen included."""
    bottom = page.evaluate(
        "Math.max(...[...document.querySelectorAll('.dashboard-component-chart-holder, .dashboard-markdown')]"
        ".map(e => e.getBoundingClientRect().bottom + window.scrollY), 0)"
    )
    return min(max(int(bottom) + 40, HEIGHT), MAX_HEIGHT)
