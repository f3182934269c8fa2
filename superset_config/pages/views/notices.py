"""お知らせ: what has happened or is due to the children of one's scope, by day; which kinds one wants."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from flask import abort, flash, g, redirect, request

from kodomo.entries.notices import Notice, choose, counted, kinds, note_read, offered_kinds, unwanted
from superset_config.pages.base import (
    EntryPage,
    audit,
    page_number,
    route,
    sheet_address,
    store,
    typed,
    url_of,
    username,
)
from superset_config.pages.bell import notices_in_reach
from superset_config.pages.reach import Reach
from superset_config.pages.waiting_drafts import DECIDED_AT, waiting_drafts

ON_A_PAGE = 50
STATES_JA = {"unread": "未読", "read": "既読", "ended": "済んだもの", "all": "すべて"}
WITHOUT_AREA = "none"
WAITING_JA = "承認を待つモデルの案"
AREA_JA = "（地区を表示しない）"


class NoticesPage(EntryPage):
    """お知らせ."""

    page, title = "notices", "お知らせ"

    @route("/")
    def index(self, reach: Reach) -> str:
        """The notices by day, newest first: of a state, a kind and an area."""
        chosen = {name: request.args.get(name, "") for name in ("state", "kind", "area")}
        chosen["state"] = chosen["state"] if chosen["state"] in STATES_JA else "unread"
        everything = notices_in_reach(reach)
        rows = _chosen(reach, everything, chosen)
        pages = max(1, -(-len(rows) // ON_A_PAGE))
        page = min(page_number(request.args.get("page", "")), pages)
        shown = rows[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
        store().note_access(
            username(), "notices_list", conditions=sorted(filter(None, chosen.values())), found=len(rows),
            shown=sorted({notice.person_id for notice in shown}),
        )  # fmt: skip
        audit("notices_list")
        in_kind = _chosen(reach, everything, {**chosen, "area": ""})
        return self.show(
            "notices.html",
            reach,
            days=_by_day(reach, shown, rows),
            waiting=waiting_drafts(reach),
            decided_at=url_of(DECIDED_AT),
            count=len(rows),
            chosen=chosen,
            states=[(code, label, _address({**chosen, "state": code})) for code, label in STATES_JA.items()],
            kind_numbers=_kind_numbers(reach, everything, chosen),
            area_numbers=_area_numbers(reach, in_kind, chosen),
            kinds=kinds(),
            offered=offered_kinds(reach),
            unwanted=unwanted(store(), username()),
            page=page,
            on_a_page=ON_A_PAGE,
            numbers=[(number, urlencode({**chosen, "page": number})) for number in range(1, pages + 1)],
        )

    @route("/open", "POST")
    def open(self, reach: Reach) -> Any:
        """Mark a notice as read, and go to the sheet of its child."""
        notice = self._mine(reach)
        note_read(store(), username(), [notice.notice_id])
        return redirect(sheet_address(notice.person_id))

    @route("/read", "POST")
    def read(self, reach: Reach) -> Any:
        """Mark notices as read or as unread: those that are sent, of the page they were shown on."""
        mine = {notice.notice_id for notice in notices_in_reach(reach)}
        sent = set(request.form.getlist("notice_id")) & mine
        is_read = typed("as") != "unread"
        note_read(store(), username(), sent, is_read=is_read)
        g.pop("kodomo_notices", None)
        flash(f"{len(sent)}件を{'読んだこと' if is_read else '未読'}にしました。", "success")
        return self._back_to_list()

    @route("/kinds", "POST")
    def kinds(self, reach: Reach) -> Any:
        """Keep which kinds the user wants."""
        choose(store(), username(), request.form.getlist("kind"), list(offered_kinds(reach)))
        audit("notices_kinds")
        flash("受け取る種類を保存しました。", "success")
        return self.back()

    def _back_to_list(self) -> Any:
        chosen = {name: typed(name) for name in ("state", "kind", "area") if typed(name)}
        return redirect(f"{self.route_base}/?{urlencode(chosen)}" if chosen else f"{self.route_base}/")

    def _mine(self, reach: Reach) -> Notice:
        sent = typed("notice_id")
        mine = next((notice for notice in notices_in_reach(reach) if notice.notice_id == sent), None)
        return mine or abort(404)


def unread_numbers(reach: Reach) -> list[tuple[str, int, str]]:
    """Label, number and address of the unread notices of each kind, for the start page."""
    labels = kinds()
    numbers = [
        (labels[kind].label_ja, count, f"{url_of(NoticesPage.page)}?{urlencode({'kind': kind})}")
        for kind, count in counted(notices_in_reach(reach)).items()
    ]
    unread = sum(not draft.is_read for draft in waiting_drafts(reach))
    return [*numbers, *([(WAITING_JA, unread, url_of(DECIDED_AT))] if unread else [])]


def _address(chosen: dict[str, str]) -> str:
    return urlencode({name: value for name, value in chosen.items() if value})


def _chosen(reach: Reach, everything: list[Notice], chosen: dict[str, str]) -> list[Notice]:
    """Those of a state, a kind and an area; an area that is hidden here is none."""
    is_in = {
        "unread": lambda one: one.is_unread,
        "read": lambda one: one.is_read and not one.is_ended,
        "ended": lambda one: one.is_ended,
        "all": lambda _one: True,
    }[chosen["state"]]
    return [
        notice
        for notice in everything
        if is_in(notice) and chosen["kind"] in ("", notice.kind) and chosen["area"] in ("", _area(reach, notice))
    ]


def _area(reach: Reach, notice: Notice) -> str:
    return reach.children()[notice.person_id].get("area_code") or WITHOUT_AREA


def _kind_numbers(reach: Reach, everything: list[Notice], chosen: dict[str, str]) -> list[tuple[str, str, int, str]]:
    """Code, label, number and address of each kind, and of all kinds."""
    rows = _chosen(reach, everything, {**chosen, "kind": ""})
    found = [notice.kind for notice in rows]
    numbers = [
        (code, kind.label_ja, found.count(code), _address({**chosen, "kind": code}))
        for code, kind in kinds().items()
        if code in found or code == chosen["kind"]
    ]
    return [("", "すべて", len(found), _address({**chosen, "kind": ""})), *numbers]


def _area_numbers(reach: Reach, rows: list[Notice], chosen: dict[str, str]) -> list[tuple[str, str, int, str]]:
    """Code, label, number and address of each area with a notice, and of all; none for a scope of one area."""
    if len(reach.scope.areas) < 2:
        return []
    found = [_area(reach, notice) for notice in rows]
    names = {
        child.get("area_code") or WITHOUT_AREA: child.get("area_name") or AREA_JA for child in reach.children().values()
    }
    numbers = [
        (code, names.get(code, AREA_JA), found.count(code), _address({**chosen, "area": code}))
        for code in (*reach.scope.areas, WITHOUT_AREA)
        if code in found or code == chosen["area"]
    ]
    return [("", "全地区", len(found), _address({**chosen, "area": ""})), *numbers]


def _by_day(
    reach: Reach, shown: list[Notice], rows: list[Notice]
) -> list[tuple[dt.date, list[tuple[str, int]], list[tuple[Notice, dict[str, Any]]]]]:
    """The shown notices by day, each day with how many it has of each kind on all pages, and the child of each."""
    labels, children = kinds(), reach.children()
    days = []
    for day, group in groupby(shown, key=lambda notice: notice.shown_from):
        of_day = [notice.kind for notice in rows if notice.shown_from == day]
        digest = [(labels[code].label_ja, of_day.count(code)) for code in labels if code in of_day]
        days.append((day, digest, [(notice, children[notice.person_id]) for notice in group]))
    return days
