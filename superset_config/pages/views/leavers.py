"""Children who left the city, those who came to it, the record of a hand-over, and the document for it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

from flask import abort, flash, redirect, request

from kodomo import clock
from kodomo.access.access import PROTECTION
from kodomo.entries.forms import clean, forms, mistakes
from kodomo.entries.leavers import FORM, LEFT_ON, Leaver, arrivals, leavers, reasons_for, receivers
from kodomo.entries.plan import FORM as PLAN
from kodomo.entries.plan import for_family
from kodomo.entries.store import ConflictError, Version
from kodomo.entries.visits import FORM as VISIT
from kodomo.entries.visits import last_seen, newest_visits
from kodomo.parameters import parameter
from superset_config.pages.base import (
    MAX_PURPOSE,
    EntryPage,
    as_pdf,
    audit,
    is_readable,
    page_number,
    printed,
    route,
    store,
    typed,
    url_of,
    username,
)
from superset_config.pages.child_keys import key_of, person_of
from superset_config.pages.reach import LeaverReach, Reach
from superset_config.pages.views.child import departments_of_visits, shown_entries
from superset_config.pages.views.records import ABOUT, FormPage
from superset_config.pages.words import OTHER_CHANGED_JA, PROTECTED_DOCUMENT_JA, SAVED_NOW_JA

ON_A_PAGE = 50
STATES_JA = {"open": "引継ぎ待ち", "closed": "記録済み", "all": "すべて"}
LONGEST_RECEIVER = 200
MEETING, SUPPORT = "meeting", "support"
ENDING = ("ended_on", "outcome")
"""What the page asks for to end a support."""


def leavers_in_reach(reach: Reach) -> list[Leaver]:
    """The children of the user's scope who left, as they stand now."""
    own = LeaverReach(reach.home, reach.scope, reach.access, reach.store)
    return leavers(own.children().values(), store())


def arrivals_in_reach(reach: Reach) -> list[dict[str, Any]]:
    """The children of the user's scope who came and were not seen since; a hidden place is hidden here too."""
    children, rows = reach.children(), reach.rows("bi_arrival")
    hidden = {row["person_id"] for row in rows if reach.is_withheld(children.get(row["person_id"], row))}
    shown = reach.access.without_places((row for row in rows if row["person_id"] in children), hidden)
    return [dict(row) for row in arrivals(shown, store())]


class LeaversPage(EntryPage):
    """市を離れた子ども."""

    page, title = "leavers", "市を離れた子ども"
    reach_kind = LeaverReach

    @route("/")
    def index(self, reach: Reach) -> str:
        """Who left, longest ago first: those who wait for a hand-over, or those with one on record."""
        state = request.args.get("state", "open")
        state = state if state in STATES_JA else "open"
        everybody = leavers(reach.children().values(), store())
        listed = {code: [one for one in everybody if _is_in(one, code)] for code in STATES_JA}
        rows = listed[state]
        pages = max(1, -(-len(rows) // ON_A_PAGE))
        page = min(page_number(request.args.get("page", "")), pages)
        shown = rows[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
        store().note_access(
            username(), "leavers_list", conditions=[state], found=len(rows), shown=[one.person_id for one in shown]
        )
        audit("leavers_list")
        visits = newest_visits(store())
        return self.show(
            "leavers.html",
            reach,
            seen={one.person_id: last_seen(one.child, visits.get(one.person_id)) for one in shown},
            rows=[(one, key_of(one.person_id)) for one in shown],
            states=[(code, label, len(listed[code])) for code, label in STATES_JA.items()],
            state=state,
            page=page,
            on_a_page=ON_A_PAGE,
            numbers=[(number, f"state={state}&page={number}") for number in range(1, pages + 1)],
            sees_reasons=reach.has_columns("bi_leaver", "reasons_label"),
        )

    @route("/<key>")
    def sheet(self, reach: Reach, key: str) -> Any:
        """One child who left: why it is here, what was decided and done, and its hand-over."""
        child = reach.child(person_of(key))
        if child is None:
            return self.show("child_gone.html", reach), 404
        store().note_access(username(), "leaver_view", person_id=child["person_id"])
        audit("leaver_view")
        return self._shown(reach, child, key)

    def _shown(self, reach: Reach, child: dict[str, Any], key: str, **context: Any) -> str:
        may_hand_over = FORM in reach.pages()
        given = {"wrong": "", "typed": {}, "support_wrong": ""}
        return self.show(
            "leaver.html",
            reach,
            key=key,
            may_hand_over=may_hand_over,
            handover_at=url_of(FORM) if may_hand_over else "",
            receivers=receivers(),
            ending=[forms()[SUPPORT].field(name) for name in ENDING],
            **{**given, **_parts(reach, child), **context},
        )

    @route("/<key>/document", "POST")
    def document(self, reach: Reach, key: str) -> Any:
        """The hand-over document: for a receiver and a purpose, which are printed on it and logged."""
        child = reach.child(person_of(key))
        if child is None:
            return self.show("child_gone.html", reach), 404
        if FORM not in reach.pages():
            return self._shown(reach, child, key, wrong="この文書は、引継ぎを担当する課が作ります。"), 403
        given = {name: typed(name).strip() for name in ("receiver", "addressee", "purpose")}
        if wrong := _mistake(reach, child, given):
            return self._shown(reach, child, key, wrong=wrong, typed=given), 422
        receiver = receivers()[given["receiver"]]
        store().note_access(
            username(),
            "handover_document",
            purpose=given["purpose"],
            person_id=child["person_id"],
            receiver=given["receiver"],
        )
        audit("handover_document")
        html = printed(
            "print_handover.html",
            **_parts(reach, child, with_words=child[PROTECTION] == "none"),
            receiver=receiver,
            reasons=reasons_for(receiver, child.get("reasons") or ""),
            addressee=given["addressee"],
            purpose=given["purpose"],
            who=username(),
            department=parameter("departments")[self._department(reach)],
            made_on=clock.today(),
        )
        return as_pdf(html, "handover.pdf")

    @route("/<key>/support/<uuid:record_id>", "POST")
    def end_support(self, reach: Reach, key: str, record_id: uuid.UUID) -> Any:
        """When a support of the child ended, and with what: a new version of it."""
        child = reach.child(person_of(key))
        if child is None:
            return self.show("child_gone.html", reach), 404
        version = store().newest(str(record_id))
        if MEETING not in reach.pages():
            abort(403)
        if version.form != SUPPORT or version.person_id != child["person_id"] or not is_readable(version, reach):
            abort(404)
        form = forms()[SUPPORT]
        content = {**version.content, **clean(form, {**version.content, **{n: typed(n) for n in ENDING}})}
        if wrong := mistakes(form, content) or ({} if content.get("ended_on") else {"": "終了日を入れてください。"}):
            return self._shown(reach, child, key, support_wrong="、".join(wrong.values())), 422
        try:
            store().change(version.record_id, int(typed("base") or 0), content, by=username())
        except (ConflictError, ValueError):
            return self._shown(reach, child, key, support_wrong=OTHER_CHANGED_JA), 409
        flash(SAVED_NOW_JA, "success")
        return redirect(f"{self.route_base}/{key}")

    def _department(self, reach: Reach) -> str:
        allowed = reach.access.entry_pages[FORM].departments
        return next(department for department in reach.scope.departments if department in allowed)


class HandoverPage(FormPage):
    """引継ぎの記録."""

    page, title = FORM, "引継ぎの記録"
    reach_kind = LeaverReach
    kept: ClassVar[tuple[str, ...]] = (ABOUT, LEFT_ON)

    @property
    def saved(self) -> str:
        """What is said after something was saved."""
        return "保存しました。「市を離れた子ども」では、すぐに記録済みになります。"

    def _after(self, child: dict[str, Any]) -> Any:
        """Back to the child."""
        return redirect(f"{url_of(LeaversPage.page)}{key_of(child['person_id'])}")

    def _facts(self, child: dict[str, Any]) -> dict[str, str]:
        """The leaving that the record is about."""
        return {LEFT_ON: child["left_on"].isoformat()} if child.get("left_on") else {}


class ArrivalsPage(EntryPage):
    """転入した子ども."""

    page, title = "arrivals", "転入した子ども"

    @route("/")
    def index(self, reach: Reach) -> str:
        """Who came to live in the city and was not seen since, the earliest limit first."""
        rows = arrivals_in_reach(reach)
        pages = max(1, -(-len(rows) // ON_A_PAGE))
        page = min(page_number(request.args.get("page", "")), pages)
        shown = rows[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
        store().note_access(username(), "arrivals_list", found=len(rows), shown=[row["person_id"] for row in shown])
        audit("arrivals_list")
        return self.show(
            "arrivals.html",
            reach,
            rows=shown,
            count=len(rows),
            late=sum(bool(row["is_late"]) for row in rows),
            page=page,
            on_a_page=ON_A_PAGE,
            numbers=[(number, f"page={number}") for number in range(1, pages + 1)],
            may_visit=VISIT in reach.pages(),
        )


def _is_in(leaver: Leaver, state: str) -> bool:
    return state == "all" or leaver.is_open == (state == "open")


def _mistake(reach: Reach, child: dict[str, Any], given: dict[str, str]) -> str:
    """Why a hand-over document may not be made, in Japanese; empty where it may."""
    if given["receiver"] not in receivers():
        return "渡す相手の種類を選んでください。"
    if not given["addressee"] or len(given["addressee"]) > LONGEST_RECEIVER:
        return f"渡す相手の機関と担当者を{LONGEST_RECEIVER}字までで入れてください。"
    if not given["purpose"] or len(given["purpose"]) > MAX_PURPOSE:
        return f"目的を{MAX_PURPOSE}字までで入れてください。"
    return PROTECTED_DOCUMENT_JA if reach.is_withheld(child) else ""


def _parts(reach: Reach, child: dict[str, Any], *, with_words: bool = True) -> dict[str, Any]:
    """What page and document have in common: of entries and family, what the user's audience has.

    ``with_words``: whether texts that staff wrote are in it; they may name a refuge.
    """
    pages = set(reach.pages())
    [leaver] = leavers([child], store())
    last_decisions = store().current("decision", person_id=child["person_id"])[-1:]
    departments = departments_of_visits(reach)
    plans = shown_entries(reach, child, PLAN) if "support_plan" in pages else []

    def entered(form: str) -> list[tuple[Version, list[tuple[str, str]]]]:
        """The entries of a form, newest first."""
        if with_words:
            return shown_entries(reach, child, form)
        kept = store().current(form, person_id=child["person_id"])
        return [(version, forms()[form].shown(version.content, with_words=False)) for version in reversed(kept)]

    return {
        "child": child,
        "leaver": leaver,
        "is_protected": child.get(PROTECTION) != "none",
        "is_withheld": reach.is_withheld(child),
        "sees_reasons": "reasons_label" in child,
        "seen": last_seen(child, newest_visits(store()).get(child["person_id"]), departments),
        "family": _family(reach, child),
        "decisions": entered("decision") if MEETING in pages else None,
        "supports": entered(SUPPORT) if MEETING in pages else None,
        "open_supports": [
            version.record_id
            for version in store().current(SUPPORT, person_id=child["person_id"])
            if not version.content.get("ended_on")
        ],
        "reviews": [
            dt.date.fromisoformat(v.content["review_on"]) for v in last_decisions if v.content.get("review_on")
        ],
        "plans": plans,
        "plan": _plan(reach, plans) if with_words else None,
        "visits": [entry for entry in entered(VISIT) if entry[0].department in departments],
        "handover": (
            forms()[FORM].shown(leaver.record.content, with_words=is_readable(leaver.record, reach))
            if leaver.record is not None
            else []
        ),
    }


def _plan(reach: Reach, plans: list[tuple[Version, Any]]) -> Any:
    """The newest support plan as a family has it; None without one that the user may read."""
    newest = plans[0][0] if plans else None
    return for_family(newest.content) if newest is not None and is_readable(newest, reach) else None


def _family(reach: Reach, child: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The family at the leaving, parents first; None where the audience does not have it."""
    if reach.table("bi_leaver_family") is None:
        return None
    order = {role: place for place, role in enumerate(("母", "父", "親", "きょうだい", "同じ世帯の人"))}
    rows = reach.rows_about(child, ["bi_leaver_family"])["bi_leaver_family"]
    return sorted(rows, key=lambda row: (order.get(row["role_label"], len(order)), row["relative_id"]))
