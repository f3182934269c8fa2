"""Which page a line of the log is of."""

from __future__ import annotations

import pytest
from flask import Flask

from superset_config.security import answers


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/kodomo/", "start"),
        ("/kodomo/help", "start"),
        ("/kodomo/children/", "children"),
        ("/kodomo/children/search", "children"),
        ("/entry/child/abc", "child"),
        ("/entry/meeting/agenda", "meeting"),
        ("/api/v1/chart/data", None),
        ("/kodomoten", None),
    ],
)
def test_page_of_an_address_is_the_nearest(path: str, page: str | None) -> None:
    with Flask(__name__).test_request_context(path):
        assert answers._page_of_request() == page
