"""The pages, registered in Superset."""

from __future__ import annotations

from typing import Any

from superset_config.entry.pages import url_of
from superset_config.entry.views.assess import AssessPage
from superset_config.entry.views.meeting import MeetingPage
from superset_config.entry.views.records import FormPage, RequestPage
from superset_config.entry.views.stewards import CodeDecisionPage, DeliveryDecisionPage, LinkReviewPage
from superset_config.security.rules import ENTRY_MENU

SPECIAL = (AssessPage, MeetingPage, LinkReviewPage, DeliveryDecisionPage, CodeDecisionPage, RequestPage)


def add_views(appbuilder: Any) -> None:
    """Register every page of access.yml under its own permission, ``can_use on Entry <page>``."""
    from superset_config.security.access import read_access

    special = {view.page: view for view in SPECIAL}
    for entry in read_access().entry_pages.values():
        base = special.get(entry.name, FormPage)
        view = type(
            f"Entry{entry.name.title().replace('_', '')}",
            (base,),
            {
                "page": entry.name,
                "title": entry.label_ja,
                "route_base": url_of(entry.name).rstrip("/"),
                "class_permission_name": f"Entry {entry.name}",
                "default_view": "index",
            },
        )
        appbuilder.add_view(
            view, entry.label_ja, label=entry.label_ja, href=url_of(entry.name), category=ENTRY_MENU,
            category_label=ENTRY_MENU,
        )  # fmt: skip
