"""Log-in in a browser, sent as soon as the form is there."""

from __future__ import annotations

import pytest
from playwright.sync_api import sync_playwright

from kodomo.programs import require_program
from tests.security.servers import Server, passwords

pytestmark = pytest.mark.slow

TIMES = 30


def test_form_sent_at_once_after_load_always_logs_in(server: Server) -> None:
    username, statuses = "child_ryotsu", []
    password = passwords(server.home)[username]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=require_program("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        context = browser.new_context(locale="ja-JP")
        page = context.new_page()
        page.set_default_timeout(60_000)
        for _ in range(TIMES):
            # Logged out as a person does it: without its cookies, what the page before still sends would be given a new
            # session, which replaces that of the form.
            page.goto(f"{server.address}/logout/", wait_until="commit")
            page.fill("#username", username)
            page.fill("#password", password)
            page.press("#password", "Enter")
            page.wait_for_url(lambda url: "/login" not in url, wait_until="commit")
            statuses.append(page.request.get(f"{server.address}/api/v1/me/").status)
        browser.close()
    assert statuses == [200] * TIMES
