"""The menu of the pages: what there is to do, and the pages and dashboards for it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from kodomo.access.access import read_access
from superset_config.asset_audiences import for_audiences
from superset_config.asset_files import read_assets
from superset_config.pages.reach import Reach

HELP_AT = "/kodomo/help"
"""The address of the guide."""
TASKS_JA = {
    "子どもを見る": (
        ("children", "leavers", "arrivals", "status_checks", "unclaimed_benefits", "notices"),
        ("list", "chains"),
    ),
    "検討し、決める": (("assess", "assessment", "meeting", "support_plan"), ("meeting",)),
    "記録を入れる": (
        (
            "visit",
            "handover",
            "status_check",
            "benefit_check",
            "school_consultation",
            "school_absence",
            "paper_case",
            "support_measure",
            "person_request",
            "area_resource",
        ),
        (),
    ),
    "データを確かめる": (
        ("quality_task", "delivery_decision", "link_review", "code_decision", "disputed_line", "personal_files"),
        ("quality",),
    ),
    "モデルを検討する": (("model", "known_cases", "model_approval"), ()),
    "全体を知る": (
        ("area", "status_check_return"),
        ("overview", "numbers", "areas", "effect", "model", "audit"),
    ),
}
"""Task → names of pages and of dashboards, in their order."""

Link = tuple[str, str, bool]
"""Label, address, and whether it is the page at hand."""


def menu_of(reach: Reach, here: str = "") -> list[tuple[str, list[Link]]]:
    """The tasks of a user with their pages and dashboards; a task without either is left out."""
    pages = {page.name: page for page in reach.access.entry_pages_of(reach.scope)}
    boards = dashboards_of(audience.role for audience in reach.access.audiences_of(reach.scope))
    tasks = []
    for task, (names, slugs) in TASKS_JA.items():
        links: list[Link] = [
            (pages[name].label_ja, f"{pages[name].address}/", name == here) for name in names if name in pages
        ]
        links += [
            (f"{title}（図表）", f"/superset/dashboard/{slug}/", False)
            for stem in slugs
            for slug, title in boards
            if slug.split("-")[0] == stem
        ]
        if links:
            tasks.append((task, links))
    return tasks


def dashboards_of(roles: Iterable[str]) -> list[tuple[str, str]]:
    """Slug and title of the dashboards for any of these roles, in their order."""
    mine = set(roles)
    return [(slug, title) for slug, title, held in _dashboards() if mine & held]


@cache
def _dashboards() -> list[tuple[str, str, frozenset[str]]]:
    boards = for_audiences(read_assets(), read_access()).dashboards.values()
    return [(board.slug, board.title, frozenset(board.roles)) for board in sorted(boards, key=lambda b: b.order)]
