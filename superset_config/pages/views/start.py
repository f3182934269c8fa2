"""はじめの画面: what there is to do today, each number with the list of exactly these children; and the guide."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from kodomo import clock
from kodomo.access.scope import all_areas
from kodomo.entries.conditions import UP, Conditions
from kodomo.entries.saved_conditions import saved, watch
from kodomo.entries.status_checks import NOW
from kodomo.seeds import read_seed
from superset_config.pages.base import SEARCHED, EntryPage, route, store, url_of
from superset_config.pages.guide import guide, headings, part
from superset_config.pages.menu import menu_of
from superset_config.pages.reach import Reach
from superset_config.pages.views.benefits import UnclaimedBenefitsPage, unclaimed_in_reach
from superset_config.pages.views.disputes import DisputedLinePage, disputes_of_holder
from superset_config.pages.views.leavers import ArrivalsPage, LeaversPage, arrivals_in_reach, leavers_in_reach
from superset_config.pages.views.notices import NoticesPage, unread_numbers
from superset_config.pages.views.quality_tasks import task_numbers
from superset_config.pages.views.status_checks import StatusChecksPage, checks_in_reach

UNKNOWN_RISK = {"known": "unknown", "tier": "latent-up"}
TODAY_JA = {
    "会議で検討する": (
        ("検討期限を過ぎている", {"due": "past"}),
        ("7日以内に検討期限", {"due": "week"}),
        ("見直しの日が来た", {"meeting": "review"}),
        ("決定のあと段階が上がり、一覧に戻った", {"meeting": "risen"}),
        ("決定のあと変化があり、一覧に戻った", {"meeting": "changed"}),
        ("決定のあと下がった（支援の見直し）", {"meeting": "fallen"}),
        ("ハイリスクで会議が未実施", {"tier": "high", "meeting": "none"}),
    ),
    "前回の判定からの変化": (
        ("はじめて判定された", {"change": "new"}),
        ("段階が上がった", {"change": "risen"}),
        ("段階が下がった", {"change": "fallen"}),
        ("何か変化があった（ケース・欠席・転居などを含む）", {"moved": "any"}),
    ),
    "見落とさない": (
        ("最終確認の期限を過ぎている", {"seen": "overdue"}),
        ("そのうちハイリスク・潜在的リスク", {"seen": "overdue", "tier": "latent-up"}),
        ("支援機関が未把握のハイリスク・潜在的リスク", UNKNOWN_RISK),
        ("要対協に未登録のハイリスク", {"tier": "high", "council": "no"}),
        ("6か月以上、会った・話した記録がないハイリスク", {"tier": "high", "contact": "6"}),
    ),
}
"""Groups of numbers on the page: label and conditions."""
OF_AREA_JA = (
    ("子ども", {}),
    ("ハイリスク", {"tier": "high"}),
    ("潜在的リスク", {"tier": "latent"}),
    ("未把握のハイリスク・潜在的リスク", UNKNOWN_RISK),
)


class StartPage(EntryPage):
    """はじめの画面."""

    page, title = "start", "はじめの画面"

    @route("/")
    def index(self, reach: Reach) -> str:
        """Today's numbers, the areas, the saved conditions, the tasks, and what this is."""
        conditions = Conditions(reach, store(), clock.today())
        lists_children = SEARCHED in reach.pages()
        return self.show(
            "start.html",
            reach,
            scope=reach.scope,
            departments=[reach.access.departments_ja[name] for name in reach.scope.departments],
            duties=[reach.access.duties_ja[name] for name in reach.scope.duties],
            area_names=[] if reach.scope.has_all_areas else [_area_names()[code] for code in reach.scope.areas],
            as_of_on=next((child["as_of_on"] for child in reach.children().values()), None),
            previous_on=conditions.previous_on if lists_children else None,
            has_history=reach.has_columns("bi_score_history", "scored_on"),
            groups={**(self._numbers(conditions) if lists_children else {}), **_followed(reach)},
            areas=self._areas(reach, conditions) if lists_children else [],
            area_columns=[label for label, chosen in OF_AREA_JA if conditions.offers(chosen)],
            types=_types(conditions) if lists_children else [],
            watches=self._watches(reach, conditions) if lists_children else [],
            lists_children=lists_children,
            notices=unread_numbers(reach) if NoticesPage.page in reach.pages() else None,
            notices_at=url_of(NoticesPage.page),
            waiting_disputes=waiting_disputes(reach),
            task_numbers=task_numbers(reach),
            tasks=menu_of(reach),
            about=part(""),
            trouble=part("困ったとき"),
        )

    def _numbers(self, conditions: Conditions) -> dict[str, list[tuple[str, int, str]]]:
        """Label, number and address of the list, by group; what the scope cannot judge is left out."""
        groups = {
            group: [_number(conditions, label, chosen) for label, chosen in rows if conditions.offers(chosen)]
            for group, rows in TODAY_JA.items()
        }
        return {group: rows for group, rows in groups.items() if rows}

    def _areas(self, reach: Reach, conditions: Conditions) -> list[tuple[str, list[tuple[str, int, str]]]]:
        """A row of numbers for each area of the scope, and one for all of them."""
        columns = [(label, chosen) for label, chosen in OF_AREA_JA if conditions.offers(chosen)]
        area = conditions.offered.get("area")
        rows = [
            (name, [_number(conditions, label, {"area": code, **chosen}) for label, chosen in columns])
            for code, name in (area.choices.items() if area else ())
            if code in reach.scope.areas
        ]
        if len(rows) != 1:
            rows.append(("合計", [_number(conditions, label, dict(chosen)) for label, chosen in columns]))
        return rows

    def _watches(self, reach: Reach, conditions: Conditions) -> list[tuple[Any, str]]:
        """Each saved condition as it stands, with the address of its list."""
        return [
            (
                seen := watch(version, conditions, store(), reach.scope.key, reach.publication),
                f"{url_of(SEARCHED)}?{urlencode({**seen.chosen, 'saved': version.record_id})}",
            )
            for version in saved(store(), reach.scope.departments)
        ]

    @route("/help")
    def help(self, reach: Reach) -> str:
        """The guide for staff, with its words."""
        return self.show("help.html", reach, guide=guide(), headings=headings())


def _followed(reach: Reach) -> dict[str, list[tuple[str, int, str]]]:
    """Numbers of children on the lists that are followed up, with the address of each; empty without these lists."""
    rows = []
    if LeaversPage.page in reach.pages():
        waiting = [leaver for leaver in leavers_in_reach(reach) if leaver.is_open]
        rows.append(("市を離れ、引継ぎの記録がない", len(waiting), url_of(LeaversPage.page)))
    if ArrivalsPage.page in reach.pages():
        arrived = arrivals_in_reach(reach)
        late = sum(bool(row["is_late"]) for row in arrived)
        rows.append(("転入し、まだ会っていない", len(arrived), url_of(ArrivalsPage.page)))
        rows.append(("そのうち確認期限を過ぎている", late, url_of(ArrivalsPage.page)))
    if StatusChecksPage.page in reach.pages():
        looked_for = {check.person_id for check in checks_in_reach(reach, NOW) if check.is_open}
        rows.append(("状況確認が要る", len(looked_for), f"{url_of(StatusChecksPage.page)}?list={NOW}"))
    groups = {"離れた子ども・来た子ども・見えない子ども": rows} if rows else {}
    if UnclaimedBenefitsPage.page in reach.pages():
        untold = {one.person_id for one in unclaimed_in_reach(reach) if one.is_open}
        label = "給付を受けられるかもしれず、受給・申請の記録がない"
        groups["給付の案内"] = [(label, len(untold), url_of(UnclaimedBenefitsPage.page))]
    return groups


def waiting_disputes(reach: Reach) -> tuple[int, str] | None:
    """How many marked lines wait for the answer of this steward, and the address of their page; None for others."""
    if DisputedLinePage.page not in reach.pages():
        return None
    return sum(dispute.is_waiting for dispute in disputes_of_holder(reach)), url_of(DisputedLinePage.page)


def _types(conditions: Conditions) -> list[tuple[str, list[tuple[str, int, str]]]]:
    """A row of numbers for each type of difficulty: the children of each of its tiers, and those with each chain."""
    rows = [
        (
            condition.label_ja,
            [
                _number(conditions, label, {name: code})
                for code, label in condition.choices.items()
                if not code.endswith(UP)
            ],
        )
        for name, condition in conditions.offered.items()
        if name.startswith(("risk_", "trial_"))
    ]
    chain = conditions.offered.get("chain")
    if chain:
        shown = ("vertical", "horizontal", "both")
        rows.append(("連鎖", [_number(conditions, chain.choices[code], {"chain": code}) for code in shown]))
    return rows


def _number(conditions: Conditions, label: str, chosen: dict[str, str]) -> tuple[str, int, str]:
    return label, len(conditions.ids(chosen)), f"{url_of(SEARCHED)}?{urlencode(chosen)}"


def _area_names() -> dict[str, str]:
    names = {row["area_code"]: row["area_name_ja"] for row in read_seed("areas")}
    return {code: names[code] for code in all_areas()}
